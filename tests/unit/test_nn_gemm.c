/* SPDX-License-Identifier: MIT */
/* Products of every set of kernels against sums in double precision, on random shapes. */
#include "nn/gemm.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed = 1;

static uint32_t random_number(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

static int64_t random_between(int64_t least, int64_t most)
{
    return least + random_number() % (most - least + 1);
}

static float *random_floats(int64_t count)
{
    float *values = aligned_alloc(64, ((size_t)count * sizeof *values + 63) / 64 * 64);
    assert_non_null(values);
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)random_number() / (float)(1u << 30) - 1.0f;
    return values;
}

struct problem {
    struct gemm_shape shape;
    int64_t rows, stride, taps, tap_length; /* a row begins `stride` frames after the one before */
    int64_t frame;                          /* floats from a frame to the next */
    int64_t out_stride;
    bool bias, residual;
    float *weights, *offsets, *input, *rest; /* [outputs, inputs], [outputs], frames, like output */
};

/* Every second output's are copied, the others are given as they lie. */
static const float *find_weights(const void *context, int64_t output, float *room)
{
    const struct problem *problem = context;
    int64_t inputs = problem->shape.inputs;
    const float *weights = problem->weights + output * inputs;
    return output % 2 ? memcpy(room, weights, (size_t)inputs * sizeof *room) : weights;
}

static struct problem make_problem(int round)
{
    struct problem p = {.shape.groups = round % 3 ? 1 : random_between(1, 5)};
    bool big = round % 8 == 0;
    p.taps = round % 2 ? 1 : random_between(1, big ? 3 : 9);
    p.tap_length = random_between(1, big ? 1000 : 70);
    p.stride = random_between(1, 3);
    p.rows = random_between(1, big ? 300 : 40);
    p.shape.inputs = p.taps * p.tap_length;
    p.shape.outputs = p.shape.groups * random_between(1, big ? 30 : 110);
    p.frame = p.shape.groups * p.tap_length + random_between(0, 20);
    p.out_stride = p.shape.outputs + random_between(0, 20);
    p.bias = random_number() % 2;
    p.residual = random_number() % 2;
    p.weights = random_floats(p.shape.outputs * p.shape.inputs);
    p.offsets = random_floats(p.shape.outputs);
    p.input = random_floats((p.rows * p.stride + p.taps) * p.frame);
    p.rest = random_floats(p.rows * p.out_stride);
    return p;
}

static void free_problem(struct problem *p)
{
    free(p->weights);
    free(p->offsets);
    free(p->input);
    free(p->rest);
}

/* Rows first .. first + rows - 1 of the output, in a new buffer of p->rows rows. */
static float *run(const struct problem *p, const struct kernels *kernels, int threads,
                  int64_t first, int64_t rows)
{
    struct pool *pool = pool_open(threads, NULL);
    assert_non_null(pool);
    float *memory = random_floats(gemm_packed_floats(kernels, &p->shape));
    float *scratch = random_floats(threads * gemm_pack_floats(p->shape.inputs));
    float *out = random_floats(p->rows * p->out_stride);
    struct gemm_weights weights = gemm_pack(kernels, &p->shape, find_weights, p,
                                            p->bias ? p->offsets : NULL, memory, scratch, pool);
    struct gemm_input input = {p->input + first * p->stride * p->frame,
                               rows,
                               p->stride * p->frame,
                               p->taps,
                               p->tap_length,
                               p->frame};
    struct gemm_output output = {out + first * p->out_stride, p->out_stride, ACTIVATION_RELU,
                                 p->residual ? p->rest + first * p->out_stride : NULL,
                                 p->out_stride};
    gemm_run(&weights, pool, &input, &output);
    pool_close(pool);
    free(memory);
    free(scratch);
    return out;
}

static void check_values(const struct problem *p, const float *out)
{
    int64_t columns = p->shape.outputs / p->shape.groups;
    for (int64_t i = 0; i < p->rows; i++) {
        for (int64_t j = 0; j < p->shape.outputs; j++) {
            double sum = 0, size = 1;
            const float *from = p->input + i * p->stride * p->frame + j / columns * p->tap_length;
            for (int64_t k = 0; k < p->shape.inputs; k++) {
                double term = (double)from[k / p->tap_length * p->frame + k % p->tap_length] *
                              p->weights[j * p->shape.inputs + k];
                sum += term;
                size += fabs(term);
            }
            sum = fmax(sum + (p->bias ? p->offsets[j] : 0), 0);
            sum += p->residual ? p->rest[i * p->out_stride + j] : 0;
            assert_true(fabs(out[i * p->out_stride + j] - sum) <= 2e-6 * size);
        }
    }
}

static bool same_row(const struct problem *p, const float *a, const float *b, int64_t row)
{
    return memcmp(a + row * p->out_stride, b + row * p->out_stride,
                  (size_t)p->shape.outputs * sizeof *a) == 0;
}

static void check_kernels(const struct kernels *kernels)
{
    for (int round = 0; round < 32; round++) {
        struct problem p = make_problem(round);
        float *out = run(&p, kernels, 1, 0, p.rows);
        check_values(&p, out);
        /* On more threads, and cut anywhere: the same bits. */
        int64_t cut = random_between(0, p.rows - 1);
        float *head = run(&p, kernels, 3, 0, cut), *tail = run(&p, kernels, 2, cut, p.rows - cut);
        for (int64_t i = 0; i < p.rows; i++)
            assert_true(same_row(&p, out, i < cut ? head : tail, i));
        free(out);
        free(head);
        free(tail);
        free_problem(&p);
    }
}

static void test_products(void **state)
{
    (void)state;
    assert_non_null(kernels_find(KERNELS_PORTABLE));
    for (int set = 0; set < KERNELS_SETS; set++) {
        const struct kernels *kernels = kernels_find((enum instruction_set)set);
        if (kernels)
            check_kernels(kernels);
    }
}

/* What lies between the output's columns and its stride belongs to somebody else. */
static void test_nothing_else_is_written(void **state)
{
    (void)state;
    for (int set = 0; set < KERNELS_SETS; set++) {
        const struct kernels *kernels = kernels_find((enum instruction_set)set);
        for (int64_t columns = 1; kernels && columns < 60; columns++) {
            struct problem p = {{columns, 5, 1}, 3, 1, 1, 5, 5, columns + 1, true, false};
            p.weights = random_floats(columns * 5);
            p.offsets = random_floats(columns);
            p.input = random_floats(20);
            seed = 5; /* the output's first content is random, so know it */
            float *out = run(&p, kernels, 1, 0, 2);
            seed = 5;
            free(random_floats(gemm_packed_floats(kernels, &p.shape)));
            free(random_floats(gemm_pack_floats(5)));
            float *before = random_floats(3 * p.out_stride);
            for (int64_t i = 0; i < 3 * p.out_stride; i++) {
                if (i >= 2 * p.out_stride || i % p.out_stride == columns)
                    assert_true(out[i] == before[i]);
            }
            free(out);
            free(before);
            free_problem(&p);
        }
    }
}

static void test_scaled_outputs(void **state)
{
    (void)state;
    for (int set = 0; set < KERNELS_SETS; set++) {
        const struct kernels *kernels = kernels_find((enum instruction_set)set);
        if (!kernels)
            continue;
        struct pool *pool = pool_open(2, NULL);
        struct problem p = {.shape = {101, 10, 1}};
        p.weights = random_floats(1010);
        float *scale = random_floats(101), *scratch = random_floats(gemm_pack_floats(20));
        float *memory[3];
        for (int i = 0; i < 3; i++)
            memory[i] = random_floats(gemm_packed_floats(kernels, &p.shape));
        struct gemm_weights plain =
            gemm_pack(kernels, &p.shape, find_weights, &p, NULL, memory[0], scratch, pool);
        gemm_scale(&plain, scale, NULL, memory[1]);
        for (int i = 0; i < 1010; i++)
            p.weights[i] *= scale[i / 10];
        gemm_pack(kernels, &p.shape, find_weights, &p, NULL, memory[2], scratch, pool);
        assert_memory_equal(memory[1], memory[2],
                            (size_t)gemm_packed_floats(kernels, &p.shape) * sizeof(float));
        for (int i = 0; i < 3; i++)
            free(memory[i]);
        free(p.weights);
        free(scale);
        free(scratch);
        pool_close(pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_nothing_else_is_written),
        cmocka_unit_test(test_scaled_outputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

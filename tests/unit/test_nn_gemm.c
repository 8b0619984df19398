/* SPDX-License-Identifier: MIT */
/* Products of every set of kernels against sums in double precision, on random shapes. */
#include "kernel_test.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct problem {
    struct product product;
    float *weights; /* [outputs, inputs] */
};

/* Every second output's are copied, the others are given as they lie. */
static const float *find_weights(const void *context, int64_t output, float *room)
{
    const struct problem *problem = context;
    int64_t inputs = problem->product.shape.inputs;
    const float *weights = problem->weights + output * inputs;
    return output % 2 ? memcpy(room, weights, (size_t)inputs * sizeof *room) : weights;
}

/* Rows first .. first + rows - 1 of the output, in a new buffer of all rows. */
static float *run(const struct problem *problem, const struct kernels *kernels, int threads,
                  int64_t first, int64_t rows)
{
    const struct product *p = &problem->product;
    struct pool *pool = pool_open(threads, NULL);
    assert_non_null(pool);
    float *memory = random_floats(gemm_packed_floats(kernels, &p->shape));
    float *scratch = random_floats(threads * gemm_pack_floats(p->shape.inputs));
    float *out = random_floats(p->rows * p->out_stride);
    struct gemm_weights weights = gemm_pack(kernels, &p->shape, find_weights, problem,
                                            p->bias ? p->offsets : NULL, memory, scratch, pool);
    struct gemm_input input = product_input(p, first, rows);
    struct gemm_output output = product_output(p, out, first, ACTIVATION_RELU);
    gemm_run(&weights, pool, &input, &output);
    pool_close(pool);
    free(memory);
    free(scratch);
    return out;
}

static void check_values(const struct problem *problem, const float *out)
{
    const struct product *p = &problem->product;
    int64_t columns = p->shape.outputs / p->shape.groups;
    for (int64_t i = 0; i < p->rows; i++) {
        for (int64_t j = 0; j < p->shape.outputs; j++) {
            double sum = 0, size = 1;
            const float *from = p->input + i * p->stride * p->frame + j / columns * p->tap_length;
            for (int64_t k = 0; k < p->shape.inputs; k++) {
                double term = (double)from[k / p->tap_length * p->frame + k % p->tap_length] *
                              problem->weights[j * p->shape.inputs + k];
                sum += term;
                size += fabs(term);
            }
            sum = fmax(sum + (p->bias ? p->offsets[j] : 0), 0);
            sum += p->residual ? p->rest[i * p->out_stride + j] : 0;
            assert_true(fabs(out[i * p->out_stride + j] - sum) <= 2e-6 * size);
        }
    }
}

/* All rows of the output, with weights that are packed meanwhile. */
static float *run_unpacked(const struct problem *problem, const struct kernels *kernels,
                           int threads)
{
    const struct product *p = &problem->product;
    struct pool *pool = pool_open(threads, NULL);
    assert_non_null(pool);
    float *scratch = random_floats(threads * gemm_unpacked_floats(kernels, p->shape.inputs));
    float *out = random_floats(p->rows * p->out_stride);
    struct gemm_weights weights = {kernels, p->shape, NULL, p->bias ? p->offsets : NULL};
    struct gemm_input input = product_input(p, 0, p->rows);
    struct gemm_output output = product_output(p, out, 0, ACTIVATION_RELU);
    gemm_run_unpacked(&weights, find_weights, problem, scratch, pool, &input, &output);
    pool_close(pool);
    free(scratch);
    return out;
}

static void check_products(const struct kernels *kernels)
{
    for (int round = 0; round < 32; round++) {
        struct problem problem = {product_make(round, 300), NULL};
        const struct product *p = &problem.product;
        problem.weights = random_floats(p->shape.outputs * p->shape.inputs);
        float *out = run(&problem, kernels, 1, 0, p->rows);
        check_values(&problem, out);
        /* On more threads, and cut anywhere, and unpacked: the same bits. */
        int64_t cut = random_between(0, p->rows - 1);
        float *head = run(&problem, kernels, 3, 0, cut);
        float *tail = run(&problem, kernels, 2, cut, p->rows - cut);
        for (int64_t i = 0; i < p->rows; i++)
            assert_true(product_same_row(p, out, i < cut ? head : tail, i));
        float *unpacked = run_unpacked(&problem, kernels, 1 + round % 3);
        for (int64_t i = 0; i < p->rows; i++)
            assert_true(product_same_row(p, out, unpacked, i));
        free(unpacked);
        free(out);
        free(head);
        free(tail);
        free(problem.weights);
        product_free(&problem.product);
    }
}

static void test_products(void **state)
{
    (void)state;
    for_all_kernels(check_products);
}

/* What lies between the output's columns and its stride belongs to somebody else. */
static void check_columns(const struct kernels *kernels)
{
    for (int64_t columns = 1; columns < 60; columns++) {
        struct problem problem = {.product = {{columns, 5, 1}, 3, 1, 1, 5, 5, columns + 1, true}};
        struct product *p = &problem.product;
        problem.weights = random_floats(columns * 5);
        p->offsets = random_floats(columns);
        p->input = random_floats(20);
        random_seed(5); /* the output's first content is random, so know it */
        float *out = run(&problem, kernels, 1, 0, 2);
        random_seed(5);
        free(random_floats(gemm_packed_floats(kernels, &p->shape)));
        free(random_floats(gemm_pack_floats(5)));
        float *before = random_floats(3 * p->out_stride);
        for (int64_t i = 0; i < 3 * p->out_stride; i++) {
            if (i >= 2 * p->out_stride || i % p->out_stride == columns)
                assert_true(out[i] == before[i]);
        }
        free(out);
        free(before);
        free(problem.weights);
        product_free(p);
    }
}

static void test_nothing_else_is_written(void **state)
{
    (void)state;
    for_all_kernels(check_columns);
}

static void check_scaled(const struct kernels *kernels)
{
    struct pool *pool = pool_open(2, NULL);
    const struct gemm_shape shape = {101, 10, 1};
    struct problem problem = {{.shape = shape}, random_floats(1010)};
    float *scale = random_floats(101), *scratch = random_floats(gemm_pack_floats(20));
    float *memory[3];
    for (int i = 0; i < 3; i++)
        memory[i] = random_floats(gemm_packed_floats(kernels, &shape));
    struct gemm_weights plain =
        gemm_pack(kernels, &shape, find_weights, &problem, NULL, memory[0], scratch, pool);
    gemm_scale(&plain, scale, NULL, memory[1]);
    for (int i = 0; i < 1010; i++)
        problem.weights[i] *= scale[i / 10];
    gemm_pack(kernels, &shape, find_weights, &problem, NULL, memory[2], scratch, pool);
    assert_memory_equal(memory[1], memory[2],
                        (size_t)gemm_packed_floats(kernels, &shape) * sizeof(float));
    for (int i = 0; i < 3; i++)
        free(memory[i]);
    free(problem.weights);
    free(scale);
    free(scratch);
    pool_close(pool);
}

static void test_scaled_outputs(void **state)
{
    (void)state;
    for_all_kernels(check_scaled);
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

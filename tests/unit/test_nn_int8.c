/* SPDX-License-Identifier: MIT */
/*
 * Products of bytes: every set of kernels against whole numbers summed one by one, on random
 * shapes and on the bytes that make the greatest sums.
 */
#include "nn/int8.h"

#include "kernel_test.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- tiles ----------------------------------------------------------------------------------- */

enum filling { FILL_RANDOM, FILL_GREATEST, FILL_LEAST, FILL_ALTERNATING, FILLINGS };

static uint8_t activation(const struct kernels *kernels, enum filling filling, int64_t k)
{
    int most = kernels->int8_levels, byte = (int)random_between(0, most);
    if (filling == FILL_GREATEST || filling == FILL_LEAST)
        byte = most;
    if (filling == FILL_ALTERNATING)
        byte = k % 3 ? most : 0;
    return (uint8_t)(byte - (kernels->int8_signed ? 128 : 0));
}

static int8_t weight(enum filling filling, int64_t k)
{
    switch (filling) {
    case FILL_GREATEST:
        return 127;
    case FILL_LEAST:
        return -127;
    case FILL_ALTERNATING:
        return k % 2 ? -127 : 127;
    default:
        return (int8_t)random_between(-127, 127);
    }
}

/* With scales of one the results are the sums themselves, as near as a float comes to them. */
static void check_tile(const struct kernels *kernels, enum filling filling, int rows, int64_t width,
                       int64_t columns, int64_t quads)
{
    int64_t inputs = 4 * quads, c_stride = columns + 3;
    uint8_t *a = allocate(rows * inputs);
    int8_t *b = allocate(inputs * width);
    float *ones = random_floats(width), *zeros = random_floats(width);
    float *c = random_floats(rows * c_stride);
    struct int8_scale scales[16];
    for (int64_t i = 0; i < rows * inputs; i++)
        a[i] = activation(kernels, filling, i);
    for (int64_t i = 0; i < inputs * width; i++)
        b[i] = weight(filling, i);
    for (int64_t i = 0; i < width; i++) {
        ones[i] = 1;
        zeros[i] = 0;
    }
    for (int i = 0; i < rows; i++) {
        scales[i] = (struct int8_scale){1, 0};
        for (int64_t j = columns; j < c_stride; j++)
            c[i * c_stride + j] = 77;
    }
    kernels->int8_tile(&(struct int8_tile){a, inputs, quads, b, width, scales, ones, zeros, zeros,
                                           c, c_stride, columns, rows, ACTIVATION_LINEAR, NULL, 0});
    for (int i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) {
            int64_t sum = 0;
            for (int64_t k = 0; k < inputs; k++) {
                uint8_t byte = a[i * inputs + k];
                int value = kernels->int8_signed ? (int8_t)byte : byte;
                sum += value * b[(k / 4 * width + j) * 4 + k % 4];
            }
            assert_true(sum <= INT32_MAX && sum >= INT32_MIN);
            assert_true(c[i * c_stride + j] == (float)sum);
        }
        for (int64_t j = columns; j < c_stride; j++)
            assert_true(c[i * c_stride + j] == 77); /* somebody else's */
    }
    free(a);
    free(b);
    free(ones);
    free(zeros);
    free(c);
}

static void check_tiles(const struct kernels *kernels)
{
    for (int filling = 0; filling < FILLINGS; filling++) {
        for (int rows = 1; rows <= kernels->int8_rows; rows++) {
            for (int64_t width = kernels->lanes; width <= kernels->int8_panel;
                 width += kernels->lanes) {
                int64_t columns = random_between(width - kernels->lanes + 1, width);
                check_tile(kernels, (enum filling)filling, rows, width, columns,
                           random_between(1, 40));
            }
        }
        check_tile(kernels, (enum filling)filling, 2, kernels->lanes, kernels->lanes,
                   INT8_INPUTS_MAX / 4);
    }
}

static void test_tiles(void **state)
{
    (void)state;
    for_all_kernels(check_tiles);
}

/* ---- activations ----------------------------------------------------------------------------- */

static void quantise(const struct kernels *kernels, const float *row, int64_t taps,
                     int64_t tap_length, int64_t tap_stride, uint8_t *bytes,
                     struct int8_scale *scale)
{
    struct int8_rows rows = {row, 1, 0, taps, tap_length, tap_stride, bytes, 4096, scale};
    kernels->int8_quantise(&rows);
}

static float value_of(const struct kernels *kernels, uint8_t byte, struct int8_scale scale)
{
    return scale.offset + scale.step * (float)(kernels->int8_signed ? (int8_t)byte : byte);
}

static void check_row(const struct kernels *kernels, const float *row, int64_t taps,
                      int64_t tap_length, int64_t tap_stride)
{
    uint8_t bytes[4096];
    struct int8_scale scale;
    memset(bytes, 0xee, sizeof bytes);
    quantise(kernels, row, taps, tap_length, tap_stride, bytes, &scale);
    float least = row[0], greatest = row[0];
    for (int64_t k = 0; k < taps * tap_length; k++) {
        float x = row[k / tap_length * tap_stride + k % tap_length];
        least = fminf(least, x);
        greatest = fmaxf(greatest, x);
    }
    float slack = 1e-6f * fmaxf(fabsf(least), fabsf(greatest));
    assert_true(fabsf(scale.step * (float)kernels->int8_levels - (greatest - least)) <= slack);
    for (int64_t k = 0; k < taps * tap_length; k++) {
        float x = row[k / tap_length * tap_stride + k % tap_length];
        assert_true(fabsf(value_of(kernels, bytes[k], scale) - x) <= 0.5f * scale.step + slack);
    }
    for (int64_t k = taps * tap_length; k < (taps * tap_length + 3) / 4 * 4; k++)
        assert_int_equal(bytes[k], 0);
    assert_int_equal(bytes[(taps * tap_length + 3) / 4 * 4], 0xee);
}

static void check_activations(const struct kernels *kernels)
{
    for (int round = 0; round < 300; round++) {
        int64_t taps = random_between(1, 5), tap_length = random_between(1, 140);
        int64_t tap_stride = tap_length + random_between(0, 9);
        float *row = random_floats(taps * tap_stride);
        float shift = round % 4 == 0 ? 100.0f : 0.0f, factor = round % 3 ? 1.0f : 1e-3f;
        for (int64_t i = 0; i < taps * tap_stride; i++)
            row[i] = round % 7 == 0 ? shift : row[i] * factor + shift;
        check_row(kernels, row, taps, tap_length, tap_stride);
        free(row);
    }
}

/* Rows that share runs become the same bytes as each of them alone. */
static void check_overlap(const struct kernels *kernels)
{
    for (int round = 0; round < 60; round++) {
        int64_t taps = random_between(1, round % 5 ? 40 : 600), hop = random_between(1, 5);
        int64_t tap_length = random_between(1, 40), rows = random_between(1, 90);
        int64_t tap_stride = tap_length + random_between(0, 9);
        int64_t row_stride = hop * tap_stride + (round % 7 ? 0 : 1);
        int64_t bytes_stride = (taps * tap_length + 3) / 4 * 4;
        float *values = random_floats(rows * row_stride + taps * tap_stride);
        uint8_t *bytes = allocate(rows * bytes_stride), *alone = allocate(bytes_stride);
        struct int8_scale *scales = allocate(rows * (int64_t)sizeof *scales), scale;
        struct int8_rows job = {values,     rows,  row_stride,   taps,  tap_length,
                                tap_stride, bytes, bytes_stride, scales};
        kernels->int8_quantise(&job);
        for (int64_t i = 0; i < rows; i++) {
            quantise(kernels, values + i * row_stride, taps, tap_length, tap_stride, alone, &scale);
            assert_memory_equal(bytes + i * bytes_stride, alone, (size_t)bytes_stride);
            assert_true(scale.step == scales[i].step && scale.offset == scales[i].offset);
        }
        free(values);
        free(bytes);
        free(alone);
        free(scales);
    }
}

/* What is no number must not become a number out of range. */
static void check_odd_values(const struct kernels *kernels)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY, 1e-45f, 3e38f, -3e38f};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        for (int64_t at = 0; at < 40; at++) {
            uint8_t bytes[4096];
            struct int8_scale scale;
            float row[40] = {0};
            row[0] = odd[(i + 1) % 6];
            row[at] = odd[i];
            quantise(kernels, row, 1, 40, 40, bytes, &scale);
            for (int k = 0; k < 40; k++) {
                int level = kernels->int8_signed ? (int8_t)bytes[k] + 128 : bytes[k];
                assert_in_range(level, 0, kernels->int8_levels);
            }
        }
    }
}

static void test_activations(void **state)
{
    (void)state;
    for_all_kernels(check_activations);
    for_all_kernels(check_overlap);
    for_all_kernels(check_odd_values);
}

static void check_rounded_weights(const struct kernels *kernels)
{
    const float values[] = {0.5f, -1.0f, 0.25f, 1.0f / 254, -1.0f / 254, 0.0f};
    const int8_t expected[] = {64, -127, 32, 0, 0, 0};
    int8_t bytes[6];
    assert_true(kernels->int8_round(values, 6, bytes) == 1.0f / 127);
    assert_memory_equal(bytes, expected, sizeof bytes);
    const float odd[] = {NAN, INFINITY, 1.0f};
    assert_true(isnan(kernels->int8_round(odd, 3, bytes)));
    const float none[] = {0.0f, -0.0f};
    assert_true(kernels->int8_round(none, 2, bytes) == 0.0f);
    assert_int_equal(bytes[0], 0);
}

/* utter-quantize and opening give the same model on every machine. */
static void check_same_weights(const struct kernels *kernels)
{
    for (int count = 1; count < 200; count++) {
        float values[200];
        int8_t bytes[200], expected[200];
        for (int i = 0; i < count; i++) /* many of them between two steps */
            values[i] = (float)random_between(-254, 254) * (count % 2 ? 0.5f : 0.37f);
        float step = kernels_find(KERNELS_PORTABLE)->int8_round(values, count, expected);
        assert_true(kernels->int8_round(values, count, bytes) == step);
        assert_memory_equal(bytes, expected, (size_t)count);
    }
}

static void test_rounded_weights(void **state)
{
    (void)state;
    for_all_kernels(check_rounded_weights);
    for_all_kernels(check_same_weights);
}

/* ---- products -------------------------------------------------------------------------------- */

struct problem {
    struct product product;
    enum activation activation;
    int8_t *weights; /* [outputs, inputs] */
    float *steps;    /* [outputs] */
};

static float read_weights(const void *context, int64_t output, int8_t *weights, float *floats)
{
    const struct problem *problem = context;
    int64_t inputs = problem->product.shape.inputs;
    memset(floats, 0x55, (size_t)inputs * sizeof *floats);
    memcpy(weights, problem->weights + output * inputs, (size_t)inputs);
    return problem->steps[output];
}

static struct problem make_problem(int round)
{
    static const enum activation activations[] = {ACTIVATION_GELU, ACTIVATION_GELU_COARSE,
                                                  ACTIVATION_LINEAR, ACTIVATION_RELU};
    struct problem problem = {product_make(round, 700), activations[round % 4], NULL, NULL};
    const struct gemm_shape *shape = &problem.product.shape;
    problem.weights = allocate(shape->outputs * shape->inputs);
    for (int64_t i = 0; i < shape->outputs * shape->inputs; i++)
        problem.weights[i] = (int8_t)random_between(-127, 127);
    problem.steps = random_floats(shape->outputs);
    return problem;
}

static void free_problem(struct problem *problem)
{
    product_free(&problem->product);
    free(problem->weights);
    free(problem->steps);
}

/* Rows first .. first + rows - 1 of the output, in a new buffer of all rows; 0 threads: none */
static float *run(const struct problem *problem, const struct kernels *kernels, int threads,
                  int64_t first, int64_t rows)
{
    const struct product *p = &problem->product;
    struct pool *pool = pool_open(threads ? threads : 1, NULL);
    assert_non_null(pool);
    float *memory = random_floats(int8_packed_floats(kernels, &p->shape));
    float *pack_scratch =
        random_floats(pool_threads(pool) * int8_pack_floats(kernels, p->shape.inputs));
    float *scratch = random_floats(pool_threads(pool) * INT8_THREAD_FLOATS);
    float *out = random_floats(p->rows * p->out_stride);
    struct int8_weights weights =
        int8_pack(kernels, &p->shape, read_weights, problem, p->bias ? p->offsets : NULL, memory,
                  pack_scratch, pool);
    struct gemm_input input = product_input(p, first, rows);
    struct gemm_output output = product_output(p, out, first, problem->activation);
    int8_run(&weights, threads ? pool : NULL, &input, &output, scratch);
    pool_close(pool);
    free(memory);
    free(pack_scratch);
    free(scratch);
    return out;
}

static double activated(enum activation which, double x)
{
    switch (which) {
    case ACTIVATION_GELU:
    case ACTIVATION_GELU_COARSE:
        return x * (0.5 + 0.5 * erf(x / sqrt(2)));
    case ACTIVATION_RELU:
        return fmax(x, 0);
    default:
        return x;
    }
}

static void check_values(const struct problem *problem, const struct kernels *kernels,
                         const float *out)
{
    const struct product *p = &problem->product;
    double coarse = problem->activation == ACTIVATION_GELU_COARSE ? 2e-4 : 0;
    int64_t columns = p->shape.outputs / p->shape.groups;
    uint8_t bytes[4096];
    struct int8_scale scale;
    for (int64_t i = 0; i < p->rows; i++) {
        for (int64_t j = 0; j < p->shape.outputs; j++) {
            double sum = 0, size = 1;
            if (j % columns == 0)
                quantise(kernels, p->input + i * p->stride * p->frame + j / columns * p->tap_length,
                         p->taps, p->tap_length, p->frame, bytes, &scale);
            for (int64_t k = 0; k < p->shape.inputs; k++) {
                double term = (double)value_of(kernels, bytes[k], scale) * problem->steps[j] *
                              problem->weights[j * p->shape.inputs + k];
                sum += term;
                size += fabs(term);
            }
            sum = activated(problem->activation, sum + (p->bias ? p->offsets[j] : 0));
            sum += p->residual ? p->rest[i * p->out_stride + j] : 0;
            assert_true(fabs(out[i * p->out_stride + j] - sum) <= 2e-6 * size + coarse);
        }
    }
}

static void check_products(const struct kernels *kernels)
{
    for (int round = 0; round < 32; round++) {
        struct problem problem = make_problem(round);
        const struct product *p = &problem.product;
        float *out = run(&problem, kernels, 0, 0, p->rows);
        check_values(&problem, kernels, out);
        /* On more threads, and cut anywhere: the same bits. */
        int64_t cut = random_between(0, p->rows - 1);
        float *head = run(&problem, kernels, 3, 0, cut);
        float *tail = run(&problem, kernels, 2, cut, p->rows - cut);
        for (int64_t i = 0; i < p->rows; i++)
            assert_true(product_same_row(p, out, i < cut ? head : tail, i));
        free(out);
        free(head);
        free(tail);
        free_problem(&problem);
    }
}

static void test_products(void **state)
{
    (void)state;
    for_all_kernels(check_products);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiles),
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_rounded_weights),
        cmocka_unit_test(test_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

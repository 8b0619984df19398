/* SPDX-License-Identifier: MIT */
/* Activations, norms and softmax of every set of kernels against double precision. */
#include "kernel_test.h"
#include "nn/moments.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static float random_float(void)
{
    return (float)random_number() / (float)(1u << 30) - 1.0f;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double reference(enum activation which, double x)
{
    switch (which) {
    case ACTIVATION_GELU:
    case ACTIVATION_GELU_COARSE:
        return x * erfc(-x / sqrt(2)) / 2;
    case ACTIVATION_GELU_TANH:
        return x * (1 + tanh(sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x))) / 2;
    case ACTIVATION_GELU_CLIPPED:
        return fmax(fmin(x * erfc(-x / sqrt(2)) / 2, 10), -10);
    case ACTIVATION_QUICK_GELU:
        return x * sigmoid(1.702 * x);
    case ACTIVATION_RELU:
        return fmax(x, 0);
    case ACTIVATION_RELU6:
        return fmin(fmax(x, 0), 6);
    case ACTIVATION_RELU_SQUARED:
        return fmax(x, 0) * fmax(x, 0);
    case ACTIVATION_LEAKY_RELU:
        return x > 0 ? x : 0.01 * x;
    case ACTIVATION_SILU:
        return x * sigmoid(x);
    case ACTIVATION_MISH:
        return x * tanh(log1p(exp(x)));
    case ACTIVATION_HARDSWISH:
        return x * fmin(fmax(x + 3, 0), 6) / 6;
    case ACTIVATION_LAPLACE:
        return erfc(-(x - 0.707107) / (0.282095 * sqrt(2))) / 2;
    case ACTIVATION_SQRT_SOFTPLUS:
        return sqrt(x > 20 ? x : log1p(exp(x)));
    case ACTIVATION_TANH:
        return tanh(x);
    case ACTIVATION_SIGMOID:
        return sigmoid(x);
    case ACTIVATION_LINEAR:
        break;
    }
    return x;
}

enum { POINTS = 40003 };

static void check_activations(const struct kernels *kernels)
{
    float *x = malloc(POINTS * sizeof *x), *y = malloc(POINTS * sizeof *y);
    assert_true(x && y);
    for (int i = 0; i < POINTS; i++)
        x[i] = (i - POINTS / 2) * 1e-3f;
    x[0] = -1e4f;
    x[1] = 1e4f;
    x[2] = -0.0f;
    for (int which = ACTIVATION_GELU; which <= ACTIVATION_GELU_COARSE; which++) {
        memcpy(y, x, POINTS * sizeof *x);
        struct gemm_finish finish = {.c = y, .rows = 1, .columns = POINTS};
        finish.activation = (enum activation)which;
        kernels->finish(&finish);
        for (int i = 0; i < POINTS; i++) {
            double expected = reference(finish.activation, x[i]);
            /* A float's step near 1 times x, as long as the function bends. */
            double allowed = 4e-7 * fmax(1, fabs(expected)) + 2e-7 * fmin(fabs(x[i]), 6);
            if (which == ACTIVATION_GELU_COARSE)
                allowed += 2e-4 + 4e-7 * fabs(x[i]);
            if (!(fabs(y[i] - expected) <= allowed))
                fail_msg("%s: activation %d of %g is %.9g, not %.9g", kernels->name, which,
                         (double)x[i], (double)y[i], expected);
        }
    }
    free(x);
    free(y);
}

static void test_activations(void **state)
{
    (void)state;
    for_all_kernels(check_activations);
}

static void check_finish(const struct kernels *kernels)
{
    enum { ROWS = 3, STRIDE = 90 };
    for (int columns = 1; columns <= 70; columns++) {
        float c[ROWS * STRIDE], before[ROWS * STRIDE], residual[ROWS * STRIDE], bias[STRIDE];
        for (int i = 0; i < ROWS * STRIDE; i++) {
            before[i] = c[i] = random_float();
            residual[i] = random_float();
            bias[i % STRIDE] = random_float();
        }
        struct gemm_finish finish = {c,    STRIDE,          ROWS,     columns,
                                     bias, ACTIVATION_RELU, residual, STRIDE};
        kernels->finish(&finish);
        for (int i = 0; i < ROWS * STRIDE; i++) {
            float sum = before[i] + bias[i % STRIDE];
            float expected = (sum > 0 ? sum : 0) + residual[i];
            assert_true(c[i] == (i % STRIDE < columns ? expected : before[i]));
        }
    }
}

static void test_finish_keeps_to_its_columns(void **state)
{
    (void)state;
    for_all_kernels(check_finish);
}

static void check_norm(const struct kernels *kernels)
{
    for (int count = 1; count <= 200; count++) {
        float in[201], out[201], gain[200], offset[200];
        double mean = 0, variance = 0;
        for (int i = 0; i < count; i++) {
            in[i] = 3 + random_float() * (float)count;
            gain[i] = random_float();
            offset[i] = random_float();
            mean += in[i] / (double)count;
        }
        for (int i = 0; i < count; i++)
            variance += (in[i] - mean) * (in[i] - mean) / count;
        out[count] = 42;
        bool affine = count % 4;
        struct norm norm = {affine ? gain : NULL, affine ? offset : NULL, 1e-5f,
                            count % 2 ? ACTIVATION_TANH : ACTIVATION_LINEAR};
        kernels->layer_norm(&norm, in, out, count);
        for (int i = 0; i < count; i++) {
            double expected = (in[i] - mean) / sqrt(variance + 1e-5);
            if (affine)
                expected = expected * gain[i] + offset[i];
            assert_true(fabs(out[i] - reference(norm.activation, expected)) <= 4e-6);
        }
        assert_true(out[count] == 42);
        kernels->layer_norm(&norm, in, in, count);
        assert_memory_equal(in, out, (size_t)count * sizeof *in);
    }
}

static void test_layer_norm(void **state)
{
    (void)state;
    for_all_kernels(check_norm);
}

static void check_softmax(const struct kernels *kernels)
{
    for (int count = 1; count <= 150; count++) {
        float in[151], out[151];
        double sum = 0, greatest = -1e9;
        for (int i = 0; i < count; i++) {
            in[i] = random_float() * (count % 3 ? 30.0f : 1000.0f);
            greatest = fmax(greatest, in[i]);
        }
        for (int i = 0; i < count; i++)
            sum += exp(in[i] - greatest);
        out[count] = in[count] = 42;
        kernels->log_softmax(in, out, count);
        for (int i = 0; i < count; i++) {
            double expected = in[i] - greatest - log(sum);
            assert_true(fabs(out[i] - expected) <= 1e-6 * fmax(1, fabs(expected)));
        }
        float before[151];
        memcpy(before, in, sizeof in);
        kernels->scale(in, 1.0f / kernels->exponentials(in, count), in, count);
        for (int i = 0; i < count; i++)
            assert_true(fabs(in[i] - exp(before[i] - greatest) / sum) <= 3e-7);
        assert_true(in[count] == 42 && out[count] == 42);
    }
}

static void test_softmax(void **state)
{
    (void)state;
    for_all_kernels(check_softmax);
}

/* The moments of a convolution's output, against the output itself. */
static void test_moments(void **state)
{
    (void)state;
    enum { FRAMES = 501, KERNEL = 10, STRIDE = 5, SAMPLES = (FRAMES - 1) * STRIDE + KERNEL };
    static float samples[SAMPLES];
    double memory[KERNEL + KERNEL * KERNEL], outputs[FRAMES];
    float weights[KERNEL];
    assert_int_equal(conv_moments_doubles(KERNEL), sizeof memory / sizeof *memory);
    struct conv_moments moments = {KERNEL, STRIDE, memory, memory + KERNEL};
    for (int round = 0; round < 20; round++) {
        int frames = round % 4 ? FRAMES : 1 + round;
        for (int i = 0; i < SAMPLES; i++)
            samples[i] = random_float() + (round % 3 ? 0.0f : 1000.0f);
        conv_moments_measure(&moments, samples, frames);
        double sum = 0, squares = 0, mean, variance;
        for (int k = 0; k < KERNEL; k++)
            weights[k] = random_float();
        for (int t = 0; t < frames; t++) {
            outputs[t] = 0;
            for (int k = 0; k < KERNEL; k++)
                outputs[t] += (double)weights[k] * samples[t * STRIDE + k];
            sum += outputs[t];
        }
        for (int t = 0; t < frames; t++)
            squares += (outputs[t] - sum / frames) * (outputs[t] - sum / frames);
        conv_moments_channel(&moments, weights, &mean, &variance);
        assert_true(fabs(mean - sum / frames) <= 1e-10 * fmax(1, fabs(mean)));
        assert_true(fabs(variance - squares / frames) <= 1e-9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activations), cmocka_unit_test(test_finish_keeps_to_its_columns),
        cmocka_unit_test(test_layer_norm),  cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "nn/kernel_activation.h"
#include "nn/kernel_set.h"

#include <float.h>
#include <stddef.h>

enum { FINISH_COLUMNS = 512 /* that a bias of zeros serves at a time */ };

/* ---- activations ----------------------------------------------------------------------------- */

/* c = activation(c + bias) + residual on one row; residual may be NULL. */
INLINE void finish_row(const enum activation which, float *c, const float *bias,
                       const float *residual, int64_t count)
{
    int64_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES) {
        vector x = activate(which, vector_load(c + i) + vector_load(bias + i));
        if (residual)
            x = x + vector_load(residual + i);
        vector_store(c + i, x);
    }
    if (i < count) {
        vector x = vector_load_partial(c + i, count - i);
        x = activate(which, x + vector_load_partial(bias + i, count - i));
        if (residual)
            x = x + vector_load_partial(residual + i, count - i);
        vector_store_partial(c + i, x, count - i);
    }
}

INLINE void finish_rows(const enum activation which, const struct gemm_finish *finish)
{
    for (int64_t i = 0; i < finish->rows; i++)
        finish_row(which, finish->c + i * finish->c_stride, finish->bias,
                   finish->residual ? finish->residual + i * finish->residual_stride : NULL,
                   finish->columns);
}

/* A loop for each function, so that none asks which it is for every value. */
#define CASE(name)                                                                                 \
    case ACTIVATION_##name:                                                                        \
        finish_rows(ACTIVATION_##name, finish);                                                    \
        break

static void finish_with_bias(const struct gemm_finish *finish)
{
    switch (finish->activation) {
        CASE(GELU);
        CASE(GELU_TANH);
        CASE(GELU_CLIPPED);
        CASE(QUICK_GELU);
        CASE(RELU);
        CASE(RELU6);
        CASE(RELU_SQUARED);
        CASE(LEAKY_RELU);
        CASE(SILU);
        CASE(MISH);
        CASE(HARDSWISH);
        CASE(LAPLACE);
        CASE(SQRT_SOFTPLUS);
        CASE(TANH);
        CASE(SIGMOID);
        CASE(LINEAR);
        CASE(GELU_COARSE);
    }
}

void KERNEL(finish)(const struct gemm_finish *finish)
{
    static const float zeros[FINISH_COLUMNS];
    if (finish->bias) {
        finish_with_bias(finish);
        return;
    }
    struct gemm_finish part = *finish;
    part.bias = zeros;
    for (int64_t j = 0; j < finish->columns; j += FINISH_COLUMNS) {
        part.c = finish->c + j;
        part.residual = finish->residual ? finish->residual + j : NULL;
        part.columns = finish->columns - j < FINISH_COLUMNS ? finish->columns - j : FINISH_COLUMNS;
        finish_with_bias(&part);
    }
}

/* ---- layer norm ------------------------------------------------------------------------------ */

static float sum_of(const float *values, int64_t count)
{
    vector sum = vector_set(0.0f);
    int64_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES)
        sum = sum + vector_load(values + i);
    if (i < count)
        sum = sum + vector_load_partial(values + i, count - i);
    return vector_sum(sum);
}

/* out = in - mean, and the sum of its squares */
static float center(const float *in, float *out, int64_t count, float mean)
{
    const vector shift = vector_set(mean);
    vector sum = vector_set(0.0f);
    int64_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES) {
        vector x = vector_load(in + i) - shift;
        vector_store(out + i, x);
        sum = vector_fma(x, x, sum);
    }
    if (i < count) {
        vector_store_partial(out + i, vector_load_partial(in + i, count - i) - shift, count - i);
        vector x = vector_load_partial(out + i, count - i);
        sum = vector_fma(x, x, sum);
    }
    return vector_sum(sum);
}

static void scale_and_shift(float *values, int64_t count, float factor, const struct norm *norm)
{
    const vector factors = vector_set(factor);
    int64_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES) {
        vector x = vector_load(values + i) * factors;
        x = vector_fma(x, vector_load(norm->gain + i), vector_load(norm->offset + i));
        vector_store(values + i, x);
    }
    for (; i < count; i++)
        values[i] = values[i] * factor * norm->gain[i] + norm->offset[i];
}

void KERNEL(layer_norm)(const struct norm *norm, const float *in, float *out, int64_t count)
{
    float mean = sum_of(in, count) / (float)count;
    float variance = center(in, out, count, mean) / (float)count;
    float factor = 1.0f / sqrtf(variance + norm->epsilon);
    if (norm->gain)
        scale_and_shift(out, count, factor, norm);
    else
        KERNEL(scale)(out, factor, out, count);
    if (norm->activation != ACTIVATION_LINEAR) {
        struct gemm_finish finish = {.c = out, .rows = 1, .columns = count};
        finish.activation = norm->activation;
        KERNEL(finish)(&finish);
    }
}

/* ---- softmax --------------------------------------------------------------------------------- */

static float greatest_of(const float *values, int64_t count)
{
    vector most = vector_set(-FLT_MAX);
    int64_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES)
        most = vector_max(most, vector_load(values + i));
    float greatest = vector_greatest(most);
    for (; i < count; i++)
        greatest = values[i] > greatest ? values[i] : greatest;
    return greatest;
}

/* The sum of exp(in - shift); out, unless NULL, gets the terms. */
static float sum_of_exp(const float *in, float *out, int64_t count, float shift)
{
    vector sum = vector_set(0.0f);
    int64_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES) {
        vector x = vector_exp(vector_load(in + i) - vector_set(shift));
        sum = sum + x;
        if (out)
            vector_store(out + i, x);
    }
    if (i < count) {
        float tail[VECTOR_LANES];
        vector x = vector_exp(vector_load_partial(in + i, count - i) - vector_set(shift));
        vector_store(tail, x);
        sum = sum + vector_load_partial(tail, count - i);
        if (out)
            vector_store_partial(out + i, x, count - i);
    }
    return vector_sum(sum);
}

float KERNEL(exponentials)(float *values, int64_t count)
{
    return sum_of_exp(values, values, count, greatest_of(values, count));
}

void KERNEL(scale)(const float *from, float factor, float *to, int64_t count)
{
    int64_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES)
        vector_store(to + i, vector_load(from + i) * vector_set(factor));
    for (; i < count; i++)
        to[i] = from[i] * factor;
}

void KERNEL(log_softmax)(const float *in, float *out, int64_t count)
{
    float greatest = greatest_of(in, count);
    float log_sum = logf(sum_of_exp(in, NULL, count, greatest));
    for (int64_t i = 0; i < count; i++)
        out[i] = (in[i] - greatest) - log_sum;
}

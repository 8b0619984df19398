/* SPDX-License-Identifier: MIT */
#include "nn/kernel_activation.h"
#include "nn/kernel_set.h"

#include <float.h>
#include <stddef.h>

/* ---- activations ----------------------------------------------------------------------------- */

INLINE void activate_all(const enum activation which, float *values, int64_t count)
{
    int64_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES)
        vector_store(values + i, activate(which, vector_load(values + i)));
    if (i < count) {
        vector x = activate(which, vector_load_partial(values + i, count - i));
        vector_store_partial(values + i, x, count - i);
    }
}

/* A loop for each function, so that none asks which it is for every value. */
#define CASE(name)                                                                                 \
    case ACTIVATION_##name:                                                                        \
        activate_all(ACTIVATION_##name, values, count);                                            \
        break

static void activate_values(enum activation which, float *values, int64_t count)
{
    switch (which) {
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
    case ACTIVATION_LINEAR:
        break;
    }
}

/* ---- what follows a product ------------------------------------------------------------------ */

static void add(float *to, const float *values, int64_t count)
{
    int64_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES)
        vector_store(to + i, vector_load(to + i) + vector_load(values + i));
    for (; i < count; i++)
        to[i] += values[i];
}

void KERNEL(finish)(const struct gemm_finish *finish)
{
    for (int64_t i = 0; i < finish->rows; i++) {
        float *c = finish->c + i * finish->c_stride;
        if (finish->bias)
            add(c, finish->bias, finish->columns);
        activate_values(finish->activation, c, finish->columns);
        if (finish->residual)
            add(c, finish->residual + i * finish->residual_stride, finish->columns);
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

static void scale(float *values, int64_t count, float factor, const struct norm *norm)
{
    const vector factors = vector_set(factor);
    int64_t i = 0;
    if (!norm->gain) {
        for (; i < count; i++)
            values[i] *= factor;
        return;
    }
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
    scale(out, count, 1.0f / sqrtf(variance + norm->epsilon), norm);
    activate_values(norm->activation, out, count);
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

void KERNEL(softmax)(float *values, int64_t count)
{
    float sum = sum_of_exp(values, values, count, greatest_of(values, count));
    const float scale = 1.0f / sum;
    for (int64_t i = 0; i < count; i++)
        values[i] *= scale;
}

void KERNEL(log_softmax)(const float *in, float *out, int64_t count)
{
    float greatest = greatest_of(in, count);
    float log_sum = logf(sum_of_exp(in, NULL, count, greatest));
    for (int64_t i = 0; i < count; i++)
        out[i] = (in[i] - greatest) - log_sum;
}

/* SPDX-License-Identifier: MIT */
#include "nn/kernel_activation.h"
#include "nn/kernel_set.h"

#include <float.h>
#include <stddef.h>

/* One vector of finish(): `count` is VECTOR_LANES, or fewer at a row's end. */
INLINE void finish_vector(const enum activation which, float *c, const float *bias,
                          const float *residual, int64_t count)
{
    const bool whole = count >= VECTOR_LANES;
    vector x = whole ? vector_load(c) : vector_load_partial(c, count);
    if (bias)
        x = x + (whole ? vector_load(bias) : vector_load_partial(bias, count));
    x = activate(which, x);
    if (residual)
        x = x + (whole ? vector_load(residual) : vector_load_partial(residual, count));
    if (whole)
        vector_store(c, x);
    else
        vector_store_partial(c, x, count);
}

INLINE void finish_rows(const enum activation which, const struct gemm_finish *finish)
{
    const float *bias = finish->bias;
    for (int64_t i = 0; i < finish->rows; i++) {
        float *c = finish->c + i * finish->c_stride;
        const float *residual = finish->residual;
        if (residual)
            residual += i * finish->residual_stride;
        int64_t j = 0;
        for (; j + VECTOR_LANES <= finish->columns; j += VECTOR_LANES)
            finish_vector(which, c + j, bias ? bias + j : NULL, residual ? residual + j : NULL,
                          VECTOR_LANES);
        if (j < finish->columns)
            finish_vector(which, c + j, bias ? bias + j : NULL, residual ? residual + j : NULL,
                          finish->columns - j);
    }
}

void KERNEL(finish)(const struct gemm_finish *finish)
{
#define FINISH(which) finish_rows(which, finish)
    ACTIVATION_SWITCH(finish->activation, FINISH)
#undef FINISH
}

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

INLINE void scale_vector(const enum activation which, const struct norm *norm, float *out,
                         int64_t at, vector scale, int64_t count)
{
    const bool whole = count >= VECTOR_LANES;
    vector x = (whole ? vector_load(out + at) : vector_load_partial(out + at, count)) * scale;
    if (norm->gain) {
        const float *gain = norm->gain + at, *offset = norm->offset + at;
        x = vector_fma(x, whole ? vector_load(gain) : vector_load_partial(gain, count),
                       whole ? vector_load(offset) : vector_load_partial(offset, count));
    }
    x = activate(which, x);
    if (whole)
        vector_store(out + at, x);
    else
        vector_store_partial(out + at, x, count);
}

INLINE void scale_row(const enum activation which, const struct norm *norm, float *out,
                      int64_t count, float deviation)
{
    const vector scale = vector_set(1.0f / deviation);
    int64_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES)
        scale_vector(which, norm, out, i, scale, VECTOR_LANES);
    if (i < count)
        scale_vector(which, norm, out, i, scale, count - i);
}

void KERNEL(layer_norm)(const struct norm *norm, const float *in, float *out, int64_t count)
{
    float mean = sum_of(in, count) / (float)count;
    float variance = center(in, out, count, mean) / (float)count;
    float deviation = sqrtf(variance + norm->epsilon);
#define SCALE(which) scale_row(which, norm, out, count, deviation)
    ACTIVATION_SWITCH(norm->activation, SCALE)
#undef SCALE
}

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

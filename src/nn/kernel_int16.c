/* SPDX-License-Identifier: MIT */
#include "nn/kernel_set.h"

#if INT16

#include "nn/kernel_dot.h"

#include <float.h>

/* ---- products -------------------------------------------------------------------------------- */

DOT_FUNCTIONS(sums_dot_words);

void KERNEL(int16_tile)(const struct int16_tile *tile)
{
    const struct dot dot = {tile->a, 2 * tile->row_stride, tile->pairs, tile->b, 4 * tile->step};
    sums sum[INT8_ROWS * INT8_VECTORS];
    dot_functions[tile->rows - 1][tile->vectors - 1](&dot, sum);
    for (int i = 0; i < tile->rows; i++)
        for (int j = 0; j < tile->vectors; j++)
            sums_store(tile->sums + i * tile->sums_stride + j * VECTOR_LANES,
                       sum[i * tile->vectors + j]);
}

void KERNEL(int16_scale)(const int32_t *sum, float factor, float *to, int64_t count)
{
    int64_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES)
        vector_store(to + i, sums_to_floats(sums_load(sum + i)) * vector_set(factor));
    for (; i < count; i++)
        to[i] = (float)sum[i] * factor;
}

/* ---- words ----------------------------------------------------------------------------------- */

static float greatest_magnitude(const float *values, int64_t count)
{
    vector most = vector_set(0.0f);
    int64_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES) {
        vector x = vector_load(values + i);
        most = vector_max(most, vector_max(x, vector_set(0.0f) - x));
    }
    if (i < count) {
        vector x = vector_load_partial(values + i, count - i);
        most = vector_max(most, vector_max(x, vector_set(0.0f) - x));
    }
    return vector_greatest(most);
}

float KERNEL(int16_round)(const float *values, int64_t count, int levels, int16_t *words)
{
    float most = greatest_magnitude(values, count);
    const vector factor = vector_set(most >= FLT_MIN ? (float)levels / most : 0);
    int64_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES)
        words_store(words + i, vector_load(values + i) * factor);
    if (i < count) {
        int16_t tail[VECTOR_LANES];
        words_store(tail, vector_load_partial(values + i, count - i) * factor);
        memcpy(words + i, tail, (size_t)(count - i) * sizeof *tail);
    }
    return most / (float)levels;
}

/* ---- softmax --------------------------------------------------------------------------------- */

/* 2ˣ for x <= 0 within 3e-6 of it; x below -125 gives about 2e-38. */
INLINE vector power_of_two(vector x)
{
    const vector magic = vector_set(12582912.0f); /* 1.5 × 2²³ leaves no room for a fraction */
    x = vector_max(x, vector_set(-125.0f));
    vector shifted = x + magic;
    vector r = x - (shifted - magic);
    /* fitted for |r| <= 1/2 */
    vector p = vector_set(0.009570101909119421f);
    p = vector_fma(p, r, vector_set(0.055917860319232585f));
    p = vector_fma(p, r, vector_set(0.24024744827914374f));
    p = vector_fma(p, r, vector_set(0.6931218147367186f));
    p = vector_fma(p, r, vector_set(0.9999992614456967f));
    return vector_add_exponent(p, shifted);
}

/* terms = steps × sums; returns the greatest. */
static float scale_scores(const struct int16_scores *scores)
{
    vector most = vector_set(-FLT_MAX);
    int64_t i = 0;
    for (; i + VECTOR_LANES <= scores->count; i += VECTOR_LANES) {
        vector x = sums_to_floats(sums_load(scores->sums + i)) * vector_load(scores->key_steps + i);
        vector_store(scores->terms + i, x);
        most = vector_max(most, x);
    }
    float greatest = vector_greatest(most);
    for (; i < scores->count; i++) {
        float x = (float)scores->sums[i] * scores->key_steps[i];
        scores->terms[i] = x;
        greatest = x > greatest ? x : greatest;
    }
    return greatest;
}

float KERNEL(int16_softmax)(const struct int16_scores *scores)
{
    const vector factor = vector_set(scores->factor);
    const vector shift = vector_set(-scores->factor * scale_scores(scores));
    float *terms = scores->terms;
    vector sum = vector_set(0.0f), weighted = sum;
    int64_t i = 0, left = scores->count % VECTOR_LANES;
    for (; i + VECTOR_LANES <= scores->count; i += VECTOR_LANES) {
        vector x = power_of_two(vector_fma(vector_load(terms + i), factor, shift));
        sum = sum + x;
        x = x * vector_load(scores->value_steps + i);
        weighted = weighted + x;
        vector_store(terms + i, x);
    }
    if (left) {
        float tail[VECTOR_LANES];
        vector_store(tail,
                     power_of_two(vector_fma(vector_load_partial(terms + i, left), factor, shift)));
        vector x = vector_load_partial(tail, left);
        sum = sum + x;
        x = x * vector_load_partial(scores->value_steps + i, left);
        weighted = weighted + x;
        vector_store(terms + i, x);
    }
    float total = vector_sum(weighted);
    const vector whole = vector_set(total > 0 ? INT16_MAX / total : 0);
    for (i = 0; i < scores->count; i += VECTOR_LANES)
        words_store(scores->words + i, vector_load(terms + i) * whole);
    return total / (INT16_MAX * vector_sum(sum));
}

#endif

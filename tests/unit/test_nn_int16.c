/* SPDX-License-Identifier: MIT */
/*
 * The parts of attention in 16-bit integers, of every set of kernels that has them, against whole
 * numbers summed one by one and against double precision.
 */
#include "kernel_test.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- products -------------------------------------------------------------------------------- */

/* Sums of any words, or the greatest that 32 bits hold. */
static void check_tile(const struct kernels *kernels, bool greatest, int rows, int vectors)
{
    int64_t width = vectors * kernels->lanes, step = width + random_between(0, 5);
    int64_t pairs = greatest ? 32 : random_between(1, 40), row_stride = 2 * pairs + 3;
    int64_t most = greatest ? 5792 : 4000, sums_stride = width + 2; /* 64 × 5792² < 2³¹ */
    int16_t *a = allocate(rows * row_stride * 2), *b = allocate(pairs * step * 4);
    int32_t *sums = allocate(rows * sums_stride * 4);
    for (int64_t i = 0; i < rows * row_stride; i++)
        a[i] = (int16_t)(greatest ? most : random_between(-most, most));
    for (int64_t i = 0; i < pairs * step * 2; i++)
        b[i] = (int16_t)(greatest ? (i / 2 % 2 ? most : -most) : random_between(-most, most));
    for (int64_t i = 0; i < rows * sums_stride; i++)
        sums[i] = 77;
    kernels->int16->tile(
        &(struct int16_tile){a, row_stride, pairs, b, step, sums, sums_stride, rows, vectors});
    for (int i = 0; i < rows; i++) {
        for (int64_t j = 0; j < width; j++) {
            int64_t sum = 0;
            for (int64_t k = 0; k < 2 * pairs; k++)
                sum += (int64_t)a[i * row_stride + k] * b[(k / 2 * step + j) * 2 + k % 2];
            assert_true(sums[i * sums_stride + j] == sum);
        }
        assert_true(sums[i * sums_stride + width] == 77);
    }
    free(a);
    free(b);
    free(sums);
}

static void check_tiles(const struct kernels *kernels)
{
    for (int rows = 1; kernels->int16 && rows <= kernels->int8_rows; rows++) {
        for (int vectors = 1; vectors <= kernels->int8_panel / kernels->lanes; vectors++) {
            check_tile(kernels, false, rows, vectors);
            check_tile(kernels, true, rows, vectors);
        }
    }
}

static void check_scale(const struct kernels *kernels)
{
    for (int count = 1; kernels->int16 && count < 70; count++) {
        int32_t sums[70];
        float scaled[70];
        for (int i = 0; i < 70; i++) {
            sums[i] = (int32_t)random_number() - (1 << 30);
            scaled[i] = 77;
        }
        kernels->int16->scale(sums, 0.25f, scaled, count);
        for (int i = 0; i < 70; i++)
            assert_true(scaled[i] == (i < count ? (float)sums[i] * 0.25f : 77));
    }
}

static void test_products(void **state)
{
    (void)state;
    for_all_kernels(check_tiles);
    for_all_kernels(check_scale);
}

/* ---- words ----------------------------------------------------------------------------------- */

static void check_words(const struct kernels *kernels)
{
    for (int round = 0; kernels->int16 && round < 300; round++) {
        int64_t count = random_between(1, 140);
        int levels = (int)random_between(1, INT16_MAX);
        float *values = random_floats(count), most = 0;
        int16_t words[141];
        words[count] = 77;
        for (int64_t i = 0; i < count; i++) {
            values[i] = round % 9 ? values[i] * (round % 3 ? 1e3f : 1e-3f) : 0.0f;
            most = fmaxf(most, fabsf(values[i]));
        }
        float step = kernels->int16->round(values, count, levels, words);
        assert_true(fabsf(step * (float)levels - most) <= 1e-6f * most);
        for (int64_t i = 0; i < count; i++) {
            assert_in_range(words[i] + levels, 0, 2 * levels);
            assert_true(fabsf((float)words[i] * step - values[i]) <= 0.5f * step + 1e-6f * most);
        }
        assert_int_equal(words[count], 77);
        free(values);
    }
}

static void test_words(void **state)
{
    (void)state;
    for_all_kernels(check_words);
}

/* ---- softmax --------------------------------------------------------------------------------- */

static void check_softmax(const struct kernels *kernels)
{
    for (int round = 0; kernels->int16 && round < 300; round++) {
        enum { MOST = 160 };
        int64_t count = random_between(1, MOST - 16);
        double scores[MOST], greatest = -1e300, sum = 0;
        int32_t sums[MOST];
        int16_t words[MOST];
        float terms[MOST], *key_steps = random_floats(MOST), *value_steps = random_floats(MOST);
        struct int16_scores job = {sums, key_steps, value_steps, 0, count, terms, words};
        job.factor = round % 5 ? (float)random_between(1, 2000) * 1e-9f : 0.0f;
        for (int64_t i = 0; i < count; i++) {
            sums[i] = (int32_t)random_number() - (1 << 30);
            value_steps[i] = round % 7 ? fabsf(value_steps[i]) : 0.0f;
            scores[i] = (double)job.factor * key_steps[i] * sums[i];
            greatest = fmax(greatest, scores[i]);
        }
        for (int64_t i = 0; i < count; i++)
            sum += exp2(scores[i] - greatest);
        double step = kernels->int16->softmax(&job);
        int64_t total = 0;
        for (int64_t i = 0; i < count; i++) {
            double expected = exp2(scores[i] - greatest) / sum * value_steps[i];
            /* what floats leave of a difference between scores, and 2ˣ's own error */
            double slack = (1e-5 + 1e-7 * (fabs(scores[i]) + fabs(greatest))) * expected;
            assert_true(fabs(words[i] * step - expected) <= 0.5001 * step + slack);
            total += words[i];
        }
        assert_true(total <= INT16_MAX + count / 2 + 1);
        for (int64_t i = count; i % kernels->lanes; i++)
            assert_int_equal(words[i], 0);
        free(key_steps);
        free(value_steps);
    }
}

static void test_softmax(void **state)
{
    (void)state;
    for_all_kernels(check_softmax);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_softmax),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

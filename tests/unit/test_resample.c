/* SPDX-License-Identifier: MIT */
#include "base/resample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int rates[] = {8000, 11025, 16000, 22050, 37777, 44100, 48000, 96000};
enum { RATES = sizeof rates / sizeof *rates, MODEL_RATE = 16000 };

/* Two tones that every rate can carry. */
static double tones(double seconds)
{
    return 0.5 * sin(2 * M_PI * 440 * seconds) + 0.3 * sin(2 * M_PI * 1234.5 * seconds + 1);
}

static float *make_tones(int rate, int64_t count)
{
    float *samples = malloc((size_t)count * sizeof *samples);
    for (int64_t i = 0; i < count; i++)
        samples[i] = (float)tones((double)i / rate);
    return samples;
}

/* The whole segment, `cut` samples at a time, 0: random. Returns the count. */
static int64_t run(struct resampler *r, const float *in, int64_t count, int64_t cut, float *out)
{
    int64_t made = 0;
    unsigned random = 7;
    while (count > 0) {
        random = random * 1103515245u + 12345u;
        int64_t n = cut ? cut : 1 + random / 65536 % 3000;
        if (n > count)
            n = count;
        int64_t now = resampler_push(r, in, n, out + made);
        assert_true(now >= 0 && now <= resampler_bound(r, n));
        made += now;
        in += n;
        count -= n;
    }
    int64_t rest = resampler_finish(r, out + made);
    assert_true(rest <= resampler_bound(r, 0));
    return made + rest;
}

static void count_and_place_are_exact(void **state)
{
    (void)state;
    for (int k = 0; k < RATES; k++) {
        struct resampler *r = resampler_open(rates[k], MODEL_RATE, NULL);
        assert_non_null(r);
        static const int64_t lengths[] = {1, 100, 5000, 48000};
        /* Segments one after another: none knows of the one before. */
        for (size_t i = 0; i < 4; i++) {
            int64_t count = lengths[i], expected = resample_position(count, rates[k], MODEL_RATE);
            float *in = make_tones(rates[k], count);
            float *out = malloc((size_t)(expected + 100000) * sizeof *out);
            assert_int_equal(run(r, in, count, 480, out), expected);
            /* Away from the edges, every sample is where it must be. */
            for (int64_t m = 400; m < expected - 400; m++)
                assert_true(fabs(out[m] - tones((double)m / MODEL_RATE)) < 2e-4);
            free(in);
            free(out);
        }
        resampler_close(r);
    }
}

static void any_cut_gives_the_same_samples(void **state)
{
    (void)state;
    static const int64_t cuts[] = {1, 160, 319, 4096, 0, 30011};
    enum { COUNT = 30011 };
    for (int k = 0; k < RATES; k++) {
        float *in = make_tones(rates[k], COUNT), *first = NULL;
        int64_t first_made = 0;
        for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
            struct resampler *r = resampler_open(rates[k], MODEL_RATE, NULL);
            float *out = malloc(200000 * sizeof *out);
            int64_t made = run(r, in, 100, cuts[i], out);
            made += run(r, in, COUNT, cuts[i], out + made);
            if (!first) {
                first = out;
                first_made = made;
            } else {
                assert_int_equal(made, first_made);
                assert_memory_equal(out, first, (size_t)made * sizeof *out);
                free(out);
            }
            resampler_close(r);
        }
        free(first);
        free(in);
    }
}

static void reset_is_like_new(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    for (int k = 0; k < RATES; k++) {
        struct resampler *r = resampler_open(rates[k], MODEL_RATE, NULL);
        float *in = make_tones(rates[k], COUNT);
        float *out = malloc(200000 * sizeof *out), *again = malloc(200000 * sizeof *again);
        int64_t made = run(r, in, COUNT, 333, out);
        resampler_push(r, in, 777, again);
        resampler_reset(r);
        assert_int_equal(run(r, in, COUNT, 333, again), made);
        assert_memory_equal(out, again, (size_t)made * sizeof *out);
        free(in);
        free(out);
        free(again);
        resampler_close(r);
    }
}

static void positions_are_rounded(void **state)
{
    (void)state;
    assert_int_equal(resample_position(0, 44100, 16000), 0);
    assert_int_equal(resample_position(441, 44100, 16000), 160);
    assert_int_equal(resample_position(2, 44100, 16000), 1);
    assert_int_equal(resample_position(INT64_C(1) << 40, 16000, 48000), INT64_C(3) << 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(count_and_place_are_exact),
        cmocka_unit_test(any_cut_gives_the_same_samples),
        cmocka_unit_test(reset_is_like_new),
        cmocka_unit_test(positions_are_rounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

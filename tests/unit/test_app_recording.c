/* SPDX-License-Identifier: MIT */
/* Levels, and recordings joined by pauses that sound like their rooms. */
#include "app/interval.h"
#include "app/recording.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RATE = 16000 };

/* A second of a tone in two seconds of noise. */
static struct recording record(float noise, float tone, int rate)
{
    struct recording recording = {.count = 3 * rate, .capacity = 3 * rate, .rate = rate};
    uint32_t state = (uint32_t)(noise * 1e6f); /* no two rooms have the same noise */
    recording.samples = malloc((size_t)recording.count * sizeof *recording.samples);
    assert_non_null(recording.samples);
    for (int64_t i = 0; i < recording.count; i++) {
        state = state * 1664525u + 1013904223u;
        double uniform = (double)(state >> 8) / 8388608.0 - 1.0;
        bool speaks = i >= rate && i < 2 * rate;
        recording.samples[i] = noise * (float)(sqrt(3) * uniform) +
                               (speaks ? tone * (float)(sqrt(2) * sin(0.3 * (double)i)) : 0);
    }
    return recording;
}

static float level(const struct recording *recording, double from, double to)
{
    double sum = 0;
    int64_t first = (int64_t)(from * recording->rate), last = (int64_t)(to * recording->rate);
    for (int64_t i = first; i < last; i++)
        sum += (double)recording->samples[i] * recording->samples[i];
    return (float)sqrt(sum / (double)(last - first));
}

static void assert_near(float value, float wanted, float ratio)
{
    assert_true(value > wanted / ratio && value < wanted * ratio);
}

static void levels_are_reached(void **state)
{
    (void)state;
    for (int dbfs = -60; dbfs <= -10; dbfs += 25) {
        struct recording recording = record(0.0001f, 0.05f, RATE);
        recording_set_level(&recording, dbfs);
        /* The louder half is a second of tone and half a second of noise. */
        float wanted = powf(10, (float)dbfs / 20) * sqrtf(1.5f);
        assert_near(level(&recording, 1, 2), wanted, 1.02f);
        recording_free(&recording);
    }
    struct recording silent = record(0, 0, RATE);
    recording_set_level(&silent, -20);
    assert_true(level(&silent, 0, 3) == 0);
    recording_free(&silent);
}

static void a_pause_sounds_like_its_rooms(void **state)
{
    (void)state;
    struct recording quiet = record(0.0004f, 0.2f, RATE), loud = record(0.001f, 0.2f, RATE);
    struct recording joined = {0};
    assert_true(recording_join(&joined, &quiet, 1000, NULL));
    assert_int_equal(joined.count, quiet.count);
    assert_true(recording_join(&joined, &loud, 1000, NULL));
    assert_int_equal(joined.count, quiet.count + loud.count + RATE);
    assert_near(level(&joined, 3.01, 3.11), 0.0004f, 1.4f);
    assert_near(level(&joined, 3.89, 3.99), 0.001f, 1.4f);
    /* Nowhere an edge: no 20 ms louder or softer than the rooms. */
    for (double at = 2; at < 4.97; at += 0.02) {
        float here = level(&joined, at, at + 0.02);
        assert_true(here > 0.0002f && here < 0.002f);
    }
    assert_near(level(&joined, 5.1, 5.9), 0.2f, 1.05f);
    recording_free(&quiet);
    recording_free(&loud);
    recording_free(&joined);
}

static void without_a_pause_they_fade_into_each_other(void **state)
{
    (void)state;
    struct recording a = record(0.01f, 0.2f, RATE), joined = {0};
    assert_true(recording_join(&joined, &a, 0, NULL) && recording_join(&joined, &a, 0, NULL));
    assert_int_equal(joined.count, 2 * a.count - RATE / 100);
    assert_near(level(&joined, 2.95, 3.05), 0.01f, 1.3f);
    recording_free(&a);
    recording_free(&joined);
}

/* All of it is speech: the pause must not be made of that. */
static void speech_is_no_room(void **state)
{
    (void)state;
    struct recording tone = record(0.2f, 0.2f, RATE), joined = {0};
    assert_true(recording_join(&joined, &tone, 500, NULL) &&
                recording_join(&joined, &tone, 500, NULL));
    assert_true(level(&joined, 3.1, 3.4) < 0.003f);
    recording_free(&tone);
    recording_free(&joined);
}

static void odd_recordings_are_joined_too(void **state)
{
    (void)state;
    struct recording a = record(0.01f, 0.2f, RATE), other = record(0.01f, 0.2f, 8000);
    struct recording joined = {0};
    struct utter_error error;
    assert_true(recording_join(&joined, &a, 100, NULL));
    for (int64_t count = 0; count < 400; count += 57) {
        a.count = count;
        assert_true(recording_join(&joined, &a, 100, NULL));
    }
    assert_false(recording_join(&joined, &other, 100, &error));
    assert_int_equal(error.code, UTTER_ERROR_UNSUPPORTED);
    recording_free(&a);
    recording_free(&other);
    recording_free(&joined);
}

static void intervals_of_ratios_hold_them(void **state)
{
    (void)state;
    struct share shares[100];
    for (int i = 0; i < 100; i++)
        shares[i] = (struct share){.part = i % 3 == 0, .whole = 10};
    struct interval interval = interval_of_ratio(shares, 100);
    assert_true(interval.low < 0.034 && 0.034 < interval.high);
    assert_true(interval.high - interval.low < 0.05);
    struct interval again = interval_of_ratio(shares, 100);
    assert_memory_equal(&interval, &again, sizeof interval);
    interval = interval_of_ratio(shares, 0);
    assert_true(interval.low == 0 && interval.high == 0);
}

static void intervals_of_quantiles_hold_them(void **state)
{
    (void)state;
    float values[1000];
    for (int i = 0; i < 1000; i++)
        values[i] = (float)i;
    /* The binomial's 95 %: 500 ± 31 of 1000. */
    struct interval interval = interval_of_quantile(values, 1000, 0.5);
    assert_true(interval.low >= 465 && interval.low <= 470);
    assert_true(interval.high >= 530 && interval.high <= 535);
    interval = interval_of_quantile(values, 3, 0.95);
    assert_true(interval.low >= 0 && interval.high == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_reached),
        cmocka_unit_test(a_pause_sounds_like_its_rooms),
        cmocka_unit_test(without_a_pause_they_fade_into_each_other),
        cmocka_unit_test(speech_is_no_room),
        cmocka_unit_test(odd_recordings_are_joined_too),
        cmocka_unit_test(intervals_of_ratios_hold_them),
        cmocka_unit_test(intervals_of_quantiles_hold_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

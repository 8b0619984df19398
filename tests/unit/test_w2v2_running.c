/* SPDX-License-Identifier: MIT */
/* Statistics of an utterance that grows are, at its end, those of the whole. */
#include "w2v2/running.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SAMPLES = 20000, STEPS = 7 };

struct fixture {
    struct checkpoint *checkpoint;
    struct pool *pool;
    struct w2v2 *w2v2;
    struct w2v2_workspace *workspace;
    struct w2v2_running *running;
    int64_t floats; /* of all features */
};

static void open_fixture(struct fixture *f, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, GOLDEN_DIRECTORY "/%s", name);
    f->checkpoint = checkpoint_open(path, NULL);
    assert_non_null(f->checkpoint);
    f->pool = pool_open(2, NULL);
    f->w2v2 = w2v2_open(f->checkpoint, f->pool, W2V2_PRECISION_STORED, NULL);
    assert_non_null(f->w2v2);
    f->workspace = w2v2_workspace_open(f->w2v2, SAMPLES, NULL);
    f->running = w2v2_running_open(f->w2v2, NULL);
    assert_true(f->workspace && f->running);
    const struct model_config *config = w2v2_config(f->w2v2);
    f->floats = config_frames(config, SAMPLES) * config->conv_dim[config->conv_layers - 1];
}

static void close_fixture(struct fixture *f)
{
    w2v2_running_close(f->running);
    w2v2_workspace_close(f->workspace);
    w2v2_close(f->w2v2);
    pool_close(f->pool);
    checkpoint_close(f->checkpoint);
}

/* Noise that grows louder, over an offset. */
static void fill(float *samples)
{
    uint32_t state = 7;
    for (int i = 0; i < SAMPLES; i++) {
        state = state * 1664525u + 1013904223u;
        samples[i] = 0.02f + ((float)(state >> 8) / 8388608.0f - 1.0f) * 0.3f * (float)i / SAMPLES;
    }
}

static void check_close(const float *values, const float *expected, int64_t count)
{
    float most = 0, scale = 1e-3f;
    for (int64_t i = 0; i < count; i++) {
        most = fmaxf(most, fabsf(values[i] - expected[i]));
        scale = fmaxf(scale, fabsf(expected[i]));
        assert_false(isnan(values[i]));
    }
    print_message("worst %g of %g\n", most, scale);
    assert_true(most <= 1e-5f * scale);
}

static void at_the_end_they_are_the_whole(void **state)
{
    (void)state;
    static const char *const names[] = {"base",        "group-plain", "group-stable", "group-deep",
                                        "hubert-base", "large",       "xlsr"};
    static float samples[SAMPLES];
    fill(samples);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct fixture f = {0};
        open_fixture(&f, names[i]);
        float *whole = malloc((size_t)f.floats * sizeof *whole);
        float *running = malloc((size_t)f.floats * sizeof *running);
        assert_true(whole && running);
        w2v2_features(f.w2v2, f.pool, f.workspace, samples, SAMPLES, whole);
        for (int round = 0; round < 2; round++) {
            w2v2_running_reset(f.running);
            for (int step = 1; step <= STEPS; step++) {
                w2v2_running_advance(f.running, samples, SAMPLES * step / STEPS);
                if (step == STEPS / 2) {
                    w2v2_running_features(f.running, f.pool, f.workspace, samples, SAMPLES,
                                          running);
                    assert_memory_not_equal(running, whole, (size_t)f.floats * sizeof *whole);
                }
            }
            w2v2_running_features(f.running, f.pool, f.workspace, samples, SAMPLES, running);
            check_close(running, whole, f.floats);
        }
        free(whole);
        free(running);
        close_fixture(&f);
    }
}

/* Silence has no variance, and no failure. */
static void silence_is_harmless(void **state)
{
    (void)state;
    static float samples[SAMPLES];
    struct fixture f = {0};
    open_fixture(&f, "base");
    float *features = malloc((size_t)f.floats * sizeof *features);
    assert_non_null(features);
    w2v2_running_reset(f.running);
    w2v2_running_advance(f.running, samples, SAMPLES);
    w2v2_running_features(f.running, f.pool, f.workspace, samples, SAMPLES, features);
    for (int64_t i = 0; i < f.floats; i++)
        assert_true(isfinite(features[i]));
    free(features);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_the_end_they_are_the_whole),
        cmocka_unit_test(silence_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

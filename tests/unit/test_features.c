/* SPDX-License-Identifier: MIT */
#include "stream/features.h"

#include "voice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { FRAMES = 500, HOP = 20, RIGHT = 40, STEADY = 100 /* frames: 2 s */ };

struct fixture {
    struct voice_model model; /* aborts when a settled frame is asked for */
    struct acoustic acoustic;
    struct audio audio;
    struct features features;
};

static void open_fixture(struct fixture *f, bool local)
{
    int64_t samples = (int64_t)(FRAMES + 2) * VOICE_FRAME;
    *f = (struct fixture){.model.local = local};
    f->acoustic = voice_acoustic(&f->model);
    assert_int_equal(features_open(&f->features, &f->acoustic, FRAMES, NULL), UTTER_OK);
    assert_int_equal(audio_open(&f->audio, VOICE_FRAME, samples, NULL), UTTER_OK);
    float *out = audio_reserve(&f->audio, samples, 0);
    for (int64_t i = 0; i < samples; i++)
        out[i] = 0.0f;
    f->audio.end = samples;
    features_begin(&f->features, 0);
}

static void close_fixture(struct fixture *f)
{
    features_close(&f->features);
    audio_close(&f->audio);
}

/* Decodes as a stream does; returns how many frames the next `hops` of them computed. */
static int64_t decode(struct fixture *f, int64_t from, int64_t hops)
{
    int64_t before = f->model.features;
    for (int64_t end = from + HOP; end <= from + hops * HOP; end += HOP)
        features_compute(&f->features, &f->audio, end > HOP + RIGHT ? end - HOP - RIGHT : 0, end);
    return f->model.features - before;
}

static void local_ones_are_computed_once(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, true);
    assert_int_equal(decode(&f, 0, 20), 20 * HOP);
    close_fixture(&f);
}

/* Until 2 s were heard the three hops of a chunk; from the decode after that the new frames. */
static void others_are_computed_again_while_statistics_change(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, false);
    assert_int_equal(decode(&f, 0, 3), (1 + 2 + 3) * HOP);
    assert_int_equal(decode(&f, 3 * HOP, 2), 2 * (HOP + RIGHT));
    assert_int_equal(decode(&f, STEADY, 15), 15 * HOP);
    /* The next utterance has statistics of its own. */
    features_reset(&f.features);
    features_begin(&f.features, 0);
    assert_int_equal(decode(&f, 0, 5), (1 + 2 + 3 + 3 + 3) * HOP);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(local_ones_are_computed_once),
        cmocka_unit_test(others_are_computed_again_while_statistics_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Streams over the golden checkpoints: whatever the cut and the threads, FINAL is transcribe. */
#include "events_text.h"
#include "golden_case.h"
#include "stream/model.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { PAUSE = 20000 };

/* The golden inputs of a checkpoint one after another, with pauses between them. */
static float *make_recording(const char *name, int64_t *count)
{
    struct golden golden;
    float *samples = NULL;
    golden_open(&golden, name);
    *count = 0;
    for (size_t i = 0; i < json_array_size(golden.cases); i++) {
        int64_t more;
        float *input = golden_input(&golden, json_array_get(golden.cases, i), &more);
        samples = realloc(samples, (size_t)(*count + more + PAUSE) * sizeof *samples);
        assert_non_null(samples);
        memcpy(samples + *count, input, (size_t)more * sizeof *samples);
        memset(samples + *count + more, 0, PAUSE * sizeof *samples);
        *count += more + PAUSE;
        free(input);
    }
    golden_close(&golden);
    return samples;
}

static struct utter_model *open_model(const char *name, int threads)
{
    char directory[512];
    struct utter_engine_options options = UTTER_ENGINE_OPTIONS_INIT;
    options.threads = threads;
    snprintf(directory, sizeof directory, GOLDEN_DIRECTORY "/%s", name);
    struct utter_engine *engine = utter_engine_open(&options, NULL);
    struct utter_model *model = utter_model_open(engine, directory, NULL, NULL);
    assert_non_null(model);
    utter_engine_close(engine);
    return model;
}

static void check_final(struct utter_model *model, const float *samples,
                        const struct utter_event *final)
{
    struct utter_transcript *whole =
        utter_transcribe(model, samples + final->start, final->end - final->start, NULL, NULL);
    assert_non_null(whole);
    assert_string_equal(final->text, whole->text);
    assert_int_equal(final->word_count, whole->word_count);
    for (size_t i = 0; i < whole->word_count; i++) {
        assert_string_equal(final->words[i].text, whole->words[i].text);
        assert_int_equal(final->words[i].start - final->start, whole->words[i].start);
        assert_int_equal(final->words[i].end - final->start, whole->words[i].end);
        assert_true(final->words[i].confidence == whole->words[i].confidence);
    }
    utter_transcript_free(whole);
}

/* Feeds `cut` samples at a time (0: as it comes), then flushes; returns how many FINALs said
 * something. */
static int run(struct utter_model *model, enum utter_encoder encoder, const float *samples,
               int64_t count, int64_t cut, bool check, struct events_text *text)
{
    int finals = 0;
    unsigned random = 4711;
    bool flushed = false;
    struct utter_stream_options options = UTTER_STREAM_OPTIONS_INIT;
    options.utterance_limit_ms = 4000;
    options.encoder = encoder;
    struct utter_stream *stream = utter_stream_open(model, &options, NULL);
    assert_non_null(stream);
    for (int64_t at = 0; at < count || !flushed;) {
        random = random * 1103515245u + 12345u;
        int64_t n = cut ? cut : 1 + random / 65536 % 5000;
        if (n > count - at)
            n = count - at;
        if (n > 0)
            at += utter_stream_feed(stream, samples + at, n, at, NULL);
        else
            flushed = utter_stream_flush(stream, NULL) == UTTER_OK;
        const struct utter_event *event;
        while ((event = utter_stream_next(stream))) {
            events_text_add(text, event);
            if (event->type != UTTER_EVENT_FINAL)
                continue;
            finals += *event->text != 0;
            if (check)
                check_final(model, samples, event);
        }
    }
    utter_stream_close(stream);
    return finals;
}

/* The same events for any cut and number of threads; the FINALs are utter_transcribe()'s. */
static void check_encoder(const char *name, enum utter_encoder encoder)
{
    static const int64_t cuts[] = {4096, 319, 160, 0, 1};
    int64_t count;
    float *samples = make_recording(name, &count);
    static struct events_text first, text;
    for (int threads = 1; threads <= 2; threads++) {
        struct utter_model *model = open_model(name, threads);
        for (size_t k = 0; k < sizeof cuts / sizeof *cuts; k++) {
            bool first_run = threads == 1 && k == 0;
            if (cuts[k] == 1 && strcmp(name, "digits") != 0)
                continue; /* slow */
            int finals = run(model, encoder, samples, count, cuts[k], first_run, &text);
            assert_true(finals >= 3);
            if (first_run) {
                first = text;
            } else {
                assert_string_equal(first.all, text.all);
                events_text_close(&text);
            }
            text = (struct events_text){0};
        }
        utter_model_close(model);
    }
    events_text_close(&first);
    free(samples);
}

static void final_is_transcribe_for_any_cut_and_threads(void **state)
{
    (void)state;
    /* Local features; group norm; layer norm over normalised samples. */
    static const char *const names[] = {"digits", "base", "large"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        check_encoder(names[i], UTTER_ENCODER_WINDOW);
        check_encoder(names[i], UTTER_ENCODER_CACHED);
    }
}

/* FINALs come from a thread of their own, and are the same. */
static void a_live_stream_runs_on_a_model(void **state)
{
    (void)state;
    static const char *const names[] = {"digits", "base"};
    for (size_t i = 0; i < 4; i++) {
        int64_t count;
        float *samples = make_recording(names[i / 2], &count);
        struct utter_model *model = open_model(names[i / 2], 2);
        struct utter_stream_options options = UTTER_STREAM_OPTIONS_INIT;
        options.encoder = i % 2 ? UTTER_ENCODER_CACHED : UTTER_ENCODER_WINDOW;
        options.utterance_limit_ms = 4000;
        struct utter_live *live = utter_live_open(model, &options, NULL, NULL);
        assert_non_null(live);
        static struct events_text text;
        assert_int_equal(utter_live_push(live, samples, count, 0), count);
        utter_live_finish(live, count + 5);
        while (utter_live_wait(live, -1) != UTTER_WAIT_DONE) {
            const struct utter_event *event = utter_live_next(live);
            if (!event)
                continue;
            events_text_add(&text, event);
            if (event->type == UTTER_EVENT_FINAL)
                check_final(model, samples, event);
        }
        utter_live_close(live);
        utter_model_close(model);
        assert_int_equal(text.lost, 5);
        assert_true(text.final_utterance == text.utterance && text.utterance >= 3);
        assert_true(strlen(text.finals) > 20);
        events_text_close(&text);
        text = (struct events_text){0};
        free(samples);
    }
}

static double thread_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static bool is_mapped(const char *ending)
{
    char line[4096];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "re");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps))
        found = found || strstr(line, ending);
    fclose(maps);
    return found;
}

/* Nobody speaks, and yet it packs the weights and lets go of their file. */
static void a_live_stream_that_waits_prepares_the_model(void **state)
{
    (void)state;
    static const char ending[] = "/base/model.safetensors\n";
    struct utter_model *model = open_model("base", 2);
    assert_true(is_mapped(ending));
    struct utter_live *live = utter_live_open(model, NULL, NULL, NULL);
    assert_non_null(live);
    while (is_mapped(ending))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    utter_live_close(live);
    utter_model_close(model);
}

/* What closing a live stream does to the FINAL in the making: hardly anything is computed. */
static void a_cancelled_pass_ends_early(void **state)
{
    (void)state;
    static const char *const names[] = {"digits", "base", "large"};
    const int64_t count = 20 * 16000;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct utter_model *model = open_model(names[i], 1);
        const struct acoustic_room room = {.samples = count, .alone = true};
        struct acoustic acoustic;
        assert_int_equal(model_acoustic(model, &room, &acoustic, NULL), UTTER_OK);
        float *samples = calloc((size_t)count, sizeof *samples);
        float *rows = malloc((size_t)(count / 160 * acoustic.columns) * sizeof *rows);
        assert_true(samples && rows);
        for (int64_t k = 0; k < count; k++)
            samples[k] = (float)(k * k % 1000) / 1000.0f - 0.5f;
        const struct acoustic_rows all = {0, acoustic_frames(&acoustic, count)};
        double seconds[2];
        for (int cancelled = 0; cancelled < 2; cancelled++) {
            if (cancelled)
                acoustic.cancel(acoustic.self);
            double begin = thread_seconds();
            acoustic.log_probs(acoustic.self, samples, count, all, rows);
            seconds[cancelled] = thread_seconds() - begin;
        }
        print_message("%s: %.1f ms, cancelled %.1f ms\n", names[i], 1e3 * seconds[0],
                      1e3 * seconds[1]);
        assert_true(seconds[1] < seconds[0] / 3);
        acoustic_close(&acoustic);
        utter_model_close(model);
        free(samples);
        free(rows);
    }
}

static void odd_precisions_are_refused(void **state)
{
    (void)state;
    const int odd[] = {-1, UTTER_PRECISION_INT8 + 1, INT_MAX};
    struct utter_engine *engine = utter_engine_open(NULL, NULL);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct utter_model_options options = UTTER_MODEL_OPTIONS_INIT;
        struct utter_error error = {0};
        options.precision = (enum utter_precision)odd[i];
        assert_null(utter_model_open(engine, GOLDEN_DIRECTORY "/digits", &options, &error));
        assert_int_equal(error.code, UTTER_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, "no value of enum utter_precision"));
        assert_null(utter_model_open(engine, GOLDEN_DIRECTORY "/digits", &options, NULL));
    }
    utter_engine_close(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(final_is_transcribe_for_any_cut_and_threads),
        cmocka_unit_test(a_live_stream_runs_on_a_model),
        cmocka_unit_test(a_live_stream_that_waits_prepares_the_model),
        cmocka_unit_test(a_cancelled_pass_ends_early),
        cmocka_unit_test(odd_precisions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Whole recordings, from samples to text: equal to the reference on the golden checkpoints. */
#include "golden_case.h"
#include "stream/chunks.h"
#include "stream/model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>

#include <cmocka.h>

static struct utter_engine *engine;

static int open_engine(void **state)
{
    struct utter_engine_options options = UTTER_ENGINE_OPTIONS_INIT;
    (void)state;
    options.threads = 2;
    engine = utter_engine_open(&options, NULL);
    return engine ? 0 : -1;
}

static int close_engine(void **state)
{
    (void)state;
    utter_engine_close(engine);
    return 0;
}

/* The reference lowers the case of the text and forgets that of the words. */
static bool same_word(const char *heard, const char *expected, bool lower)
{
    int order = strcmp(heard, expected);
    if (lower)
        u8_casecmp((const uint8_t *)heard, strlen(heard), (const uint8_t *)expected,
                   strlen(expected), NULL, NULL, &order);
    return order == 0;
}

static void check_words(const struct utter_transcript *transcript, const json_t *test,
                        const struct utter_model_info *info, bool lower)
{
    const json_t *words = json_object_get(test, "words");
    assert_int_equal(transcript->word_count, json_array_size(words));
    for (size_t i = 0; i < transcript->word_count; i++) {
        const json_t *word = json_array_get(words, i);
        const struct utter_word *heard = &transcript->words[i];
        int64_t end = golden_number(word, "end_offset") * info->frame_samples;
        assert_true(same_word(heard->text, golden_text(word, "word"), lower));
        assert_int_equal(heard->start, golden_number(word, "start_offset") * info->frame_samples);
        /* No word ends after the recording. */
        assert_int_equal(heard->end, end < golden_number(test, "samples")
                                         ? end
                                         : golden_number(test, "samples"));
        assert_true(heard->confidence > 0.0f && heard->confidence <= 1.0f);
    }
}

static void check_emissions(const struct utter_transcript *transcript, const struct golden *golden,
                            const json_t *test, int columns)
{
    int64_t count;
    float *expected = golden_tensor(golden, golden_text(test, "name"), "logits", &count);
    assert_int_equal(transcript->frame_count, golden_number(test, "frames"));
    assert_int_equal(count, (int64_t)transcript->frame_count * columns);
    double scale = fmax(1.0, json_number_value(json_object_get(test, "max_abs_logit")));
    golden_log_softmax(expected, (int64_t)transcript->frame_count, columns);
    for (int64_t i = 0; i < count; i++)
        assert_true(fabs((double)transcript->emissions[i] - expected[i]) <= 2e-4 * scale);
    free(expected);
}

/* The options that make utter_transcribe() cut as the case was cut; false when it cannot. */
static bool chunk_options(const json_t *test, struct utter_transcribe_options *options)
{
    const json_t *chunks = json_object_get(test, "chunks");
    if (!chunks)
        return true;
    if (golden_number(chunks, "left") != golden_number(chunks, "right"))
        return false;
    options->window_ms = (int)(golden_number(chunks, "chunk") / 16);
    options->stride_ms = (int)(golden_number(chunks, "left") / 16);
    return true;
}

static void equal_to_the_reference(void **state)
{
    (void)state;
    int checked = 0, chunked = 0;
    for (const char *const *name = golden_names; *name; name++) {
        struct golden golden;
        golden_open(&golden, *name);
        struct utter_model *model = utter_model_open(engine, golden.directory, NULL, NULL);
        assert_non_null(model);
        const struct utter_model_info *info = utter_model_info(model);
        for (size_t i = 0; i < json_array_size(golden.cases); i++) {
            const json_t *test = json_array_get(golden.cases, i);
            struct utter_transcribe_options options = UTTER_TRANSCRIBE_OPTIONS_INIT;
            options.emissions = true;
            if (!chunk_options(test, &options))
                continue;
            int64_t count;
            float *samples = golden_input(&golden, test, &count);
            struct utter_transcript *transcript =
                utter_transcribe(model, samples, count, &options, NULL);
            assert_non_null(transcript);
            assert_string_equal(transcript->text, golden_text(test, "text"));
            check_words(transcript, test, info, model->labels.do_lower_case);
            check_emissions(transcript, &golden, test, info->vocabulary_size);
            utter_transcript_free(transcript);
            free(samples);
            checked++;
            chunked += options.window_ms > 0;
        }
        utter_model_close(model);
        golden_close(&golden);
    }
    assert_true(checked >= 12 * 6);
    assert_true(chunked >= 2);
}

/* Strides of the pipeline may differ from left to right; the public options' do not. */
static void uneven_strides(void **state)
{
    (void)state;
    int checked = 0;
    for (const char *const *name = golden_names; *name; name++) {
        struct golden golden;
        struct acoustic acoustic;
        golden_open(&golden, *name);
        struct utter_model *model = utter_model_open(engine, golden.directory, NULL, NULL);
        assert_non_null(model);
        const struct acoustic_room room = {.samples = 80000};
        assert_int_equal(model_acoustic(model, &room, &acoustic, NULL), UTTER_OK);
        for (size_t i = 0; i < json_array_size(golden.cases); i++) {
            const json_t *test = json_array_get(golden.cases, i);
            const json_t *cut = json_object_get(test, "chunks");
            if (!cut)
                continue;
            const struct chunk_plan plan = {
                .length = golden_number(cut, "chunk"),
                .left = golden_number(cut, "left"),
                .right = golden_number(cut, "right"),
            };
            struct ctc_greedy greedy;
            struct chunk chunk;
            int64_t count, index;
            float *samples = golden_input(&golden, test, &count);
            const struct chunk_source source = {.samples = samples};
            float *rows = malloc(256 * (size_t)acoustic.columns * sizeof *rows);
            assert_int_equal(ctc_greedy_open(&greedy, &model->labels, 256, NULL), UTTER_OK);
            const json_t *frames = json_object_get(cut, "frames");
            for (index = 0; chunk_at(&plan, &acoustic, count, index, &chunk); index++) {
                assert_int_equal(chunk.keep,
                                 json_integer_value(json_array_get(frames, (size_t)index)));
                chunk_decode(&acoustic, &chunk, &source, rows, &greedy);
            }
            assert_int_equal(index, json_array_size(frames));
            ctc_greedy_finish(&greedy);
            assert_int_equal(greedy.frame, golden_number(test, "frames"));
            const json_t *words = json_object_get(test, "words");
            assert_int_equal(greedy.word_count, json_array_size(words));
            for (size_t w = 0; w < greedy.word_count; w++)
                assert_memory_equal(greedy.raw + greedy.words[w].text,
                                    golden_text(json_array_get(words, w), "word"),
                                    greedy.words[w].length);
            ctc_greedy_close(&greedy);
            free(rows);
            free(samples);
            checked++;
        }
        acoustic_close(&acoustic);
        utter_model_close(model);
        golden_close(&golden);
    }
    assert_true(checked >= 4);
}

struct progress {
    int64_t last;
    int64_t total;
    int calls;
    int stop_after;
};

static bool see_progress(void *user, int64_t done, int64_t total)
{
    struct progress *progress = user;
    assert_true(done >= progress->last && done <= total);
    progress->last = done;
    progress->total = total;
    return ++progress->calls != progress->stop_after;
}

static struct utter_model *open_model(const char *name)
{
    char directory[512];
    snprintf(directory, sizeof directory, GOLDEN_DIRECTORY "/%s", name);
    struct utter_model *model = utter_model_open(engine, directory, NULL, NULL);
    assert_non_null(model);
    return model;
}

static void progress_and_cancel(void **state)
{
    (void)state;
    struct utter_error error;
    struct progress progress = {0};
    struct utter_model *model = open_model("digits");
    struct utter_transcribe_options options = UTTER_TRANSCRIBE_OPTIONS_INIT;
    options.window_ms = 1000;
    options.progress = see_progress;
    options.progress_user = &progress;
    options.sample_rate = 8000;
    options.channels = 2;
    float *samples = calloc(2 * 40000, sizeof *samples);
    struct utter_transcript *transcript = utter_transcribe(model, samples, 40000, &options, &error);
    assert_non_null(transcript);
    assert_null(transcript->emissions);
    utter_transcript_free(transcript);
    assert_true(progress.calls > 4);
    assert_int_equal(progress.last, 40000); /* positions are the caller's */
    assert_int_equal(progress.total, 40000);

    progress = (struct progress){.stop_after = 3};
    assert_null(utter_transcribe(model, samples, 40000, &options, &error));
    assert_int_equal(error.code, UTTER_ERROR_CANCELLED);
    assert_int_equal(progress.calls, 3);
    free(samples);
    utter_model_close(model);
}

static void short_recordings_are_empty(void **state)
{
    (void)state;
    float samples[399] = {0};
    static const int64_t lengths[] = {0, 1, 399};
    struct utter_model *model = open_model("base");
    for (size_t i = 0; i < 3; i++) {
        struct utter_transcript *transcript =
            utter_transcribe(model, samples, lengths[i], NULL, NULL);
        assert_non_null(transcript);
        assert_string_equal(transcript->text, "");
        assert_int_equal(transcript->word_count, 0);
        assert_int_equal(transcript->frame_count, 0);
        utter_transcript_free(transcript);
    }
    utter_model_close(model);
}

static void bad_arguments(void **state)
{
    (void)state;
    struct utter_error error;
    float sample = 0;
    struct utter_model *model = open_model("base");
    struct utter_transcribe_options options = UTTER_TRANSCRIBE_OPTIONS_INIT;
    assert_null(utter_transcribe(NULL, &sample, 1, NULL, &error));
    assert_null(utter_transcribe(model, NULL, 1, NULL, &error));
    assert_int_equal(error.code, UTTER_ERROR_ARGUMENT);
    assert_null(utter_transcribe(model, &sample, -1, NULL, &error));
    assert_null(utter_transcribe(model, &sample, INT64_MAX, NULL, NULL));
    options.stride_ms = 15000;
    assert_null(utter_transcribe(model, &sample, 1, &options, &error));
    assert_non_null(strstr(error.message, "stride_ms"));
    options.stride_ms = -1;
    assert_null(utter_transcribe(model, &sample, 1, &options, &error));
    options.stride_ms = 0;
    options.channels = 65;
    assert_null(utter_transcribe(model, &sample, 1, &options, &error));
    assert_non_null(strstr(error.message, "channels is 65"));
    utter_transcript_free(NULL);
    assert_null(utter_model_open(NULL, "x", NULL, &error));
    assert_null(utter_model_open(engine, NULL, NULL, &error));
    assert_int_equal(error.code, UTTER_ERROR_ARGUMENT);
    assert_null(utter_model_open(engine, "/nowhere", NULL, &error));
    assert_non_null(strstr(error.message, "/nowhere"));
    assert_null(utter_model_info(NULL));
    assert_null(utter_model_token(model, -1));
    assert_null(utter_model_token(model, utter_model_info(model)->vocabulary_size));
    assert_string_equal(utter_model_token(model, 4), "|");
    struct utter_engine_options threads = UTTER_ENGINE_OPTIONS_INIT;
    threads.threads = -1;
    assert_null(utter_engine_open(&threads, &error));
    utter_engine_close(NULL);
    utter_model_close(NULL);
    utter_model_close(model);
}

static void objects_outlive_those_they_need(void **state)
{
    (void)state;
    float samples[16000] = {0};
    struct utter_engine *own = utter_engine_open(NULL, NULL);
    struct utter_model *model = utter_model_open(own, GOLDEN_DIRECTORY "/digits", NULL, NULL);
    assert_non_null(model);
    utter_engine_close(own);
    struct utter_stream *stream = utter_stream_open(model, NULL, NULL);
    assert_non_null(stream);
    utter_model_close(model);
    assert_true(utter_stream_feed(stream, samples, 16000, 0, NULL) > 0);
    utter_stream_close(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_to_the_reference), cmocka_unit_test(uneven_strides),
        cmocka_unit_test(progress_and_cancel),    cmocka_unit_test(short_recordings_are_empty),
        cmocka_unit_test(bad_arguments),          cmocka_unit_test(objects_outlive_those_they_need),
    };
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}

/* SPDX-License-Identifier: MIT */
/* The same samples give the same JSONL, byte for byte, with times, confidences and drafts, however
 * they are cut into feeds and on one thread or two: through the sink that `utter` writes with. */
#include "app/recording.h"
#include "app/sink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    SPEECH_MOST = 9 * 16000, /* of the demo: several utterances */
    PAUSE = 20000,
    GAP = 12345,
};

static struct utter_model *open_model(const char *directory, int threads)
{
    struct utter_engine_options options = UTTER_ENGINE_OPTIONS_INIT;
    options.threads = threads;
    struct utter_engine *engine = utter_engine_open(&options, NULL);
    struct utter_model *model = utter_model_open(engine, directory, NULL, NULL);
    assert_non_null(model);
    utter_engine_close(engine);
    return model;
}

static void feed(struct utter_stream *stream, const float *samples, int64_t count, int64_t position,
                 int64_t cut, struct sink *sink)
{
    const struct utter_event *event;
    unsigned random = 2718;
    for (int64_t at = 0; at < count;) {
        random = random * 1103515245u + 12345u;
        int64_t n = cut ? cut : 1 + random / 65536 % 5000;
        if (n > count - at)
            n = count - at;
        int64_t taken = utter_stream_feed(stream, samples + at, n, position + at, NULL);
        assert_true(taken >= 0 && taken <= n);
        at += taken;
        while ((event = utter_stream_next(stream)))
            assert_true(sink_event(sink, event, 0, NULL));
    }
}

static char *read_all(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    char *text = calloc(size + 1, 1);
    rewind(file);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, size, file), size);
    fclose(file);
    return text;
}

/* What `utter --format jsonl --drafts` writes; `cut` samples at a time, 0: as it comes. The
 * recording is fed twice, with a gap between. The caller frees it. */
static char *write_jsonl(struct utter_model *model, enum utter_encoder encoder,
                         const struct recording *recording, int64_t cut)
{
    char path[] = "/tmp/utter-test-jsonl-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0 && close(descriptor) == 0);
    const struct sink_options sink_options = {
        .format = SINK_JSONL, .sample_rate = recording->rate, .drafts = true, .replace = true};
    struct utter_stream_options options = UTTER_STREAM_OPTIONS_INIT;
    options.sample_rate = recording->rate;
    options.encoder = encoder;
    struct sink *sink = sink_open(path, &sink_options, NULL);
    struct utter_stream *stream = utter_stream_open(model, &options, NULL);
    assert_true(sink && stream);
    feed(stream, recording->samples, recording->count, 0, cut, sink);
    feed(stream, recording->samples, recording->count / 2, recording->count + GAP, cut, sink);
    assert_int_equal(utter_stream_flush(stream, NULL), UTTER_OK);
    const struct utter_event *event;
    while ((event = utter_stream_next(stream)))
        assert_true(sink_event(sink, event, 0, NULL));
    assert_true(sink_close(sink, NULL));
    utter_stream_close(stream);
    char *text = read_all(path);
    unlink(path);
    return text;
}

static int count_lines(const char *text, const char *beginning)
{
    int count = 0;
    for (; (text = strstr(text, beginning)); text++)
        count++;
    return count;
}

/* All that a JSONL can say is in it, so that equality means something. */
static void check_content(const char *jsonl)
{
    assert_true(count_lines(jsonl, "{\"type\":\"state\"") >= 4);
    assert_true(count_lines(jsonl, "{\"type\":\"draft\"") >= 3);
    assert_true(count_lines(jsonl, "{\"type\":\"commit\"") >= 3);
    assert_true(count_lines(jsonl, "{\"type\":\"final\"") >= 2);
    assert_true(count_lines(jsonl, "\"confidence\":0.") >= 10);
    assert_int_equal(count_lines(jsonl, "{\"type\":\"gap\""), 1);
    assert_non_null(strstr(jsonl, "\"lost\":0.771563"));
}

static void check_any_cut(const char *directory, const struct recording *recording)
{
    static const int64_t cuts[] = {4096, 1, 160, 319, 0};
    for (int encoder = UTTER_ENCODER_WINDOW; encoder <= UTTER_ENCODER_CACHED; encoder++) {
        char *first = NULL;
        for (int threads = 1; threads <= 2; threads++) {
            struct utter_model *model = open_model(directory, threads);
            for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
                char *jsonl = write_jsonl(model, (enum utter_encoder)encoder, recording, cuts[i]);
                if (!first) {
                    check_content(jsonl);
                    first = strdup(jsonl);
                }
                assert_string_equal(jsonl, first);
                free(jsonl);
            }
            utter_model_close(model);
        }
        free(first);
    }
}

/* The beginning of the demo, whose last words are followed by silence. */
static struct recording load_demo(void)
{
    struct recording demo;
    assert_true(recording_load(&demo, BUNDLED_MODEL "/demo.flac", NULL));
    assert_int_equal(demo.rate, 16000);
    assert_true(demo.count > SPEECH_MOST + PAUSE);
    memset(demo.samples + SPEECH_MOST, 0, PAUSE * sizeof *demo.samples);
    demo.count = SPEECH_MOST + PAUSE;
    return demo;
}

static void digits_are_the_same(void **state)
{
    (void)state;
    struct recording demo = load_demo();
    check_any_cut(BUNDLED_MODEL, &demo);
    recording_free(&demo);
}

/* Weights that were drawn at random: words of all kinds, and confidences near each other. */
static void random_weights_are_the_same(void **state)
{
    (void)state;
    struct recording demo = load_demo();
    check_any_cut(GOLDEN_DIRECTORY "/digits", &demo);
    recording_free(&demo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_the_same),
        cmocka_unit_test(random_weights_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

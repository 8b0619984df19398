/* SPDX-License-Identifier: MIT */
/* An utterance in which nothing was heard is decoded together with the next. The voice's model is
 * hard of hearing here: it hears no label unless there are several of them in the window. */
#include "events_text.h"
#include "golden_case.h"
#include "stream/live.h"
#include "stream/model.h"
#include "stream/stream.h"
#include "voice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "a|" is not enough, "bcd|" and "a|b|" are. */
enum { LEAST = 2 * LETTER_FRAMES + 1 };

struct fixture {
    struct voice_model model;
    struct voice_model final_model; /* of a live stream's FINALs */
    struct ctc_labels labels;
    struct utter_stream_options options;
    float *samples;
    int64_t count;
    struct events_text text;
};

/* Every test runs with each. */
static enum utter_encoder encoder;
static bool local;

static void open_fixture(struct fixture *f, int limit_ms)
{
    struct utter_stream_options given = UTTER_STREAM_OPTIONS_INIT;
    given.utterance_limit_ms = limit_ms;
    *f = (struct fixture){.model = {.least = LEAST, .encoder = encoder, .local = local}};
    f->final_model = f->model;
    const struct acoustic acoustic = voice_acoustic(&f->model);
    voice_labels(&f->labels);
    assert_int_equal(stream_options(&f->options, &given, &acoustic, NULL), UTTER_OK);
}

static void close_fixture(struct fixture *f)
{
    ctc_labels_close(&f->labels);
    events_text_close(&f->text);
    free(f->samples);
}

static void read_events(struct fixture *f, struct utter_stream *stream)
{
    const struct utter_event *event;
    while ((event = utter_stream_next(stream)))
        events_text_add(&f->text, event);
}

static void feed(struct fixture *f, struct utter_stream *stream, int64_t to, int64_t shift,
                 int64_t cut)
{
    for (int64_t at = 0; at < to;) {
        int64_t n = to - at < cut ? to - at : cut;
        at += utter_stream_feed(stream, f->samples + at, n, at + shift, NULL);
        read_events(f, stream);
    }
}

/* Streams the script, `cut` samples at a time. */
static void hear(struct fixture *f, const char *script, int64_t cut)
{
    const struct acoustic acoustic = voice_acoustic(&f->model);
    struct utter_stream *stream = stream_open(&acoustic, &f->labels, &f->options, NULL, NULL);
    assert_non_null(stream);
    voice_say(&f->samples, &f->count, script);
    feed(f, stream, f->count, 0, cut);
    assert_int_equal(utter_stream_flush(stream, NULL), UTTER_OK);
    read_events(f, stream);
    utter_stream_close(stream);
}

static void it_is_heard_with_the_next(void **state)
{
    (void)state;
    static const int64_t cuts[] = {4096, 1, 319};
    static struct fixture first, f;
    open_fixture(&first, 0);
    hear(&first, ".....a|.......bcd|.....", cuts[0]);
    assert_string_equal(first.text.commits, "bcd ");
    assert_string_equal(first.text.finals, "\na bcd\n");
    assert_string_equal(first.text.order, "SFQSCFQ");
    /* The last FINAL is that of both: from the first one's beginning on, words where they are. */
    assert_true(first.text.final_start < 50 * VOICE_FRAME);
    assert_int_equal(first.text.final_start, first.text.first_start);
    assert_int_equal(first.text.final_count, 2);
    assert_int_equal(first.text.final[0].start, 50 * VOICE_FRAME);
    assert_int_equal(first.text.final[0].end, 54 * VOICE_FRAME);
    assert_int_equal(first.text.final[1].start, 128 * VOICE_FRAME);
    assert_int_equal(first.text.final[1].end, 140 * VOICE_FRAME);
    for (size_t i = 1; i < sizeof cuts / sizeof *cuts; i++) {
        open_fixture(&f, 0);
        hear(&f, ".....a|.......bcd|.....", cuts[i]);
        assert_string_equal(f.text.all, first.text.all);
        close_fixture(&f);
    }
    close_fixture(&first);
}

/* Sound without a word is cut, and the next utterance begins at once. */
static void one_that_goes_on_is_heard_with_what_follows(void **state)
{
    (void)state;
    static struct fixture f;
    open_fixture(&f, 0);
    f.options.gate_off = true;
    f.options.endpoint_wordless_ms = 2000;
    hear(&f, ".....a|.......bcd|.....", 4096);
    assert_non_null(strstr(f.text.finals, "\na bcd\n"));
    assert_int_equal(f.text.final[0].start, 50 * VOICE_FRAME);
    close_fixture(&f);
}

static void only_the_one_before_is(void **state)
{
    (void)state;
    static struct fixture f;
    open_fixture(&f, 0);
    f.model.least = 4 * LETTER_FRAMES + 1;
    hear(&f, ".....a|.......b|.......cde|.....", 4096);
    assert_string_equal(f.text.finals, "\n\nb cde\n");
    /* The second was decoded with the first, in vain. */
    assert_true(f.text.final_start > f.text.first_start + VOICE_RATE);
    close_fixture(&f);
}

static void one_in_which_a_word_was_heard_is_not(void **state)
{
    (void)state;
    static struct fixture f;
    open_fixture(&f, 0);
    hear(&f, ".....abc|.......d|.......efg|.....", 4096);
    assert_string_equal(f.text.finals, "abc\n\nd efg\n");
    close_fixture(&f);
}

static void one_long_ago_is_not(void **state)
{
    (void)state;
    static struct fixture f;
    open_fixture(&f, 0);
    hear(&f, ".....a|.......................bcd|.....", 4096);
    assert_string_equal(f.text.finals, "\nbcd\n");
    assert_true(f.text.final_start > 100 * VOICE_FRAME);
    close_fixture(&f);
}

/* Nor one before a gap or a flush, though it is near. */
static void one_of_another_segment_is_not(void **state)
{
    (void)state;
    for (int64_t gap = 0; gap <= 100; gap += 100) {
        static struct fixture f;
        open_fixture(&f, 0);
        const struct acoustic acoustic = voice_acoustic(&f.model);
        struct utter_stream *stream = stream_open(&acoustic, &f.labels, &f.options, NULL, NULL);
        assert_non_null(stream);
        voice_say(&f.samples, &f.count, ".....a|.");
        feed(&f, stream, f.count, 0, 4096);
        assert_int_equal(utter_stream_flush(stream, NULL), UTTER_OK);
        read_events(&f, stream);
        int64_t before = f.count + gap;
        f.count = 0;
        voice_say(&f.samples, &f.count, ".bcd|.....");
        feed(&f, stream, f.count, before, 4096);
        assert_int_equal(utter_stream_flush(stream, NULL), UTTER_OK);
        read_events(&f, stream);
        assert_string_equal(f.text.finals, "\nbcd\n");
        assert_true(f.text.final_start >= before);
        utter_stream_close(stream);
        close_fixture(&f);
    }
}

/* Both together may be no longer than an utterance. */
static void two_long_ones_are_not(void **state)
{
    (void)state;
    for (int limit_ms = 2500; limit_ms <= 5000; limit_ms += 2500) {
        static struct fixture f;
        open_fixture(&f, limit_ms);
        hear(&f, ".....a|.......bcdefghijklmno|.....", 4096);
        assert_string_equal(f.text.finals,
                            limit_ms < 5000 ? "\nbcdefghijklmno\n" : "\na bcdefghijklmno\n");
        close_fixture(&f);
    }
}

/* A live stream's, too, from a thread of their own. */
static void live_finals_are_the_same(void **state)
{
    (void)state;
    static const char script[] =
        ".....a|.......bcd|.......e|.......f|g|.......................h|.......";
    static struct fixture f;
    static char finals[EVENTS_TEXT_ROOM];
    open_fixture(&f, 0);
    hear(&f, script, 4096);
    strcpy(finals, f.text.finals);
    assert_string_equal(finals, "\na bcd\n\ne f g\n\n");
    close_fixture(&f);
    open_fixture(&f, 0);
    voice_say(&f.samples, &f.count, script);
    const struct acoustic acoustic = voice_acoustic(&f.model);
    const struct acoustic final_acoustic = voice_acoustic(&f.final_model);
    struct finals *computed = finals_open(&final_acoustic, &f.labels,
                                          stream_samples_max(&f.options, &final_acoustic), NULL);
    struct utter_stream *stream = stream_open(&acoustic, &f.labels, &f.options, computed, NULL);
    struct utter_live *live = live_open(stream, computed, 60000, NULL);
    assert_non_null(live);
    assert_int_equal(utter_live_push(live, f.samples, f.count, 0), f.count);
    utter_live_finish(live, f.count);
    while (utter_live_wait(live, -1) != UTTER_WAIT_DONE) {
        const struct utter_event *event = utter_live_next(live);
        if (event)
            events_text_add(&f.text, event);
    }
    assert_string_equal(f.text.finals, finals);
    utter_live_close(live);
    close_fixture(&f);
}

/* ---- models ---------------------------------------------------------------------------------- */

static float *longest_input(const struct golden *golden, int64_t *count)
{
    float *longest = NULL;
    *count = 0;
    for (size_t i = 0; i < json_array_size(golden->cases); i++) {
        int64_t samples;
        float *input = golden_input(golden, json_array_get(golden->cases, i), &samples);
        bool longer = samples > *count;
        free(longer ? longest : input);
        longest = longer ? input : longest;
        *count = longer ? samples : *count;
    }
    return longest;
}

/* Two utterances of a checkpoint's golden input, the first too short to be heard: together they
 * are what utter_transcribe() hears, what lies between them too. */
static void check_model(const char *name)
{
    char directory[512];
    struct golden golden;
    int64_t count;
    golden_open(&golden, name);
    float *samples = longest_input(&golden, &count);
    struct utter_engine *engine = utter_engine_open(NULL, NULL);
    snprintf(directory, sizeof directory, GOLDEN_DIRECTORY "/%s", name);
    struct utter_model *model = utter_model_open(engine, directory, NULL, NULL);
    assert_non_null(model);
    struct acoustic acoustic;
    model_describe_acoustic(model, &acoustic);
    struct acoustic_room room = final_room(&acoustic, count);
    assert_int_equal(model_acoustic(model, &room, &acoustic, NULL), UTTER_OK);
    struct final final;
    assert_int_equal(final_open(&final, &acoustic, &model->labels, count, NULL), UTTER_OK);
    int64_t frames = acoustic_frames(&acoustic, count);
    float *features = malloc((size_t)(frames * acoustic.feature_columns) * sizeof *features);
    assert_non_null(features);
    int64_t first = 4 * acoustic.frame_samples;
    if (acoustic.local)
        acoustic.features(acoustic.self, samples + first, 0,
                          acoustic_frames(&acoustic, count - first), features);
    struct final_job job = {.end = acoustic.receptive_field - 1,
                            .before = -1,
                            .source = {samples, acoustic.local ? features : NULL}};
    final_decode(&final, &job);
    assert_int_equal(final.greedy.word_count, 0);
    job.before = first - job.end;
    job.start = first;
    job.end = count;
    job.source.samples = samples + first;
    final_decode(&final, &job);
    assert_int_equal(final.start, 0);
    struct utter_transcript *whole = utter_transcribe(model, samples, count, NULL, NULL);
    assert_non_null(whole);
    assert_true(whole->word_count > 0);
    assert_int_equal(final.greedy.word_count, whole->word_count);
    for (size_t i = 0; i < whole->word_count; i++) {
        const struct ctc_word *word = &final.greedy.words[i];
        assert_int_equal(word->start * acoustic.frame_samples, whole->words[i].start);
        assert_true(ctc_word_confidence(word) == whole->words[i].confidence);
    }
    utter_transcript_free(whole);
    final_close(&final);
    acoustic_close(&acoustic);
    utter_model_close(model);
    utter_engine_close(engine);
    golden_close(&golden);
    free(features);
    free(samples);
}

static void together_they_are_what_transcribe_hears(void **state)
{
    (void)state;
    /* Local features; group norm; layer norm over normalised samples. */
    check_model("digits");
    check_model("base");
    check_model("large");
}

int main(void)
{
    const struct CMUnitTest voices[] = {
        cmocka_unit_test(it_is_heard_with_the_next),
        cmocka_unit_test(one_that_goes_on_is_heard_with_what_follows),
        cmocka_unit_test(only_the_one_before_is),
        cmocka_unit_test(one_in_which_a_word_was_heard_is_not),
        cmocka_unit_test(one_long_ago_is_not),
        cmocka_unit_test(one_of_another_segment_is_not),
        cmocka_unit_test(two_long_ones_are_not),
        cmocka_unit_test(live_finals_are_the_same),
    };
    const struct CMUnitTest models[] = {
        cmocka_unit_test(together_they_are_what_transcribe_hears),
    };
    int failed = 0;
    for (int i = 0; i < 4; i++) {
        encoder = i % 2 ? UTTER_ENCODER_CACHED : UTTER_ENCODER_WINDOW;
        local = i / 2;
        failed += cmocka_run_group_tests(voices, NULL, NULL);
    }
    return failed + cmocka_run_group_tests(models, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Every format says everything that it should, harmlessly, in time's order. */
#include "app/sink.h"
#include "scratch_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

enum {
    RATE = 1000 /* a position is a millisecond */
};

/* All of the file; the caller frees it. */
static char *read_file(void)
{
    char *text = calloc(1, 1 << 16);
    FILE *file = fopen(scratch_file, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, (1 << 16) - 1, file) < (1 << 16) - 1);
    fclose(file);
    return text;
}

static void expect_file(const char *expected)
{
    char *text = read_file();
    assert_string_equal(text, expected);
    free(text);
}

static struct sink *open_sink(enum sink_format format, bool drafts)
{
    struct sink_options options = {format, CASE_AS_IS, RATE, drafts};
    struct utter_error error;
    struct sink *sink = sink_open(scratch_file, &options, &error);
    if (sink == NULL)
        fail_msg("%s", error.message);
    return sink;
}

/* Until the system has taken or refused all, however busy this machine is. */
static bool settle(struct sink *sink, struct utter_error *error)
{
    do
        if (!sink_flush(sink, error) && strstr(error->message, "cannot write") != NULL)
            return false;
    while (!sink_settled(sink));
    return true;
}

static void send(struct sink *sink, const struct utter_event *event)
{
    struct utter_error error;
    if (!sink_event(sink, event, 0, &error) || !settle(sink, &error))
        fail_msg("%s", error.message);
}

static void close_sink(struct sink *sink)
{
    struct utter_error error;
    if (!sink_close(sink, &error))
        fail_msg("%s", error.message);
}

static const struct utter_word ONE_TWO[] = {{"one", 1000, 1400, 0.9f}, {"two", 1500, 1900, 0.8f}};
static const struct utter_word THREE[] = {{"three", 5000, 5400, 0.7f}};

static struct utter_event words_event(enum utter_event_type type, uint64_t utterance,
                                      const struct utter_word *words, size_t count,
                                      const char *text)
{
    return (struct utter_event){
        .type = type,
        .utterance = utterance,
        .start = words[0].start,
        .end = words[count - 1].end,
        .text = text,
        .words = words,
        .word_count = count,
    };
}

static struct utter_event gap_event(uint64_t utterance, int64_t start, int64_t end)
{
    return (struct utter_event){
        .type = UTTER_EVENT_GAP,
        .utterance = utterance,
        .start = start,
        .end = end,
        .lost = end - start,
    };
}

/* A conversation: one two, a gap that ends it, three. The gap is told before the FINAL. */
static void send_conversation(struct sink *sink)
{
    struct utter_event events[] = {
        {.type = UTTER_EVENT_STATE, .start = 900, .end = 900, .state = UTTER_STATE_SPEECH},
        words_event(UTTER_EVENT_DRAFT, 1, ONE_TWO, 1, "one"),
        words_event(UTTER_EVENT_COMMIT, 1, ONE_TWO, 2, "one two"),
        gap_event(1, 2000, 2350),
        words_event(UTTER_EVENT_FINAL, 1, ONE_TWO, 2, "one two"),
        words_event(UTTER_EVENT_COMMIT, 2, THREE, 1, "three"),
        words_event(UTTER_EVENT_FINAL, 2, THREE, 1, "three"),
    };
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        send(sink, &events[i]);
}

static void test_text(void **state)
{
    (void)state;
    struct sink *sink = open_sink(SINK_TEXT, false);
    send_conversation(sink);
    /* Written through before the sink is closed. */
    expect_file("one two\n[0.35 s of audio lost]\nthree\n");
    close_sink(sink);
    expect_file("one two\n[0.35 s of audio lost]\nthree\n");
}

static void test_srt(void **state)
{
    (void)state;
    struct sink *sink = open_sink(SINK_SRT, false);
    send_conversation(sink);
    const char *expected = "1\n00:00:01,000 --> 00:00:02,000\none two\n\n"
                           "2\n00:00:02,000 --> 00:00:03,000\n[0.35 s of audio lost]\n\n"
                           "3\n00:00:05,000 --> 00:00:06,000\nthree\n\n";
    expect_file(expected);
    close_sink(sink);
    expect_file(expected);
}

static void test_vtt(void **state)
{
    (void)state;
    struct sink *sink = open_sink(SINK_VTT, false);
    struct utter_error error;
    assert_true(settle(sink, &error));
    expect_file("WEBVTT\n\n");
    static const struct utter_word words[] = {{"<unk>&-->-", 3723004, 3724500, 0.5f}};
    struct utter_event event = words_event(UTTER_EVENT_FINAL, 1, words, 1, "<unk>&-->-");
    send(sink, &event);
    close_sink(sink);
    expect_file("WEBVTT\n\n1\n01:02:03.004 --> 01:02:04.500\n&lt;unk&gt;&amp;-&gt;-\n\n");
}

/* Left in a hurry: what was committed is all there is of an utterance, and stays. */
static void test_words_without_a_final_are_kept(void **state)
{
    (void)state;
    static const enum sink_format formats[] = {SINK_TEXT, SINK_SRT};
    static const char *const expected[] = {
        "one two\nthree three\n",
        "1\n00:00:01,000 --> 00:00:02,000\none two\n\n"
        "2\n00:00:05,000 --> 00:00:06,000\nthree three\n\n",
    };
    for (int i = 0; i < 2; i++) {
        const struct utter_event events[] = {
            words_event(UTTER_EVENT_COMMIT, 1, ONE_TWO, 1, "one"),
            words_event(UTTER_EVENT_COMMIT, 2, THREE, 1, "three"),
            words_event(UTTER_EVENT_COMMIT, 2, THREE, 1, "three"),
            words_event(UTTER_EVENT_FINAL, 1, ONE_TWO, 2, "one two"),
        };
        scratch_file_remove(NULL);
        scratch_file_make(NULL);
        struct sink *sink = open_sink(formats[i], false);
        for (size_t k = 0; k < sizeof events / sizeof events[0]; k++)
            send(sink, &events[k]);
        close_sink(sink);
        expect_file(expected[i]);
    }
}

static void test_being_behind_is_told(void **state)
{
    (void)state;
    struct sink *sink = open_sink(SINK_JSONL, false);
    const struct utter_event event = {.type = UTTER_EVENT_STATE,
                                      .state = UTTER_STATE_BEHIND,
                                      .start = 500,
                                      .end = 500,
                                      .text = "",
                                      .rung = 2};
    send(sink, &event);
    close_sink(sink);
    expect_file("{\"type\":\"state\",\"utterance\":0,\"start\":0.5,\"end\":0.5,"
                "\"state\":\"behind\",\"rung\":2}\n");
}

/* The types of the lines of the file. */
static void expect_types(const char *const *types)
{
    char *text = read_file();
    char *line = text;
    for (; *types != NULL; types++) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        assert_string_equal(json_string_value(json_object_get(object, "type")), *types);
        json_decref(object);
        line = end + 1;
    }
    assert_string_equal(line, "");
    free(text);
}

static void test_jsonl(void **state)
{
    (void)state;
    struct sink *sink = open_sink(SINK_JSONL, false);
    send_conversation(sink);
    expect_types((const char *[]){"state", "commit", "gap", "final", "commit", "final", NULL});
    close_sink(sink);
    char *text = read_file();
    assert_non_null(strstr(text, "{\"type\":\"gap\",\"utterance\":1,\"start\":2.0,\"end\":2.35,"
                                 "\"lost\":0.35}\n"));
    assert_non_null(strstr(text, "{\"type\":\"state\",\"utterance\":0,\"start\":0.9,\"end\":0.9,"
                                 "\"state\":\"speech\"}\n"));
    assert_non_null(strstr(text, "{\"type\":\"final\",\"utterance\":2,\"start\":5.0,\"end\":5.4,"
                                 "\"text\":\"three\",\"words\":[{\"text\":\"three\",\"start\":5.0,"
                                 "\"end\":5.4,\"confidence\":0.7}]}\n"));
    free(text);
}

static void test_jsonl_drafts(void **state)
{
    (void)state;
    struct sink *sink = open_sink(SINK_JSONL, true);
    send_conversation(sink);
    close_sink(sink);
    expect_types(
        (const char *[]){"state", "draft", "commit", "gap", "final", "commit", "final", NULL});
}

/* Commits one after the other read as the whole utterance does. */
static void test_jsonl_case(void **state)
{
    (void)state;
    static const struct utter_word said[] = {{"ONE", 0, 400, 1.0f}, {"TWO.", 500, 900, 1.0f}};
    struct sink_options options = {SINK_JSONL, CASE_SENTENCE, RATE, false};
    struct sink *sink = sink_open(scratch_file, &options, NULL);
    for (uint64_t utterance = 1; utterance <= 2; utterance++) {
        struct utter_event events[] = {
            words_event(UTTER_EVENT_COMMIT, utterance, &said[0], 1, "ONE"),
            words_event(UTTER_EVENT_COMMIT, utterance, &said[1], 1, "TWO."),
            words_event(UTTER_EVENT_COMMIT, utterance, &said[0], 1, "ONE"),
            words_event(UTTER_EVENT_FINAL, utterance, said, 2, "ONE TWO."),
        };
        for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
            send(sink, &events[i]);
    }
    close_sink(sink);
    static const char *const expected[] = {"One", "two.", "One", "One two."};
    char *text = read_file();
    const char *line = text;
    for (int i = 0; i < 8; i++) {
        char field[32];
        snprintf(field, sizeof field, "\"text\":\"%s\"", expected[i % 4]);
        const char *found = strstr(line, field);
        assert_non_null(found);
        assert_null(memchr(line, '\n', (size_t)(found - line)));
        line = strchr(line, '\n') + 1;
    }
    free(text);
}

/* A vocabulary may hold anything; no file may. */
static void test_hostile_words(void **state)
{
    (void)state;
    static const struct utter_word words[] = {{"\x1B[2Jred\n\n9", 0, 1500, 0.5f}};
    static const enum sink_format formats[] = {SINK_TEXT, SINK_JSONL, SINK_SRT, SINK_VTT};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        assert_int_equal(truncate(scratch_file, 0), 0);
        struct sink *sink = open_sink(formats[i], false);
        struct utter_event event = words_event(UTTER_EVENT_FINAL, 1, words, 1, words[0].text);
        send(sink, &event);
        close_sink(sink);
        char *text = read_file();
        assert_non_null(strstr(text, "red  9"));
        assert_null(strchr(text, 0x1B));
        assert_null(strstr(text, "\\u001"));
        free(text);
    }
}

/* A gap whose utterance never gets a FINAL comes with the next one, or at the end. */
static void test_gap_is_never_lost(void **state)
{
    (void)state;
    struct sink *sink = open_sink(SINK_TEXT, false);
    struct utter_event outside = gap_event(0, 0, 500);
    send(sink, &outside);
    expect_file("[0.50 s of audio lost]\n");
    struct utter_event held = gap_event(1, 1000, 1100);
    send(sink, &held);
    expect_file("[0.50 s of audio lost]\n");
    struct utter_event next = words_event(UTTER_EVENT_FINAL, 2, THREE, 1, "three");
    send(sink, &next);
    expect_file("[0.50 s of audio lost]\n[0.10 s of audio lost]\nthree\n");
    struct utter_event last = gap_event(3, 9000, 9200);
    send(sink, &last);
    close_sink(sink);
    expect_file("[0.50 s of audio lost]\n[0.10 s of audio lost]\nthree\n[0.20 s of audio lost]\n");
}

/* To the sample, and as JSON rounds it. */
static void test_gap_is_exact(void **state)
{
    (void)state;
    static const enum sink_format formats[] = {SINK_TEXT, SINK_JSONL, SINK_VTT};
    static const char *const expected[] = {"[0.350063 s of", "\"lost\":0.350063}",
                                           "\n[0.350063 s of"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct utter_event gap = gap_event(0, 0, 5601);
        struct utter_error error;
        assert_int_equal(truncate(scratch_file, 0), 0);
        struct sink *sink = sink_open(
            scratch_file,
            &(struct sink_options){.format = formats[i], .sample_rate = 16000, .replace = true},
            &error);
        assert_non_null(sink);
        send(sink, &gap);
        close_sink(sink);
        char *text = read_file();
        assert_non_null(strstr(text, expected[i]));
        free(text);
    }
}

static void test_gap_says_whose_it_is(void **state)
{
    (void)state;
    static const char *const speakers[] = {"mic", "desktop"};
    struct utter_event gap = gap_event(0, 0, 500);
    struct utter_error error;
    struct sink *sink = sink_open(
        scratch_file,
        &(struct sink_options){.format = SINK_TEXT, .sample_rate = RATE, .speakers = speakers},
        &error);
    assert_non_null(sink);
    assert_true(sink_event(sink, &gap, 0, &error));
    gap.lost = 250; /* of half a second */
    assert_true(sink_event(sink, &gap, 2, &error));
    close_sink(sink);
    expect_file("[0.50 s of audio lost]\ndesktop: [0.25 s of audio lost]\n");
}

static void test_empty_final_is_no_line(void **state)
{
    (void)state;
    struct sink *sink = open_sink(SINK_TEXT, false);
    struct utter_event event = {.type = UTTER_EVENT_FINAL, .utterance = 1, .text = ""};
    send(sink, &event);
    close_sink(sink);
    expect_file("");
}

static void test_text_is_appended_subtitles_are_not(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct sink *sink = open_sink(SINK_TEXT, false);
        struct utter_event event = words_event(UTTER_EVENT_FINAL, 1, THREE, 1, "three");
        send(sink, &event);
        close_sink(sink);
    }
    expect_file("three\nthree\n");
    struct sink_options options = {SINK_SRT, CASE_AS_IS, RATE, false};
    struct utter_error error;
    assert_null(sink_open(scratch_file, &options, &error));
    assert_non_null(strstr(error.message, scratch_file));
    assert_non_null(strstr(error.message, "exists already"));
    expect_file("three\nthree\n");
}

/* A disk that is full for a while costs nothing, not even half a line. */
static void test_refused_writes_are_tried_again(void **state)
{
    (void)state;
    struct sink *sink = open_sink(SINK_TEXT, false);
    struct utter_event first = words_event(UTTER_EVENT_FINAL, 1, ONE_TWO, 2, "one two");
    struct utter_event second = words_event(UTTER_EVENT_FINAL, 2, THREE, 1, "three");
    struct utter_error error = {UTTER_OK, ""};

    limit_files(8);
    assert_true(sink_event(sink, &first, 0, &error));
    assert_true(settle(sink, &error));
    limit_files(11);
    sink_event(sink, &second, 0, NULL);
    bool flushed = settle(sink, &error);
    limit_files(RLIM_INFINITY);
    assert_false(flushed);
    assert_non_null(strstr(error.message, "cannot write: File too large"));
    expect_file("one two\nthr");

    assert_true(settle(sink, &error));
    expect_file("one two\nthree\n");
    close_sink(sink);
    expect_file("one two\nthree\n");
}

static void test_close_says_what_was_not_written(void **state)
{
    (void)state;
    struct sink_options options = {SINK_TEXT, CASE_AS_IS, RATE, false};
    struct utter_error error = {UTTER_OK, ""};
    struct sink *sink = sink_open("/dev/full", &options, &error);
    struct utter_event event = words_event(UTTER_EVENT_FINAL, 1, THREE, 1, "three");
    sink_event(sink, &event, 0, NULL);
    assert_false(settle(sink, &error));
    assert_false(sink_close(sink, &error));
    assert_string_equal(error.message, "/dev/full: cannot write: No space left on device");
}

static void test_recordings(void **state)
{
    (void)state;
    const struct utter_transcript transcript = {
        .text = "ONE TWO", .words = ONE_TWO, .word_count = 2};
    struct sink_recording recording = {"a.wav", RATE, 3000, false, &transcript};
    char *text = sink_recording(SINK_TEXT, CASE_LOWER, &recording);
    assert_string_equal(text, "one two\n");
    free(text);
    recording.prefix = true;
    text = sink_recording(SINK_TEXT, CASE_SENTENCE, &recording);
    assert_string_equal(text, "a.wav: One two\n");
    free(text);
    text = sink_recording(SINK_VTT, CASE_AS_IS, &recording);
    assert_string_equal(text, "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\none two\n\n");
    free(text);
    text = sink_recording(SINK_JSON, CASE_LOWER, &recording);
    json_t *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, "file")), "a.wav");
    assert_string_equal(json_string_value(json_object_get(object, "text")), "one two");
    assert_true(json_real_value(json_object_get(object, "duration")) == 3.0);
    assert_int_equal(json_array_size(json_object_get(object, "words")), 2);
    json_decref(object);
    free(text);
}

static void test_format_names(void **state)
{
    (void)state;
    enum sink_format format;
    assert_true(sink_format_parse("vtt", &format));
    assert_int_equal(format, SINK_VTT);
    assert_false(sink_format_parse("vt", &format));
    assert_string_equal(sink_format_extension(SINK_TEXT), "txt");
    assert_string_equal(sink_format_extension(SINK_JSONL), "jsonl");
}

#define WITH_FILE(test)                                                                            \
    cmocka_unit_test_setup_teardown(test, scratch_file_make, scratch_file_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(test_text),
        WITH_FILE(test_srt),
        WITH_FILE(test_vtt),
        WITH_FILE(test_words_without_a_final_are_kept),
        WITH_FILE(test_being_behind_is_told),
        WITH_FILE(test_jsonl),
        WITH_FILE(test_jsonl_drafts),
        WITH_FILE(test_jsonl_case),
        WITH_FILE(test_hostile_words),
        WITH_FILE(test_gap_is_never_lost),
        WITH_FILE(test_gap_is_exact),
        WITH_FILE(test_gap_says_whose_it_is),
        WITH_FILE(test_empty_final_is_no_line),
        WITH_FILE(test_text_is_appended_subtitles_are_not),
        WITH_FILE(test_refused_writes_are_tried_again),
        cmocka_unit_test(test_close_says_what_was_not_written),
        cmocka_unit_test(test_recordings),
        cmocka_unit_test(test_format_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

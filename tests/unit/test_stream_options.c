/* SPDX-License-Identifier: MIT */
/* What a stream makes of its caller's options and arguments. */
#include "stream/stream.h"
#include "voice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void options_are_checked(void **state)
{
    (void)state;
    struct utter_error error;
    struct voice_model model = {0};
    const struct acoustic acoustic = voice_acoustic(&model);
    struct utter_stream_options options, given = UTTER_STREAM_OPTIONS_INIT;
    given.hop_ms = -1;
    assert_int_equal(stream_options(&options, &given, &acoustic, &error), UTTER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "hop_ms is -1"));
    given.hop_ms = 0;
    given.latency = (enum utter_latency)4;
    assert_int_equal(stream_options(&options, &given, &acoustic, &error), UTTER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "latency is 4"));
    given.latency = UTTER_LATENCY_LOW;
    given.encoder = (enum utter_encoder) - 1;
    assert_int_equal(stream_options(&options, &given, &acoustic, &error), UTTER_ERROR_ARGUMENT);
    given.encoder = 0;
    given.size = 0;
    assert_int_equal(stream_options(&options, &given, &acoustic, &error), UTTER_ERROR_ARGUMENT);
    /* An older, shorter struct; then a newer one, which sets nothing that is not known. */
    given.size = offsetof(struct utter_stream_options, left_context_ms);
    given.left_context_ms = -5;
    assert_int_equal(stream_options(&options, &given, &acoustic, &error), UTTER_OK);
    assert_int_equal(options.left_context_ms, 4000);
    struct {
        struct utter_stream_options known;
        int later;
    } newer = {.known.size = sizeof newer};
    assert_int_equal(stream_options(&options, &newer.known, &acoustic, &error), UTTER_OK);
    newer.later = 1;
    assert_int_equal(stream_options(&options, &newer.known, &acoustic, &error),
                     UTTER_ERROR_ARGUMENT);
}

static void latency_is_a_preset_that_may_be_overridden(void **state)
{
    (void)state;
    struct voice_model model = {0};
    const struct acoustic acoustic = voice_acoustic(&model);
    struct utter_stream_options low, normal, high, given = UTTER_STREAM_OPTIONS_INIT;
    assert_int_equal(stream_options(&normal, NULL, &acoustic, NULL), UTTER_OK);
    given.latency = UTTER_LATENCY_LOW;
    assert_int_equal(stream_options(&low, &given, &acoustic, NULL), UTTER_OK);
    given.latency = UTTER_LATENCY_HIGH;
    given.hop_ms = 123;
    assert_int_equal(stream_options(&high, &given, &acoustic, NULL), UTTER_OK);
    assert_int_equal(normal.latency, UTTER_LATENCY_NORMAL);
    assert_int_equal(normal.right_context_ms, 800);
    assert_true(low.right_context_ms < normal.right_context_ms);
    assert_true(low.hop_ms < normal.hop_ms);
    assert_true(high.right_context_ms > normal.right_context_ms);
    assert_int_equal(high.hop_ms, 123);
}

static void without_a_latency_it_is_the_models(void **state)
{
    (void)state;
    struct voice_model model = {0};
    struct acoustic acoustic = voice_acoustic(&model);
    struct utter_stream_options low, own, normal, given = UTTER_STREAM_OPTIONS_INIT;
    given.latency = UTTER_LATENCY_LOW;
    assert_int_equal(stream_options(&low, &given, &acoustic, NULL), UTTER_OK);
    acoustic.latency = UTTER_LATENCY_LOW;
    assert_int_equal(stream_options(&own, NULL, &acoustic, NULL), UTTER_OK);
    assert_int_equal(own.latency, UTTER_LATENCY_LOW);
    assert_int_equal(own.hop_ms, low.hop_ms);
    assert_int_equal(own.right_context_ms, low.right_context_ms);
    given.latency = UTTER_LATENCY_NORMAL;
    assert_int_equal(stream_options(&normal, &given, &acoustic, NULL), UTTER_OK);
    assert_true(normal.right_context_ms > low.right_context_ms);
}

static void bad_arguments_change_nothing(void **state)
{
    (void)state;
    struct utter_error error;
    struct voice_model model = {0};
    const struct acoustic acoustic = voice_acoustic(&model);
    struct utter_stream_options options;
    struct ctc_labels labels;
    float *samples = NULL;
    int64_t count = 0;
    voice_labels(&labels);
    voice_say(&samples, &count, "...a|b|");
    assert_int_equal(stream_options(&options, NULL, &acoustic, NULL), UTTER_OK);
    struct utter_stream *stream = stream_open(&acoustic, &labels, &options, NULL, NULL);
    assert_int_equal(utter_stream_feed(stream, samples, 1000, 0, &error), 1000);
    assert_int_equal(utter_stream_feed(stream, NULL, 10, 1000, &error), UTTER_ERROR_ARGUMENT);
    assert_int_equal(utter_stream_feed(stream, samples, -1, 1000, &error), UTTER_ERROR_ARGUMENT);
    assert_int_equal(utter_stream_feed(stream, samples, 10, 999, &error), UTTER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "position 999 is before 1000"));
    assert_int_equal(utter_stream_feed(stream, samples, 10, INT64_MAX, &error),
                     UTTER_ERROR_ARGUMENT);
    assert_int_equal(utter_stream_feed(NULL, samples, 10, 0, &error), UTTER_ERROR_ARGUMENT);
    assert_int_equal(utter_stream_flush(NULL, &error), UTTER_ERROR_ARGUMENT);
    assert_null(utter_stream_next(NULL));
    assert_null(utter_stream_open(NULL, NULL, &error));
    utter_stream_reset(NULL);
    utter_stream_close(NULL);
    const struct utter_event *event = NULL;
    for (int64_t at = 1000; at < count;) {
        at += utter_stream_feed(stream, samples + at, count - at, at, NULL);
        while (utter_stream_next(stream))
            ;
    }
    assert_int_equal(utter_stream_flush(stream, NULL), UTTER_OK);
    do
        event = utter_stream_next(stream);
    while (event && event->type != UTTER_EVENT_FINAL);
    assert_non_null(event);
    assert_string_equal(event->text, "a b");
    utter_stream_close(stream);
    ctc_labels_close(&labels);
    free(samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(latency_is_a_preset_that_may_be_overridden),
        cmocka_unit_test(without_a_latency_it_is_the_models),
        cmocka_unit_test(bad_arguments_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

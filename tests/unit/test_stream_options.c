/* SPDX-License-Identifier: MIT */
/* What a stream makes of its caller's options. */
#include "stream/stream.h"
#include "voice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(latency_is_a_preset_that_may_be_overridden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

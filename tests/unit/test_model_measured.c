/* SPDX-License-Identifier: MIT */
#include "model/measured.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static enum utter_code read_text(const char *text, struct measured *measured,
                                 struct utter_error *error)
{
    struct json_file file = {.path = {"dir/utter.json"}};
    enum utter_code code = json_file_parse(&file, text, strlen(text), error);
    if (code == UTTER_OK)
        code = measured_parse(measured, file.json, file.path.text, error);
    json_file_close(&file);
    return code;
}

static void expect_good(const char *text, enum utter_encoder encoder, enum utter_latency latency,
                        double word_error_rate)
{
    struct measured measured;
    struct utter_error error = {0};
    if (read_text(text, &measured, &error) != UTTER_OK)
        fail_msg("%s", error.message);
    assert_int_equal(measured.encoder, encoder);
    assert_int_equal(measured.latency, latency);
    assert_true(measured.word_error_rate == word_error_rate);
}

static void expect_failure(const char *text, const char *cause)
{
    struct measured measured;
    struct utter_error error = {0};
    assert_int_equal(read_text(text, &measured, &error), UTTER_ERROR_FORMAT);
    if (strncmp(error.message, "dir/utter.json: ", 16) != 0 || !strstr(error.message, cause))
        fail_msg("\"%s\" does not name the file and \"%s\"", error.message, cause);
}

static void test_every_field_is_optional(void **state)
{
    (void)state;
    const enum utter_encoder window = UTTER_ENCODER_WINDOW, cached = UTTER_ENCODER_CACHED;
    const enum utter_latency normal = UTTER_LATENCY_NORMAL;
    expect_good("{}", window, normal, -1);
    expect_good("{\"encoder\": \"window\", \"later\": [1]}", window, normal, -1);
    expect_good("{\"encoder\": \"cached\"}", cached, normal, -1);
    expect_good("{\"latency\": \"low\"}", window, UTTER_LATENCY_LOW, -1);
    expect_good("{\"latency\": \"normal\"}", window, normal, -1);
    expect_good("{\"latency\": \"high\", \"encoder\": \"cached\"}", cached, UTTER_LATENCY_HIGH, -1);
    expect_good("{\"word_error_rate\": 38.5}", window, normal, 38.5);
    expect_good("{\"word_error_rate\": 0}", window, normal, 0);
    expect_good("{\"encoder\": null, \"latency\": null, \"word_error_rate\": null}", window, normal,
                -1);
}

static void test_nonsense_is_refused(void **state)
{
    (void)state;
    expect_failure("{\"encoder\": \"causal\"}", "encoder must be \"cached\" or \"window\"");
    expect_failure("{\"encoder\": 1}", "encoder must be a string");
    expect_failure("{\"latency\": \"lower\"}", "latency must be \"low\", \"normal\" or \"high\"");
    expect_failure("{\"latency\": 320}", "latency must be a string");
    expect_failure("{\"encoder\": \"\", \"latency\": \"\"}", "encoder must be");
    expect_failure("{\"word_error_rate\": -1}", "word_error_rate must be a number of 0 to 10000");
    expect_failure("{\"word_error_rate\": \"low\"}", "word_error_rate must be a number");
    expect_failure("[]", "");
    expect_failure("{\"encoder\":", "");
}

static void test_no_file_is_no_failure(void **state)
{
    (void)state;
    struct measured measured;
    assert_int_equal(measured_read(&measured, GOLDEN_DIRECTORY "/base", NULL), UTTER_OK);
    assert_int_equal(measured.encoder, UTTER_ENCODER_WINDOW);
    assert_int_equal(measured.latency, UTTER_LATENCY_NORMAL);
    assert_true(measured.word_error_rate == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field_is_optional),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_no_file_is_no_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

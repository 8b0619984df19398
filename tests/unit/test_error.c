/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistr.h>

#include <cmocka.h>

static void test_message_and_code(void **state)
{
    (void)state;
    struct utter_error error = {0};
    assert_int_equal(error_set(&error, UTTER_ERROR_FILE, "%s: %d", "name", 7), UTTER_ERROR_FILE);
    assert_int_equal(error.code, UTTER_ERROR_FILE);
    assert_string_equal(error.message, "name: 7");
    assert_int_equal(error_set(NULL, UTTER_ERROR_SYSTEM, "x"), UTTER_ERROR_SYSTEM);
    assert_int_equal(error_memory(&error, "the model"), UTTER_ERROR_MEMORY);
    assert_string_equal(error.message, "out of memory for the model");
}

static void test_message_is_one_line_of_printable_text(void **state)
{
    (void)state;
    struct utter_error error;
    error_set(&error, UTTER_ERROR_FILE, "%s", "a\nb\x1b[2J\x7f\u00e9\u202e\u2066\xc2\x85z");
    assert_string_equal(error.message, "a?b?[2J?\u00e9"
                                       "????"
                                       "????"
                                       "z");
    error_set(&error, UTTER_ERROR_FILE, "%s", "\xff\xc3(\xe2\x82");
    assert_string_equal(error.message, "?"
                                       "?"
                                       "("
                                       "?"
                                       "?");
}

static void test_long_message_stays_valid(void **state)
{
    (void)state;
    struct utter_error error;
    char text[2000] = "";
    for (size_t i = 0; i + 3 < sizeof text; i += 3)
        memcpy(text + i, "\u20ac", 4);
    error_set(&error, UTTER_ERROR_FILE, "x%s", text);
    assert_true(strlen(error.message) < sizeof error.message);
    assert_true(strlen(error.message) > sizeof error.message - 8);
    assert_null(u8_check((const uint8_t *)error.message, strlen(error.message)));
}

static void test_long_path_shows_its_end(void **state)
{
    (void)state;
    char path[1000];
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    memcpy(path + sizeof path - 1 - 12, "/config.json", 12);
    const char *shown = error_path(path);
    assert_int_equal(strlen(shown), 240);
    assert_non_null(strstr(shown, "/config.json"));
    assert_string_equal(error_path("short"), "short");
    memcpy(path + sizeof path - 1 - 241, "\u20ac", 3); /* the cut would fall inside */
    assert_int_equal(strlen(error_path(path)), 238);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_and_code),
        cmocka_unit_test(test_message_is_one_line_of_printable_text),
        cmocka_unit_test(test_long_message_stays_valid),
        cmocka_unit_test(test_long_path_shows_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Upper and lower case, of whole texts and word by word. */
#include "app/case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_case(enum letter_case letter_case, const char *text, const char *expected)
{
    bool start = true;
    char *cased = case_apply(letter_case, text, &start);
    assert_non_null(cased);
    assert_string_equal(cased, expected);
    free(cased);
}

static void test_as_is(void **state)
{
    (void)state;
    expect_case(CASE_AS_IS, "ONE Two <unk>", "ONE Two <unk>");
    expect_case(CASE_AS_IS, "", "");
}

static void test_lower(void **state)
{
    (void)state;
    expect_case(CASE_LOWER, "", "");
    expect_case(CASE_LOWER, "ONE TWO", "one two");
    expect_case(CASE_LOWER, "ÀÉ ΟΔΟΣ", "àé οδος");
}

static void test_sentence(void **state)
{
    (void)state;
    expect_case(CASE_SENTENCE, "", "");
    expect_case(CASE_SENTENCE, "ONE TWO", "One two");
    expect_case(CASE_SENTENCE, "YES. AND NO? GOOD! OK", "Yes. And no? Good! Ok");
    expect_case(CASE_SENTENCE, "\"ÉCOUTEZ\"", "\"Écoutez\"");
    expect_case(CASE_SENTENCE, "3 BEARS", "3 bears");
    expect_case(CASE_SENTENCE, "日本 ABC", "日本 abc");
}

/* Words one by one give what the whole text gives. */
static void test_words_carry_the_sentence(void **state)
{
    (void)state;
    bool start = true;
    static const char *const words[] = {"ONE", "TWO.", "THREE"};
    static const char *const expected[] = {"One", "two.", "Three"};
    for (int i = 0; i < 3; i++) {
        char *cased = case_apply(CASE_SENTENCE, words[i], &start);
        assert_string_equal(cased, expected[i]);
        free(cased);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_is),
        cmocka_unit_test(test_lower),
        cmocka_unit_test(test_sentence),
        cmocka_unit_test(test_words_carry_the_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

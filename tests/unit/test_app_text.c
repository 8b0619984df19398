/* SPDX-License-Identifier: MIT */
/* What reaches a terminal is harmless, and lines fit it. */
#include "app/text.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistr.h>
#include <uniwidth.h>
#include <wchar.h>

static void expect_clean(const char *text, const char *expected)
{
    char *clean = text_clean(text);
    assert_non_null(clean);
    assert_string_equal(clean, expected);
    free(clean);
}

static void test_clean_keeps_text(void **state)
{
    (void)state;
    expect_clean("", "");
    expect_clean("seven o'clock", "seven o'clock");
    expect_clean("naïve Ωμέγα 日本語 עברית", "naïve Ωμέγα 日本語 עברית");
    expect_clean("e\xCC\x81", "e\xCC\x81"); /* combining acute */
    expect_clean("\xD9\x85\xE2\x80\x8C\xD8\xA7", "\xD9\x85\xE2\x80\x8C\xD8\xA7"); /* non-joiner */
    expect_clean("👩\xE2\x80\x8D🚀", "👩\xE2\x80\x8D🚀");
}

static void test_clean_strips_controls(void **state)
{
    (void)state;
    expect_clean("a\nb\tc\rd", "a b c d");
    expect_clean("a\x01\x7F\bb", "ab");
    expect_clean("a\xC2\x85"
                 "b",
                 "a b"); /* next line */
    expect_clean("a\xC2\x80\xC2\x9E"
                 "b",
                 "ab");
    expect_clean("x\xE2\x80\xA8y\xE2\x80\xA9z", "x y z");
}

static void test_clean_strips_escape_sequences(void **state)
{
    (void)state;
    expect_clean("\x1B[31mred\x1B[0m", "red");
    expect_clean("\x1B[?1049h\x1B[2J\x1B[1;1Hx", "x");
    expect_clean("\x1B]0;title\x07x", "x");
    expect_clean("\x1B]52;c;aGk=\x1B\\x", "x");
    expect_clean("\x1BP1$r\x1B\\x", "x");
    expect_clean("\xC2\x9B"
                 "31mred",
                 "red");
    expect_clean("\xC2\x9D"
                 "0;title\xC2\x9Cx",
                 "x");
    expect_clean("\x1B(0x\x1B"
                 "c",
                 "x");
    expect_clean("a\x1B", "a");
    expect_clean("a\x1B[", "a");
    expect_clean("\x1B]0;no end", "0;no end");
    expect_clean("\x1B\x1B[31mx", "x");
    expect_clean("\x1B[\x1B[31mx", "x");
}

static void test_clean_strips_bidi_and_invisible(void **state)
{
    (void)state;
    expect_clean("a\xE2\x80\xAE"
                 "b\xE2\x80\xAC"
                 "c",
                 "abc"); /* override, pop */
    expect_clean("a\xE2\x81\xA6"
                 "b\xE2\x81\xA9"
                 "c",
                 "abc"); /* isolate, pop */
    expect_clean("a\xE2\x80\x8E"
                 "b\xE2\x80\x8F"
                 "c\xD8\x9C",
                 "abc");
    expect_clean("\xEF\xBB\xBF"
                 "a\xE2\x80\x8B"
                 "b",
                 "ab");
    expect_clean("a\xF3\xA0\x81\x81"
                 "b",
                 "ab"); /* tag A */
}

static void test_clean_replaces_broken_bytes(void **state)
{
    (void)state;
    expect_clean("a\xFF"
                 "b",
                 "a\xEF\xBF\xBD"
                 "b");
    expect_clean("\xC3", "\xEF\xBF\xBD");
    expect_clean("\xED\xA0\x80"
                 "b",
                 "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
                 "b");                            /* surrogate */
    expect_clean("\xEF\xBF\xBE", "\xEF\xBF\xBD"); /* noncharacter */
}

/* Whatever goes in, what comes out is valid, is clean already, and steers nothing. */
static void test_clean_random(void **state)
{
    (void)state;
    static const char pieces[][5] = {"\x1B", "[", "]",  "\x07",    "\xC2\x9B", "\xE2\x80\xAE",
                                     "a",    "é", "日", "\xFF",    "\\",       ";",
                                     "3",    "m", "\n", "\xC2\x9C"};
    srand(1);
    for (int round = 0; round < 20000; round++) {
        char text[64] = "";
        for (int i = rand() % 12; i > 0; i--)
            strcat(text, pieces[(size_t)rand() % (sizeof pieces / sizeof pieces[0])]);
        char *clean = text_clean(text);
        assert_non_null(clean);
        assert_null(u8_check((const uint8_t *)clean, strlen(clean)));
        for (const char *at = clean; *at != '\0'; at++)
            assert_false((unsigned char)*at < 0x20 || *at == 0x7F);
        assert_null(strstr(clean, "\xC2\x9B"));
        assert_null(strstr(clean, "\xE2\x80\xAE"));
        char *again = text_clean(clean);
        assert_string_equal(again, clean);
        free(again);
        free(clean);
    }
}

static void test_copy(void **state)
{
    (void)state;
    char small[6];
    text_copy(small, sizeof small, "abcdefgh");
    assert_string_equal(small, "abcde");
    text_copy(small, sizeof small, "abcdé");
    assert_string_equal(small, "abcd");
    text_copy(small, 1, "abc");
    assert_string_equal(small, "");
}

/* In the program's locale; how many it is that libunistring counts otherwise is printed. */
static void test_width_is_what_ncurses_draws(void **state)
{
    (void)state;
    int otherwise = 0;
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        skip();
    for (ucs4_t character = 0x20; character <= 0x10FFFF; character++) {
        uint8_t text[6];
        int bytes = u8_uctomb(text, character, sizeof text), drawn = wcwidth((wchar_t)character);
        if (bytes < 0 || drawn < 0)
            continue;
        assert_int_equal(text_width((const char *)text, (size_t)bytes), drawn);
        otherwise += u8_width(text, (size_t)bytes, "UTF-8") != drawn;
    }
    print_message("%d characters\n", otherwise);
    setlocale(LC_CTYPE, "C");
}

static void test_width(void **state)
{
    (void)state;
    assert_int_equal(text_width("abc", 3), 3);
    assert_int_equal(text_width("日本", 6), 4);
    assert_int_equal(text_width("e\xCC\x81", 3), 1);
    assert_int_equal(text_fit("日本語", 9, 5), 6);
    assert_int_equal(text_fit("ae\xCC\x81x", 5, 2), 4);
    assert_int_equal(text_fit("日", 3, 1), 3);
}

static void expect_wrap(const char *text, int columns, const char *const *expected)
{
    struct text_line lines[32];
    size_t count = text_wrap(text, columns, lines, 32);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(expected[i]);
        assert_int_equal(lines[i].end - lines[i].start, strlen(expected[i]));
        assert_memory_equal(text + lines[i].start, expected[i], strlen(expected[i]));
        assert_int_equal(lines[i].width, text_width(expected[i], strlen(expected[i])));
    }
    assert_null(expected[count]);
}

static void test_wrap(void **state)
{
    (void)state;
    expect_wrap("", 10, (const char *[]){NULL});
    expect_wrap("   ", 10, (const char *[]){NULL});
    expect_wrap("one two three", 80, (const char *[]){"one two three", NULL});
    expect_wrap("one two three", 7, (const char *[]){"one two", "three", NULL});
    expect_wrap("one two three", 6, (const char *[]){"one", "two", "three", NULL});
    expect_wrap("  one   two  ", 5, (const char *[]){"one", "two", NULL});
    expect_wrap("extraordinary day", 6, (const char *[]){"extrao", "rdinar", "y day", NULL});
    expect_wrap("日本語です", 5, (const char *[]){"日本", "語で", "す", NULL});
    expect_wrap("don't stop", 6, (const char *[]){"don't", "stop", NULL});
}

static void test_wrap_counts_beyond_limit(void **state)
{
    (void)state;
    struct text_line line;
    assert_int_equal(text_wrap("a b c", 2, &line, 1), 3);
    assert_int_equal(line.end, 1);
    assert_int_equal(text_wrap("a b c", 2, NULL, 0), 3);
}

/* Lines fit, lose nothing but spaces, and come in order. */
static void test_wrap_random(void **state)
{
    (void)state;
    static const char pieces[][9] = {"a", "bc", "日", "é", "e\xCC\x81", "👩\xE2\x80\x8D",
                                     " ", " ",  "  ", "-", "xyzxyz",    "ש"};
    srand(2);
    for (int round = 0; round < 5000; round++) {
        char text[512] = "";
        for (int i = rand() % 40; i > 0; i--)
            strcat(text, pieces[(size_t)rand() % (sizeof pieces / sizeof pieces[0])]);
        int columns = 2 + rand() % 20;
        struct text_line lines[256];
        size_t count = text_wrap(text, columns, lines, 256);
        size_t at = 0;
        for (size_t i = 0; i < count; i++) {
            assert_true(lines[i].start >= at && lines[i].end > lines[i].start);
            for (; at < lines[i].start; at++)
                assert_int_equal(text[at], ' ');
            at = lines[i].end;
            assert_true(lines[i].width <= columns);
        }
        assert_int_equal(strspn(text + at, " "), strlen(text + at));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean_keeps_text),
        cmocka_unit_test(test_clean_strips_controls),
        cmocka_unit_test(test_clean_strips_escape_sequences),
        cmocka_unit_test(test_clean_strips_bidi_and_invisible),
        cmocka_unit_test(test_clean_replaces_broken_bytes),
        cmocka_unit_test(test_clean_random),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_width_is_what_ncurses_draws),
        cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_wrap_counts_beyond_limit),
        cmocka_unit_test(test_wrap_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

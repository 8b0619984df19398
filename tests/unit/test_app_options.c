/* SPDX-License-Identifier: MIT */
/* Command lines are read as written, and what is wrong with them is said in one line. */
#include "app/options.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct option OPTIONS[] = {
    {"format", required_argument, NULL, 'f'},
    {"threads", required_argument, NULL, UCHAR_MAX + 1},
    {"drafts", no_argument, NULL, 'd'},
    {NULL, 0, NULL, 0},
};

static char said[1024]; /* what standard error got */

/* Runs `statement` and collects what it prints to standard error. */
#define CAPTURE(statement)                                                                         \
    do {                                                                                           \
        FILE *capture = tmpfile();                                                                 \
        int saved = dup(STDERR_FILENO);                                                            \
        fflush(stderr);                                                                            \
        dup2(fileno(capture), STDERR_FILENO);                                                      \
        statement;                                                                                 \
        fflush(stderr);                                                                            \
        dup2(saved, STDERR_FILENO);                                                                \
        close(saved);                                                                              \
        rewind(capture);                                                                           \
        said[fread(said, 1, sizeof said - 1, capture)] = '\0';                                     \
        fclose(capture);                                                                           \
    } while (0)

/* All options of a command line until the end or an error, as letters; 't' for --threads. */
static const char *parse(const char *const *words)
{
    static char letters[32];
    char *argv[16] = {(char *)"listen"};
    int argc = 1, option;
    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = (char *)words[argc - 1];
    size_t count = 0;
    optind = 0; /* glibc: start afresh */
    do {
        option = options_next(argc, argv, "f:d", OPTIONS);
        letters[count++] = option == OPTIONS_END ? '.' : option > UCHAR_MAX ? 't' : (char)option;
    } while (option != OPTIONS_END && option != OPTIONS_ERROR);
    letters[count] = '\0';
    return letters;
}

static void expect_parse(const char *const *words, const char *letters, const char *message)
{
    const char *got;
    CAPTURE(got = parse(words));
    assert_string_equal(got, letters);
    assert_string_equal(said, message);
}

static void test_options(void **state)
{
    (void)state;
    expect_parse((const char *[]){NULL}, ".", "");
    expect_parse((const char *[]){"-f", "srt", "-d", "file", NULL}, "fd.", "");
    expect_parse((const char *[]){"file", "-dfsrt", NULL}, "df.", "");
    expect_parse((const char *[]){"--format=srt", "--threads", "2", "-", NULL}, "ft.", "");
    expect_parse((const char *[]){"--form", "srt", "--", "-d", NULL}, "f.", "");
}

static void test_mistakes(void **state)
{
    (void)state;
    expect_parse((const char *[]){"a", "--formt=x", "b", NULL}, "?",
                 "utter: unknown option --formt=x: did you mean --format? (see utter listen "
                 "--help)\n");
    expect_parse((const char *[]){"--zebra", NULL}, "?",
                 "utter: unknown option --zebra (see utter listen --help)\n");
    expect_parse((const char *[]){"-d", "-x", NULL}, "d?",
                 "utter: unknown option -x (see utter listen --help)\n");
    expect_parse((const char *[]){"--drafts", "-xz", "file", NULL}, "d?",
                 "utter: unknown option -x (see utter listen --help)\n");
    expect_parse((const char *[]){"file", "--format", NULL}, "?",
                 "utter: option --format needs a value (see utter listen --help)\n");
    expect_parse((const char *[]){"file", "-f", NULL}, "?",
                 "utter: option -f needs a value (see utter listen --help)\n");
    expect_parse((const char *[]){"--drafts=yes", NULL}, "?",
                 "utter: option --drafts=yes: takes no value (see utter listen --help)\n");
    expect_parse((const char *[]){"--\x1B[31m", NULL}, "?",
                 "utter: unknown option -- (see utter listen --help)\n");
}

static void test_numbers(void **state)
{
    (void)state;
    int number = 0;
    struct utter_error error;
    assert_true(options_integer("--threads", "4", 1, 8, &number, &error));
    assert_int_equal(number, 4);
    static const char *const broken[] = {"", "x", "4x", "0", "9", "99999999999999999999", "2.5"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        assert_false(options_integer("--threads", broken[i], 1, 8, &number, &error));
        assert_non_null(strstr(error.message, "--threads"));
        assert_non_null(strstr(error.message, "not a whole number from 1 to 8"));
    }
    assert_true(options_seconds("--window", "2.5", 1, 60, &number, &error));
    assert_int_equal(number, 2500);
    static const char *const times[] = {"", "nan", "inf", "0.5", "61", "1e", "5s"};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        assert_false(options_seconds("--window", times[i], 1, 60, &number, &error));
}

static void test_choices(void **state)
{
    (void)state;
    static const char *const cases[] = {"as-is", "lower", "sentence", NULL};
    int index;
    struct utter_error error;
    assert_true(options_choice("--case", "sentence", cases, &index, &error));
    assert_int_equal(index, 2);
    assert_false(options_choice("--case", "upper", cases, &index, &error));
    assert_string_equal(error.message, "--case upper: must be as-is, lower or sentence");
}

static void test_suggestions(void **state)
{
    (void)state;
    static const char *const names[] = {"listen", "transcribe", "devices", NULL};
    assert_string_equal(options_suggest("lisen", names), "listen");
    assert_string_equal(options_suggest("device", names), "devices");
    assert_string_equal(options_suggest("trans", names), "transcribe");
    assert_string_equal(options_suggest("transcirbe", names), "transcribe");
    assert_null(options_suggest("talk.wav", names));
    assert_null(options_suggest("", names));
    char endless[500];
    memset(endless, 'l', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(options_suggest(endless, names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),     cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_numbers),     cmocka_unit_test(test_choices),
        cmocka_unit_test(test_suggestions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

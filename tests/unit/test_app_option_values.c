/* SPDX-License-Identifier: MIT */
/* Who sets an option: the file, its section, the environment, the command line, in that order. */
#include "app/option_values.h"
#include "app/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct option_help HELP = {"above\n", "below\n"};
static char path[] = "/tmp/utter-test-option-values-XXXXXX";
static char said[1024]; /* what standard error got */

static int make_file(void **state)
{
    (void)state;
    strcpy(path + strlen(path) - 6, "XXXXXX");
    unsetenv("UTTER_MODEL");
    unsetenv("UTTER_DEVICE");
    unsetenv("UTTER_THREADS");
    int descriptor = mkstemp(path);
    setenv("UTTER_CONFIG", path, 1);
    return descriptor < 0 ? -1 : close(descriptor);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Reads the options of `words`, [0] of which is the command's name, with what is said to us. */
static int read_values(struct option_values *values, enum option_command command,
                       const char *const *words)
{
    char *argv[16] = {NULL};
    int argc = 0;
    for (; words[argc] != NULL; argc++)
        argv[argc] = (char *)words[argc];
    FILE *capture = tmpfile();
    int saved = dup(STDERR_FILENO);
    fflush(stderr);
    dup2(fileno(capture), STDERR_FILENO);
    optind = 0; /* glibc: start afresh */
    int status = option_values_read(values, command, argc, argv, &HELP);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(capture);
    said[fread(said, 1, sizeof said - 1, capture)] = '\0';
    fclose(capture);
    return status;
}

static void expect_option(const struct option_values *values, enum option_id id, const char *text,
                          int number, const char *label)
{
    char got[256] = "";
    if (option_values_origin(values, id) != OPTION_FROM_NOWHERE)
        option_values_label(values, id, got, sizeof got);
    if (text == NULL)
        assert_null(option_values_text(values, id));
    else
        assert_string_equal(option_values_text(values, id), text);
    assert_int_equal(option_values_number(values, id), number);
    const char *name = strncmp(got, path, strlen(path)) == 0 ? got + strlen(path) : got;
    assert_string_equal(name, label);
}

static void test_defaults(void **state)
{
    (void)state;
    struct option_values values;
    assert_int_equal(read_values(&values, COMMAND_EVAL, (const char *[]){"eval", "x", NULL}),
                     OPTIONS_END);
    assert_int_equal(optind, 1);
    expect_option(&values, OPTION_MODEL, NULL, 0, "");
    expect_option(&values, OPTION_GATE, NULL, 1, "");
    expect_option(&values, OPTION_STREAM, NULL, 0, "");
    expect_option(&values, OPTION_WINDOW, NULL, 30000, "");
    option_values_free(&values);
}

static void test_order(void **state)
{
    (void)state;
    struct option_values values;
    write_file("threads = 2\n"
               "model = ~/m\n"
               "case = lower\n"
               "gate = no\n"
               "[transcribe]\n"
               "case = sentence\n"
               "window = 12.5\n"
               "format = json\n"
               "stride =\n"
               "[listen]\n"
               "case = as-is\n"
               "[keys]\n"
               "quit = x\n");
    setenv("HOME", "/home/me", 1);
    setenv("UTTER_THREADS", "3", 1);
    const char *words[] = {"transcribe", "file", "-j4", "--case=lower", "--", "-j5", NULL};
    assert_int_equal(read_values(&values, COMMAND_TRANSCRIBE, words), OPTIONS_END);
    expect_option(&values, OPTION_THREADS, "4", 4, "--threads");
    expect_option(&values, OPTION_CASE, "lower", 1, "--case");
    expect_option(&values, OPTION_MODEL, "/home/me/m", 0, ":2: model");
    expect_option(&values, OPTION_WINDOW, "12.5", 12500, ":7: window");
    expect_option(&values, OPTION_TRANSCRIBE_FORMAT, "json", 1, ":8: format");
    expect_option(&values, OPTION_STRIDE, NULL, 0, "");
    option_values_free(&values);

    assert_int_equal(read_values(&values, COMMAND_EVAL, (const char *[]){"eval", NULL}),
                     OPTIONS_END);
    expect_option(&values, OPTION_THREADS, "3", 3, "UTTER_THREADS");
    expect_option(&values, OPTION_GATE, "no", 0, ":4: gate");
    option_values_free(&values);
    words[0] = "eval", words[1] = "--gate", words[2] = "--no-stream", words[3] = NULL;
    assert_int_equal(read_values(&values, COMMAND_EVAL, words), OPTIONS_END);
    expect_option(&values, OPTION_GATE, "yes", 1, "--gate");
    expect_option(&values, OPTION_STREAM, "no", 0, "--stream");
    option_values_free(&values);
}

static void expect_mistake(const char *text, const char *message)
{
    struct option_values values;
    char expected[512];
    write_file(text);
    assert_int_equal(read_values(&values, COMMAND_LISTEN, (const char *[]){"listen", NULL}),
                     OPTIONS_USAGE);
    snprintf(expected, sizeof expected, "utter: %s:%s\n", path, message);
    assert_string_equal(said, expected);
    option_values_free(&values);
}

static void test_mistakes(void **state)
{
    (void)state;
    struct option_values values;
    expect_mistake("a = 1\n", "1: unknown option a (see man utter-config)");
    expect_mistake("\ndevise = 1\n", "2: unknown option devise: did you mean device?");
    expect_mistake("[listen]\nhelp = yes\n", "2: unknown option help (see man utter-config)");
    expect_mistake("[listen]\nwindow = 3\n", "2: unknown option window (see man utter-config)");
    expect_mistake("[lisen]\ndevice = x\n", "2: [lisen] is no section (see man utter-config)");
    expect_mistake("threads = 0\n", "1: threads = 0: not a whole number from 1 to 1024");
    expect_mistake("drafts = true\n", "1: drafts = true: must be no or yes");
    expect_mistake("format = json\n", "1: format = json: must be text, jsonl, srt or vtt");
    expect_mistake("format\n", "1: is neither [section] nor name = value (see man utter-config)");
    /* What others read is theirs to refuse, but for `utter config`, which reads all. */
    write_file("[transcribe]\nwindow = x\n");
    assert_int_equal(read_values(&values, COMMAND_LISTEN, (const char *[]){"listen", NULL}),
                     OPTIONS_END);
    struct utter_error error;
    assert_false(option_values_check(values.configuration, &error));
    assert_non_null(strstr(error.message, ":2: window = x: not a number of seconds"));
    option_values_free(&values);

    write_file("");
    setenv("UTTER_THREADS", "many", 1);
    assert_int_equal(read_values(&values, COMMAND_LISTEN, (const char *[]){"listen", NULL}),
                     OPTIONS_USAGE);
    assert_string_equal(said, "utter: UTTER_THREADS many: not a whole number from 1 to 1024\n");
    option_values_free(&values);
    assert_int_equal(
        read_values(&values, COMMAND_LISTEN, (const char *[]){"listen", "-f", "doc", NULL}),
        OPTIONS_USAGE);
    assert_string_equal(said, "utter: --format doc: must be text, jsonl, srt or vtt\n");
    option_values_free(&values);
    /* A command that reads no option from the configuration does not read it at all. */
    write_file("nonsense\n");
    assert_int_equal(read_values(&values, COMMAND_DEVICES, (const char *[]){"devices", NULL}),
                     OPTIONS_END);
    option_values_free(&values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_order, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_mistakes, make_file, remove_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The configuration file is read as written, and what is wrong with it is said by file and line. */
#include "app/configuration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct configuration *read_text(const char *text, struct utter_error *error)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    fputs(text, file);
    rewind(file);
    struct configuration *configuration = configuration_read(file, "/c", error);
    fclose(file);
    return configuration;
}

static void expect_entry(const struct configuration *configuration, const char *section,
                         const char *name, const char *value, int line)
{
    const struct configuration_entry *entry = configuration_get(configuration, section, name);
    assert_non_null(entry);
    assert_string_equal(entry->value, value);
    assert_int_equal(entry->line, line);
}

static void test_entries(void **state)
{
    (void)state;
    struct utter_error error;
    struct configuration *configuration = read_text("\xEF\xBB\xBF# a comment\n"
                                                    "model = ~/models/base\n"
                                                    "\n"
                                                    "   threads=2   ; and another\n"
                                                    "threads = 3\r\n"
                                                    "[listen]\n"
                                                    "\thistory_days : 30\n"
                                                    "device = USB = Mic; 2\n"
                                                    "empty =\n"
                                                    "[keys]\n"
                                                    "pause = space p",
                                                    &error);
    assert_non_null(configuration);
    assert_string_equal(configuration_path(configuration), "/c");
    assert_true(configuration_exists(configuration));
    assert_int_equal(configuration_count(configuration), 7);
    expect_entry(configuration, "", "model", "~/models/base", 2);
    expect_entry(configuration, "", "threads", "3", 5);
    expect_entry(configuration, "listen", "history-days", "30", 7);
    expect_entry(configuration, "listen", "device", "USB = Mic; 2", 8);
    expect_entry(configuration, "listen", "empty", "", 9);
    expect_entry(configuration, "keys", "pause", "space p", 11);
    assert_null(configuration_get(configuration, "", "device"));
    assert_null(configuration_get(configuration, "transcribe", "device"));
    assert_string_equal(configuration_at(configuration, 1)->value, "2");
    configuration_refuse(configuration, configuration_at(configuration, 1), &error, "%d?", 2);
    assert_string_equal(error.message, "/c:4: 2?");
    configuration_free(configuration);
}

static void expect_refusal(const char *text, const char *message)
{
    struct utter_error error;
    assert_null(read_text(text, &error));
    assert_string_equal(error.message, message);
}

static void test_mistakes(void **state)
{
    (void)state;
    const char *neither = "/c:2: is neither [section] nor name = value (see man utter-config)";
    expect_refusal("a = 1\nb\nc\n", neither);
    expect_refusal("a = 1\n[b\n", neither);
    expect_refusal("a = 1\n = 2\n", neither);
    char long_line[1000] = "a = 1\n[x]\nb = ";
    memset(long_line + strlen(long_line), 'x', 900);
    expect_refusal(long_line, "/c:3: is longer than 199 bytes");
}

static void test_where_it_lies(void **state)
{
    (void)state;
    char folder[] = "/tmp/utter-test-configuration-XXXXXX", path[100];
    struct utter_error error;
    assert_non_null(mkdtemp(folder));
    unsetenv("UTTER_CONFIG");
    setenv("XDG_CONFIG_HOME", folder, 1);
    struct configuration *configuration = configuration_open(&error);
    assert_non_null(configuration);
    assert_false(configuration_exists(configuration));
    assert_int_equal(configuration_count(configuration), 0);
    configuration_free(configuration);

    snprintf(path, sizeof path, "%s/utter", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    strcat(path, "/config");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("threads = 7\n", file);
    fclose(file);
    configuration = configuration_open(&error);
    assert_non_null(configuration);
    assert_string_equal(configuration_path(configuration), path);
    expect_entry(configuration, "", "threads", "7", 1);
    configuration_free(configuration);

    setenv("UTTER_CONFIG", "/dev/null", 1);
    configuration = configuration_open(&error);
    assert_non_null(configuration);
    assert_int_equal(configuration_count(configuration), 0);
    configuration_free(configuration);
    setenv("UTTER_CONFIG", folder, 1);
    assert_null(configuration_open(&error));
    assert_non_null(strstr(error.message, folder));
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_where_it_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

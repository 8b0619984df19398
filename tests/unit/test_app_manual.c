/* SPDX-License-Identifier: MIT */
/* No option is missing from the manual pages and the completions of shells. */
#include "app/option_table.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The caller frees it. */
static char *read_data(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", DATA_DIRECTORY, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 1 << 17);
    size_t length = fread(text, 1, (1 << 17) - 1, file);
    assert_true(length > 0 && length < (1 << 17) - 1);
    fclose(file);
    return text;
}

/* What stands between `begin` and the next `end`; the caller frees it. */
static char *find_part(const char *text, const char *begin, const char *end)
{
    const char *start = strstr(text, begin);
    if (start == NULL)
        fail_msg("there is no part that begins with %s", begin);
    start += strlen(begin);
    const char *stop = strstr(start, end);
    return strndup(start, stop != NULL ? (size_t)(stop - start) : strlen(start));
}

static bool is_part_of_word(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '\\' || c == '_';
}

static bool has_word(const char *text, const char *word)
{
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        if ((at == text || !is_part_of_word(at[-1])) && !is_part_of_word(at[strlen(word)]))
            return true;
    return false;
}

static void expect_word(const char *text, const char *word, const char *where, const char *command)
{
    if (!has_word(text, word))
        fail_msg("%s: %s of utter %s is missing", where, word, command);
}

/* As it turns away from its default: "no-gate"; with `hyphen` for each hyphen. */
static void spell(const struct option_row *row, const char *hyphen, char *name, size_t size)
{
    bool no = row->kind == OPTION_SWITCH && strcmp(row->standard, "yes") == 0;
    size_t length = (size_t)snprintf(name, size, "%s%s", no ? "no" : "", no ? hyphen : "");
    for (const char *at = row->name; *at != '\0'; at++)
        length += (size_t)(*at == '-' ? snprintf(name + length, size - length, "%s", hyphen)
                                      : snprintf(name + length, size - length, "%c", *at));
}

/* Calls `expect` for each option of each command. */
static void for_each_option(void (*expect)(const char *text, enum option_command command,
                                           const struct option_row *row),
                            const char *file)
{
    char *text = read_data(file);
    for (enum option_command command = 0; command < COMMAND_COUNT; command++)
        for (enum option_id id = 0; id < OPTION_COUNT; id++)
            if ((option_table_row(id)->commands & 1u << command) != 0)
                expect(text, command, option_table_row(id));
    free(text);
}

static void expect_in_manual(const char *text, enum option_command command,
                             const struct option_row *row)
{
    char begin[64], name[64], word[80], *part;
    const char *own = option_table_command(command);
    snprintf(begin, sizeof begin, ".Ss utter %s\n", own);
    part = find_part(text, begin, "\n.Ss ");
    spell(row, "\\-", name, sizeof name);
    snprintf(word, sizeof word, "Fl \\-%s", name);
    expect_word(part, word, "utter.1", own);
    free(part);
    if (row->variable != NULL)
        expect_word(text, row->variable, "utter.1", own);
}

static void expect_in_configuration(const char *text, enum option_command command,
                                    const struct option_row *row)
{
    char begin[64], *part;
    const char *section = option_table_section(command);
    if (row->once || strcmp(section, option_table_command(command)) != 0)
        return;
    snprintf(begin, sizeof begin, ".It Li [%s]", section);
    part = find_part(text, begin, "\n.It");
    expect_word(part, row->name, "utter-config.5", section);
    free(part);
}

/* Bash and zsh alike: a part for each command, from "    NAME)" to ";;". */
static void expect_in_case(const char *text, enum option_command command,
                           const struct option_row *row)
{
    char begin[64], name[64], word[80], *part;
    const char *own = option_table_command(command);
    snprintf(begin, sizeof begin, "\n    %s)\n", own);
    part = find_part(text, begin, ";;");
    spell(row, "-", name, sizeof name);
    snprintf(word, sizeof word, "--%s", name);
    expect_word(part, word, "a completion", own);
    snprintf(word, sizeof word, "-%c", row->letter);
    if (row->letter != '\0')
        expect_word(part, word, "a completion", own);
    free(part);
}

static void expect_in_fish(const char *text, enum option_command command,
                           const struct option_row *row)
{
    char name[64], word[80];
    const char *own = option_table_command(command);
    bool found = false;
    spell(row, "-", name, sizeof name);
    snprintf(word, sizeof word, "-l %s", name);
    for (const char *line = text; line != NULL && !found; line = strchr(line + 1, '\n')) {
        char *one = strndup(line + 1, strcspn(line + 1, "\n"));
        char *commands = strstr(one, "__utter_runs ");
        char *end = commands != NULL ? strchr(commands, '\'') : NULL;
        if (end != NULL) {
            *end = '\0';
            found = has_word(commands, own) && has_word(end + 1, word);
        }
        free(one);
    }
    if (!found)
        fail_msg("utter.fish: --%s of utter %s is missing", name, own);
}

static void test_manual(void **state)
{
    (void)state;
    for_each_option(expect_in_manual, "utter.1");
    for_each_option(expect_in_configuration, "utter-config.5");
}

static void test_completions(void **state)
{
    (void)state;
    for_each_option(expect_in_case, "utter.bash");
    for_each_option(expect_in_case, "_utter");
    for_each_option(expect_in_fish, "utter.fish");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manual),
        cmocka_unit_test(test_completions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

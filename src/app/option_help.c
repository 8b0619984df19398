/* SPDX-License-Identifier: MIT */
#include "app/option_help.h"

#include "app/options.h"

#include <stdio.h>
#include <string.h>

/* "  -d, --device NAME"; a switch that is on by itself is shown as what turns it off. */
static void write_name(const struct option_row *row, char *name, size_t size)
{
    char letter[] = "    ";
    bool no = row->kind == OPTION_SWITCH && strcmp(row->standard, "yes") == 0;
    if (row->letter != '\0')
        snprintf(letter, sizeof letter, "-%c, ", row->letter);
    snprintf(name, size, "  %s--%s%s%s%s", letter, no ? "no-" : "", row->name,
             row->value != NULL ? " " : "", row->value != NULL ? row->value : "");
}

static bool is_shown(enum option_id id, enum option_command command)
{
    const struct option_row *row = option_table_row(id);
    return (row->commands & 1u << command) != 0 && row->help != NULL;
}

/* The help's lines side by side with the name, each below the last. */
static void print_row(const struct option_row *row, int width)
{
    char name[64];
    write_name(row, name, sizeof name);
    if (row->help[0] == '\0') {
        printf("%s\n", name);
        return;
    }
    const char *left = name;
    for (const char *line = row->help; line != NULL; left = "") {
        const char *end = strchr(line, '\n');
        int length = end != NULL ? (int)(end - line) : (int)strlen(line);
        printf("%-*s%.*s\n", width, left, length, line);
        line = end != NULL ? end + 1 : NULL;
    }
}

int option_help_print(enum option_command command, const struct option_help *help)
{
    int width = 0;
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        char name[64];
        write_name(option_table_row(id), name, sizeof name);
        if (is_shown(id, command) && (int)strlen(name) + 2 > width)
            width = (int)strlen(name) + 2;
    }
    fputs(help->above, stdout);
    for (enum option_id id = 0; id < OPTION_COUNT; id++)
        if (is_shown(id, command))
            print_row(option_table_row(id), width);
    return options_help(help->below);
}

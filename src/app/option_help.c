/* SPDX-License-Identifier: MIT */
#include "app/option_help.h"

#include "app/options.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS = 79 };

/* "-d, --device NAME"; a switch that is on by itself is shown as what turns it off. */
static void write_name(const struct option_row *row, char *name, size_t size)
{
    char letter[] = "-x, ";
    bool no = row->kind == OPTION_SWITCH && strcmp(row->standard, "yes") == 0;
    letter[1] = row->letter;
    snprintf(name, size, "%s--%s%s%s%s", row->letter != '\0' ? letter : "", no ? "no-" : "",
             row->name, row->value != NULL ? " " : "", row->value != NULL ? row->value : "");
}

/* The same on a line of its own: names without a letter are aligned with the others. */
static int write_column(const struct option_row *row, char *column, size_t size)
{
    char name[64];
    write_name(row, name, sizeof name);
    return snprintf(column, size, "  %s%s", row->letter != '\0' ? "" : "    ", name);
}

/* Has a line of its own; otherwise it is named below them. */
static bool is_explained(const struct option_row *row, enum option_command command)
{
    return row->help != NULL && (row->brief & 1u << command) == 0;
}

static bool is_of(const struct option_row *row, enum option_command command)
{
    return (row->commands & 1u << command) != 0;
}

/* The help's lines side by side with the name, each below the last. */
static void print_row(const struct option_row *row, int width)
{
    char name[80];
    write_column(row, name, sizeof name);
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

/* The names of those that are not explained, so that all fit a terminal of 24 rows. */
static void print_others(enum option_command command)
{
    int column = 0;
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        const struct option_row *row = option_table_row(id);
        char name[64];
        if (!is_of(row, command) || is_explained(row, command))
            continue;
        write_name(row, name, sizeof name);
        if (column == 0)
            column = printf("  more, see man utter:");
        if (column + 2 + (int)strlen(name) > COLUMNS)
            column = printf("\n    ") - 1;
        column += printf("  %s", name);
    }
    if (column > 0)
        putchar('\n');
}

int option_help_print(enum option_command command, const struct option_help *help)
{
    int width = 0;
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        const struct option_row *row = option_table_row(id);
        char column[80];
        int own = write_column(row, column, sizeof column) + 2;
        if (is_of(row, command) && is_explained(row, command) && own > width)
            width = own;
    }
    fputs(help->above, stdout);
    for (enum option_id id = 0; id < OPTION_COUNT; id++)
        if (is_of(option_table_row(id), command) && is_explained(option_table_row(id), command))
            print_row(option_table_row(id), width);
    print_others(command);
    return options_help(help->below);
}

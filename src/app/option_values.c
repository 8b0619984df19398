/* SPDX-License-Identifier: MIT */
#include "app/option_values.h"

#include "app/fault.h"
#include "app/options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const NO_YES[] = {"no", "yes", NULL};

/* getopt's values: beyond letters, --NAME and --no-NAME. */
enum { LONG_YES = UCHAR_MAX + 1, LONG_NO = LONG_YES + OPTION_COUNT };

/* ---- one value ---- */

static bool parse_number(const struct option_row *row, const char *label, const char *text,
                         int *number, struct utter_error *error)
{
    switch (row->kind) {
    case OPTION_SWITCH:
        return options_choice(label, text, NO_YES, number, error);
    case OPTION_CHOICE:
        return options_choice(label, text, row->choices, number, error);
    case OPTION_INTEGER:
        return options_integer(label, text, (int)row->minimum, (int)row->maximum, number, error);
    case OPTION_SECONDS:
        return options_seconds(label, text, row->minimum, row->maximum, number, error);
    default:
        return true;
    }
}

/* No shell does this for a file. The caller frees it; NULL: nothing to expand, or no memory. */
static char *expand_home(const struct option_row *row, const char *text)
{
    const char *home = getenv("HOME");
    char *path = NULL;
    if (row->kind != OPTION_PATH || strncmp(text, "~/", 2) != 0 || home == NULL ||
        asprintf(&path, "%s%s", home, text + 1) < 0)
        return NULL;
    return path;
}

static void label_of(const struct option_values *values, const struct option_row *row,
                     enum option_origin origin, int line, char *label, size_t size)
{
    if (origin == OPTION_FROM_FILE)
        snprintf(label, size, "%s:%d: %s", configuration_path(values->configuration), line,
                 row->name);
    else if (origin == OPTION_FROM_ENVIRONMENT)
        snprintf(label, size, "%s", row->variable);
    else
        snprintf(label, size, "--%s", row->name);
}

/* Takes the place of what was said before. */
static bool set(struct option_values *values, enum option_id id, enum option_origin origin,
                int line, const char *text, struct utter_error *error)
{
    const struct option_row *row = option_table_row(id);
    struct option_value value = {.origin = origin, .text = text, .line = line};
    char label[PATH_MAX];
    label_of(values, row, origin, line, label, sizeof label - 2);
    if (origin == OPTION_FROM_FILE)
        strcat(label, " =");
    if (!parse_number(row, label, text, &value.number, error))
        return false;
    if (origin == OPTION_FROM_FILE)
        value.expanded = expand_home(row, text);
    if (value.expanded != NULL)
        value.text = value.expanded;
    free(values->values[id].expanded);
    values->values[id] = value;
    return true;
}

static void unset(struct option_values *values, enum option_id id)
{
    const struct option_row *row = option_table_row(id);
    free(values->values[id].expanded);
    values->values[id] = (struct option_value){.origin = OPTION_FROM_NOWHERE};
    if (row->standard != NULL)
        parse_number(row, row->name, row->standard, &values->values[id].number, NULL);
}

/* ---- the configuration ---- */

/* `name` is an option of none of the section's commands. */
static bool refuse_name(const struct configuration *configuration,
                        const struct configuration_entry *entry, unsigned readers,
                        struct utter_error *error)
{
    const char *names[OPTION_COUNT + 1];
    size_t count = 0;
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        const struct option_row *row = option_table_row(id);
        if ((row->commands & readers) != 0 && !row->once)
            names[count++] = row->name;
    }
    names[count] = NULL;
    const char *meant = options_suggest(entry->name, names);
    if (meant != NULL)
        return configuration_refuse(configuration, entry, error,
                                    "unknown option %s: did you mean %s?", entry->name, meant);
    return configuration_refuse(configuration, entry, error,
                                "unknown option %s (see man utter-config)", entry->name);
}

/* An entry that `command` reads is set; one for others is passed over. */
static bool take_entry(struct option_values *values, const struct configuration_entry *entry,
                       struct utter_error *error)
{
    const struct configuration *configuration = values->configuration;
    unsigned readers = option_table_readers(entry->section);
    if (strcmp(entry->section, "keys") == 0)
        return true; /* the screen's */
    if (readers == 0)
        return configuration_refuse(configuration, entry, error,
                                    "[%s] is no section (see man utter-config)", entry->section);
    enum option_id id = option_table_find(entry->name, readers);
    if (id == OPTION_COUNT || option_table_row(id)->once)
        return refuse_name(configuration, entry, readers, error);
    unsigned own = 1u << values->command;
    if ((readers & own) == 0 || (id = option_table_find(entry->name, own)) == OPTION_COUNT)
        return true;
    if (entry->value[0] != '\0')
        return set(values, id, OPTION_FROM_FILE, entry->line, entry->value, error);
    unset(values, id); /* back to the default */
    return true;
}

/* What stands before the first section counts less than the command's own. */
static bool take_configuration(struct option_values *values, struct utter_error *error)
{
    const struct configuration *configuration = values->configuration;
    for (int own = 0; own < 2; own++) {
        for (size_t i = 0; i < configuration_count(configuration); i++) {
            const struct configuration_entry *entry = configuration_at(configuration, i);
            if ((entry->section[0] != '\0') == own && !take_entry(values, entry, error))
                return false;
        }
    }
    return true;
}

static void begin(struct option_values *values, enum option_command command)
{
    *values = (struct option_values){.command = command};
    for (enum option_id id = 0; id < OPTION_COUNT; id++)
        unset(values, id);
}

bool option_values_check(const struct configuration *configuration, struct utter_error *error)
{
    bool ok = true;
    for (enum option_command command = 0; ok && command < COMMAND_COUNT; command++) {
        struct option_values values;
        begin(&values, command);
        values.configuration = (struct configuration *)configuration;
        ok = take_configuration(&values, error);
        values.configuration = NULL;
        option_values_free(&values);
    }
    return ok;
}

/* ---- the environment and the command line ---- */

static bool take_environment(struct option_values *values, struct utter_error *error)
{
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        const struct option_row *row = option_table_row(id);
        const char *text = row->variable != NULL ? getenv(row->variable) : NULL;
        if ((row->commands & 1u << values->command) == 0 || text == NULL || text[0] == '\0')
            continue;
        if (!set(values, id, OPTION_FROM_ENVIRONMENT, 0, text, error))
            return false;
    }
    return true;
}

struct grammar {
    struct option options[2 * OPTION_COUNT + 1];
    char letters[2 * OPTION_COUNT + 1];
    char names[OPTION_COUNT][32]; /* --no-NAME */
};

static void make_grammar(struct grammar *grammar, enum option_command command)
{
    struct option *option = grammar->options;
    char *letter = grammar->letters;
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        const struct option_row *row = option_table_row(id);
        if ((row->commands & 1u << command) == 0)
            continue;
        bool takes = row->kind != OPTION_SWITCH;
        *option++ = (struct option){row->name, takes ? required_argument : no_argument, NULL,
                                    LONG_YES + (int)id};
        if (!takes && !row->once) {
            snprintf(grammar->names[id], sizeof grammar->names[id], "no-%s", row->name);
            *option++ = (struct option){grammar->names[id], no_argument, NULL, LONG_NO + (int)id};
        }
        if (row->letter != '\0') {
            *letter++ = row->letter;
            if (takes)
                *letter++ = ':';
        }
    }
    *option = (struct option){NULL, 0, NULL, 0};
    *letter = '\0';
}

static enum option_id find_letter(int letter, enum option_command command)
{
    enum option_id id = 0;
    while (id < OPTION_COUNT && ((option_table_row(id)->commands & 1u << command) == 0 ||
                                 option_table_row(id)->letter != letter))
        id++;
    return id;
}

static bool take_command_line(struct option_values *values, int argc, char **argv)
{
    struct grammar grammar;
    struct utter_error error;
    int option;
    make_grammar(&grammar, values->command);
    while ((option = options_next(argc, argv, grammar.letters, grammar.options)) != OPTIONS_END) {
        if (option == OPTIONS_ERROR)
            return false;
        bool no = option >= LONG_NO;
        enum option_id id = no                   ? (enum option_id)(option - LONG_NO)
                            : option >= LONG_YES ? (enum option_id)(option - LONG_YES)
                                                 : find_letter(option, values->command);
        bool takes = option_table_row(id)->kind != OPTION_SWITCH;
        const char *text = takes ? optarg : NO_YES[!no];
        if (!set(values, id, OPTION_FROM_COMMAND_LINE, 0, text, &error)) {
            fault_print("%s", error.message);
            return false;
        }
        if (id == OPTION_HELP)
            return true; /* whatever else is wrong */
    }
    return true;
}

/* `utter devices` must not fail because of a file that says nothing about it. */
static bool reads_configuration(enum option_command command)
{
    bool reads = false;
    for (enum option_id id = 0; id < OPTION_COUNT; id++)
        reads |=
            (option_table_row(id)->commands & 1u << command) != 0 && !option_table_row(id)->once;
    return reads;
}

int option_values_read(struct option_values *values, enum option_command command, int argc,
                       char **argv, const struct option_help *help)
{
    struct utter_error error = {UTTER_OK, ""};
    begin(values, command);
    /* The command line is read first, so that --help comes whatever the configuration holds. */
    if (!take_command_line(values, argc, argv))
        return OPTIONS_USAGE;
    if (option_values_number(values, OPTION_HELP))
        return option_help_print(command, help);
    if (!reads_configuration(command))
        return OPTIONS_END;
    struct option_values given = *values;
    begin(values, command);
    values->configuration = configuration_open(&error);
    if (values->configuration == NULL || !take_configuration(values, &error) ||
        !take_environment(values, &error)) {
        fault_print("%s", error.message);
        return OPTIONS_USAGE;
    }
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        if (given.values[id].origin == OPTION_FROM_NOWHERE)
            continue;
        free(values->values[id].expanded);
        values->values[id] = given.values[id];
    }
    return OPTIONS_END;
}

void option_values_free(struct option_values *values)
{
    for (enum option_id id = 0; id < OPTION_COUNT; id++)
        free(values->values[id].expanded);
    configuration_free(values->configuration);
    *values = (struct option_values){0};
}

/* ---- asking ---- */

enum option_origin option_values_origin(const struct option_values *values, enum option_id id)
{
    return values->values[id].origin;
}

const char *option_values_text(const struct option_values *values, enum option_id id)
{
    return values->values[id].text;
}

int option_values_number(const struct option_values *values, enum option_id id)
{
    return values->values[id].number;
}

void option_values_label(const struct option_values *values, enum option_id id, char *label,
                         size_t size)
{
    const struct option_value *value = &values->values[id];
    label_of(values, option_table_row(id), value->origin, value->line, label, size);
}

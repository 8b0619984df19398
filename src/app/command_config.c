/* SPDX-License-Identifier: MIT */
/* `utter config`: what every option is set to, and by whom, as a configuration file. */
#include "app/command.h"
#include "app/fault.h"
#include "app/option_values.h"
#include "app/options.h"
#include "app/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option_help HELP = {
    "usage: utter config [--path]\n"
    "       utter config COMMAND [OPTION...]\n"
    "\n"
    "Prints what the options of COMMAND, or of all commands, are set to and who says\n"
    "so: the default, a line of the configuration, the environment, or the OPTIONs of\n"
    "this command line. What it prints is a configuration itself.\n"
    "\n",
    "\n"
    "examples:\n"
    "  utter config\n"
    "  utter config listen --device webcam\n"
    "  $EDITOR \"$(utter config --path)\"\n"
    "\n"
    "exit status: 2 when the configuration or the command line is wrong\n",
};

/* `text`, and in a comment who says so. */
static void print_line(const char *text, const char *origin)
{
    char *clean = text_clean(text);
    int width = clean != NULL ? text_width(clean, strlen(clean)) : 0;
    printf("%s%*s ; %s\n", clean != NULL ? clean : "", width < 26 ? 26 - width : 0, "", origin);
    free(clean);
}

static void print_option(const struct option_values *values, enum option_id id)
{
    const struct option_row *row = option_table_row(id);
    enum option_origin origin = option_values_origin(values, id);
    const char *text = option_values_text(values, id);
    char line[512], label[256] = "default";
    if (origin == OPTION_FROM_FILE)
        snprintf(label, sizeof label, "%s:%d", configuration_path(values->configuration),
                 values->values[id].line);
    else if (origin != OPTION_FROM_NOWHERE)
        option_values_label(values, id, label, sizeof label);
    if (text == NULL && row->standard == NULL)
        snprintf(line, sizeof line, "# %s = %s", row->name, row->value);
    else
        snprintf(line, sizeof line, "%s = %s", row->name, text != NULL ? text : row->standard);
    print_line(line, label);
}

/* Reads and prints the options of one command, after `lead`; its exit status when wrong. */
static int print_command(enum option_command command, const char *lead, int argc, char **argv)
{
    struct option_values values;
    int status = option_values_read(&values, command, argc, argv, &HELP);
    if (status == OPTIONS_END) {
        bool first = true;
        status = OPTIONS_OK;
        for (enum option_id id = 0; id < OPTION_COUNT; id++) {
            const struct option_row *row = option_table_row(id);
            if ((row->commands & 1u << command) == 0 || row->once)
                continue;
            if (first)
                printf("%s[%s]\n", lead, option_table_section(command));
            first = false;
            print_option(&values, id);
        }
    }
    option_values_free(&values);
    return status;
}

/* The whole file must be right, also what no command below reads. */
static int print_head(const struct configuration *configuration)
{
    struct utter_error error;
    if (!option_values_check(configuration, &error)) {
        fault_print("%s", error.message);
        return OPTIONS_USAGE;
    }
    printf("# %s%s\n", configuration_path(configuration),
           configuration_exists(configuration) ? "" : " (there is no such file)");
    return OPTIONS_OK;
}

static int print_keys(const struct configuration *configuration)
{
    bool first = true;
    for (size_t i = 0; i < configuration_count(configuration); i++) {
        const struct configuration_entry *entry = configuration_at(configuration, i);
        if (strcmp(entry->section, "keys") != 0)
            continue;
        if (first)
            printf("\n[keys]\n");
        first = false;
        char line[512], origin[256];
        snprintf(line, sizeof line, "%s = %s", entry->name, entry->value);
        snprintf(origin, sizeof origin, "%s:%d", configuration_path(configuration), entry->line);
        print_line(line, origin);
    }
    return options_help("");
}

static int print_all(const struct configuration *configuration)
{
    int status = print_head(configuration);
    for (enum option_command command = 0; status == OPTIONS_OK && command < COMMAND_COUNT;
         command++) {
        char *name[] = {(char *)option_table_command(command), NULL};
        optind = 0; /* getopt starts afresh */
        status = print_command(command, "\n", 1, name);
    }
    return status == OPTIONS_OK ? print_keys(configuration) : status;
}

static int print_one(int argc, char **argv)
{
    const char *names[COMMAND_COUNT + 1] = {NULL};
    for (enum option_command command = 0; command < COMMAND_COUNT; command++) {
        names[command] = option_table_command(command);
        if (strcmp(names[command], argv[0]) != 0)
            continue;
        optind = 0;
        return print_command(command, "", argc, argv);
    }
    const char *meant = options_suggest(argv[0], names);
    if (meant != NULL)
        fault_print("%s: is no command: did you mean `utter config %s`?", argv[0], meant);
    else
        fault_print("%s: is no command (see utter --help)", argv[0]);
    return OPTIONS_USAGE;
}

static int print_path(void)
{
    struct utter_error error;
    char *path = configuration_locate(&error);
    if (path == NULL) {
        fault_print("%s", error.message);
        return OPTIONS_FAILURE;
    }
    printf("%s\n", path);
    free(path);
    return options_help("");
}

static int read_and_print(void)
{
    struct utter_error error;
    struct configuration *configuration = configuration_open(&error);
    if (configuration == NULL) {
        fault_print("%s", error.message);
        return OPTIONS_USAGE;
    }
    int status = print_all(configuration);
    configuration_free(configuration);
    return status;
}

int command_config(int argc, char **argv)
{
    struct option_values values;
    if (argc > 1 && argv[1][0] != '-')
        return print_one(argc - 1, argv + 1);
    int status = option_values_read(&values, COMMAND_CONFIG, argc, argv, &HELP);
    bool path = status == OPTIONS_END && option_values_number(&values, OPTION_CONFIG_PATH);
    option_values_free(&values);
    if (status != OPTIONS_END)
        return status;
    if (optind < argc) {
        fault_print("%s: name the command before its options (see utter config --help)",
                    argv[optind]);
        return OPTIONS_USAGE;
    }
    return path ? print_path() : read_and_print();
}

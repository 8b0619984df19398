/* SPDX-License-Identifier: MIT */
/**
 * What the options of a command are set to, and by whom: of the configuration's lines before the
 * first section, its section of the command, the environment and the command line, the later wins.
 * Main thread.
 */
#ifndef APP_OPTION_VALUES_H
#define APP_OPTION_VALUES_H

#include "app/configuration.h"
#include "app/option_help.h"
#include "app/option_table.h"

enum option_origin {
    OPTION_FROM_NOWHERE, /**< the default counts */
    OPTION_FROM_FILE,
    OPTION_FROM_ENVIRONMENT,
    OPTION_FROM_COMMAND_LINE,
};

struct option_value {
    enum option_origin origin;
    const char *text; /**< as it was given; NULL: the default */
    int number;       /**< a switch's 0 or 1, a choice's index, an integer, or milliseconds */
    int line;         /**< OPTION_FROM_FILE */
    char *expanded;   /**< owns `text` when it was changed */
};

struct option_values {
    enum option_command command;
    struct configuration *configuration;
    struct option_value values[OPTION_COUNT];
};

/**
 * Reads all of them; `argv[0]` is the command's name, operands are argv[optind..argc-1]. Returns
 * OPTIONS_END: go on. Otherwise help was asked for, or a mistake was said in one line: the command
 * is over, and this is its exit status. Free the values in either case.
 */
int option_values_read(struct option_values *values, enum option_command command, int argc,
                       char **argv, const struct option_help *help);

/** Checks the whole configuration, what other commands read too. */
bool option_values_check(const struct configuration *configuration, struct utter_error *error);

void option_values_free(struct option_values *values);

enum option_origin option_values_origin(const struct option_values *values, enum option_id id);
/** NULL: nobody said anything. Valid until the values are freed. */
const char *option_values_text(const struct option_values *values, enum option_id id);
/** The default's when nobody said anything, 0 where there is none. */
int option_values_number(const struct option_values *values, enum option_id id);

/** Who says so, for messages: "--model", "UTTER_MODEL" or "FILE:LINE: model". */
void option_values_label(const struct option_values *values, enum option_id id, char *label,
                         size_t size);

#endif

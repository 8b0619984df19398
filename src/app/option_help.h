/* SPDX-License-Identifier: MIT */
/** The --help of a command, its options from the table. Main thread. */
#ifndef APP_OPTION_HELP_H
#define APP_OPTION_HELP_H

#include "app/option_table.h"

/** What stands above and below the options. */
struct option_help {
    const char *above;
    const char *below;
};

/** Prints it to standard output; returns an exit status. */
int option_help_print(enum option_command command, const struct option_help *help);

#endif

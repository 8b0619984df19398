/* SPDX-License-Identifier: MIT */
/**
 * Command lines: getopt_long() with errors in the program's own words, and values that are
 * checked. Main thread.
 */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include "utter.h"

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

/** Exit statuses. */
enum {
    OPTIONS_OK = 0,
    OPTIONS_FAILURE = 1,
    OPTIONS_USAGE = 2,
};

/** options_next(): no option is left; operands are argv[optind..argc-1]. */
enum { OPTIONS_END = -1, OPTIONS_ERROR = '?' };

/**
 * The next option of `argv`, whose [0] is the command's name: its `val` in `options`, with the
 * value in `optarg`. `letters` are the short options in getopt's notation, without a leading colon;
 * options without a letter have values above UCHAR_MAX.
 */
int options_next(int argc, char **argv, const char *letters, const struct option *options);

/** A whole number in minimum..maximum. `name` is that of the option, as "--threads". */
bool options_integer(const char *name, const char *value, int minimum, int maximum, int *number,
                     struct utter_error *error);

/** A decimal number of seconds in minimum..maximum, in milliseconds. */
bool options_seconds(const char *name, const char *value, double minimum, double maximum,
                     int *milliseconds, struct utter_error *error);

/** One of `choices` (ended by NULL): its index. */
bool options_choice(const char *name, const char *value, const char *const *choices, int *index,
                    struct utter_error *error);

/** The one of `names` (ended by NULL) that `word` was probably meant to be, or NULL. */
const char *options_suggest(const char *word, const char *const *names);

/** Prints a command's help to standard output; returns an exit status. */
int options_help(const char *text);

#endif

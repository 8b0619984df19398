/* SPDX-License-Identifier: MIT */
#include "app/options.h"

#include "app/fault.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_LIMIT = 64,
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edit distance in bytes of two names of less than NAME_LIMIT. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_LIMIT];
    size_t columns = strlen(b);
    for (size_t j = 0; j <= columns; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = smaller(replaced, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[columns];
}

const char *options_suggest(const char *word, const char *const *names)
{
    const char *best = NULL;
    size_t best_distance = 0;
    if (strlen(word) >= NAME_LIMIT)
        return NULL;
    for (; *names != NULL; names++) {
        size_t length = strlen(word);
        size_t edits =
            length >= 2 && strncmp(word, *names, length) == 0 ? 0 : distance(word, *names);
        if (edits <= strlen(*names) / 3 && (best == NULL || edits < best_distance)) {
            best = *names;
            best_distance = edits;
        }
    }
    return best;
}

/* The long option that was probably meant; `given` may be followed by "=value". */
static const char *suggest_option(const char *given, const struct option *options)
{
    char word[NAME_LIMIT];
    const char *names[NAME_LIMIT];
    size_t count = 0;
    snprintf(word, sizeof word, "%.*s", (int)strcspn(given, "="), given);
    for (; options->name != NULL && count + 1 < NAME_LIMIT; options++)
        names[count++] = options->name;
    names[count] = NULL;
    return options_suggest(word, names);
}

static void explain_unknown(const char *command, const char *given, const struct option *options)
{
    const char *meant = suggest_option(given + 2, options);
    if (meant != NULL)
        fault_print("unknown option %s: did you mean --%s? (see utter %s --help)", given, meant,
                    command);
    else
        fault_print("unknown option %s (see utter %s --help)", given, command);
}

int options_next(int argc, char **argv, const char *letters, const struct option *options)
{
    char quiet_letters[NAME_LIMIT];
    snprintf(quiet_letters, sizeof quiet_letters, ":%s", letters);
    opterr = 0;
    int option = getopt_long(argc, argv, quiet_letters, options, NULL);
    if (option != '?' && option != ':')
        return option;

    /* Of a long option getopt has passed the whole argument; of a letter it may be within one. */
    const char *given = argv[optind - 1];
    if (option == ':' && given[1] == '-')
        fault_print("option %s needs a value (see utter %s --help)", given, argv[0]);
    else if (option == ':')
        fault_print("option -%c needs a value (see utter %s --help)", optopt, argv[0]);
    else if (optopt == 0)
        explain_unknown(argv[0], given, options);
    else if (optopt > UCHAR_MAX || strchr(letters, optopt) != NULL)
        fault_print("option %s: takes no value (see utter %s --help)", given, argv[0]);
    else
        fault_print("unknown option -%c (see utter %s --help)", optopt, argv[0]);
    return OPTIONS_ERROR;
}

static bool refuse_range(const char *name, const char *value, double minimum, double maximum,
                         const char *unit, struct utter_error *error)
{
    return fault_set(error, UTTER_ERROR_ARGUMENT, "%s %s: not %s from %g to %g", name, value, unit,
                     minimum, maximum);
}

bool options_integer(const char *name, const char *value, int minimum, int maximum, int *number,
                     struct utter_error *error)
{
    char *end;
    errno = 0;
    long parsed = strtol(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0 || parsed < minimum || parsed > maximum)
        return refuse_range(name, value, minimum, maximum, "a whole number", error);
    *number = (int)parsed;
    return true;
}

bool options_seconds(const char *name, const char *value, double minimum, double maximum,
                     int *milliseconds, struct utter_error *error)
{
    char *end;
    double parsed = strtod(value, &end);
    if (end == value || *end != '\0' || !(parsed >= minimum && parsed <= maximum))
        return refuse_range(name, value, minimum, maximum, "a number of seconds", error);
    *milliseconds = (int)lround(1000.0 * parsed);
    return true;
}

bool options_choice(const char *name, const char *value, const char *const *choices, int *index,
                    struct utter_error *error)
{
    char list[256] = "";
    size_t length = 0;
    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(choices[i], value) == 0) {
            *index = i;
            return true;
        }
        const char *comma = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", comma, choices[i]);
        if (length >= sizeof list)
            length = sizeof list - 1;
    }
    return fault_set(error, UTTER_ERROR_ARGUMENT, "%s %s: must be %s", name, value, list);
}

int options_help(const char *text)
{
    if (fputs(text, stdout) == EOF || fflush(stdout) == EOF) {
        fault_print("standard output: cannot write: %s", strerror(errno));
        return OPTIONS_FAILURE;
    }
    return OPTIONS_OK;
}

/* SPDX-License-Identifier: MIT */
/**
 * The configuration file: $UTTER_CONFIG, otherwise $XDG_CONFIG_HOME/utter/config, otherwise
 * ~/.config/utter/config. An INI file (inih): options that every command takes come first, those of
 * one command under [COMMAND], bindings of keys under [keys]. What the names and values mean is for
 * others to say (option_values.h, the screen).
 *
 * Immutable once open. Any thread.
 */
#ifndef APP_CONFIGURATION_H
#define APP_CONFIGURATION_H

#include "utter.h"

#include <stdio.h>

/** One line `name = value`. Strings belong to the configuration. */
struct configuration_entry {
    const char *section; /**< "" before the first */
    const char *name;    /**< as an option's long name: an underscore counts as a hyphen */
    const char *value;   /**< may be empty */
    int line;            /**< counts from 1 */
};

struct configuration;

/**
 * A file that is not there is an empty configuration. NULL when it cannot be read, or when a line
 * is neither `[section]` nor `name = value`: the error names file and line.
 */
struct configuration *configuration_open(struct utter_error *error);
/** The same from an open file (NULL: none), which is not closed; `path` is for messages. */
struct configuration *configuration_read(FILE *file, const char *path, struct utter_error *error);
/** NULL is allowed. */
void configuration_free(struct configuration *configuration);

/** Where it lies, or would lie; the caller frees it. NULL when out of memory. */
char *configuration_locate(struct utter_error *error);

/** The same as clean text (text.h). */
const char *configuration_path(const struct configuration *configuration);
/** Whether there is such a file. */
bool configuration_exists(const struct configuration *configuration);

/** All entries in the file's order: a later one of the same name takes the place of an earlier. */
size_t configuration_count(const struct configuration *configuration);
const struct configuration_entry *configuration_at(const struct configuration *configuration,
                                                   size_t index);

/** The entry that counts, or NULL. */
const struct configuration_entry *configuration_get(const struct configuration *configuration,
                                                    const char *section, const char *name);

/** Sets `error` to "FILE:LINE: message" of an entry and returns false. */
bool configuration_refuse(const struct configuration *configuration,
                          const struct configuration_entry *entry, struct utter_error *error,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif

/* SPDX-License-Identifier: MIT */
/**
 * Reading the caller's option structs, which begin with their size and may be older or newer than
 * this library. Any thread.
 */
#ifndef STREAM_OPTIONS_H
#define STREAM_OPTIONS_H

#include "utter.h"

/**
 * Copies `given` into `known`, `known_size` bytes that the caller has set to zero. NULL means
 * defaults. A newer struct is taken when what this library does not know is zero.
 */
enum utter_code options_read(void *known, size_t known_size, const void *given, const char *what,
                             struct utter_error *error);

struct option_range {
    const char *name;
    int *value; /* zero becomes `fallback` */
    int fallback;
    int least;
    int most;
};

/** Fills in defaults and checks ranges; the message names the option. */
enum utter_code options_check(const struct option_range *ranges, size_t count,
                              struct utter_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * The program's own errors, in the library's struct utter_error, and the one line in which they
 * reach the user: "utter: NAME: cause". Any thread.
 */
#ifndef APP_FAULT_H
#define APP_FAULT_H

#include "utter.h"

/**
 * Fills in `error` (NULL is allowed) and returns false, so that a failing function can end with
 * `return fault_set(...)`. The message is sanitised: names of files and devices are not trusted.
 */
bool fault_set(struct utter_error *error, enum utter_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** fault_set() for out of memory. */
bool fault_memory(struct utter_error *error);

/** Prints "utter: message" to standard error, sanitised. */
void fault_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

/* SPDX-License-Identifier: MIT */
/**
 * Errors as values: every fallible function returns an enum utter_code (or NULL) and explains
 * itself in an optional struct utter_error. Any thread.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "utter.h"

#include <stdarg.h>

/**
 * Fills in `error` (NULL is allowed) and returns `code`, so that a failing function can end with
 * `return error_set(...)`. Bytes that are not printable UTF-8 become '?': names of files and
 * tensors are not trusted.
 */
enum utter_code error_set(struct utter_error *error, enum utter_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** error_set() for out of memory while making `what`. */
enum utter_code error_memory(struct utter_error *error, const char *what);

/** A path for a message: its end, where it is so long that it would crowd out the cause. */
const char *error_path(const char *path);

#endif

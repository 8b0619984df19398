/* SPDX-License-Identifier: MIT */
/**
 * UTF-8 that is shown to people: vocabularies and names are not trusted, so nothing that could
 * steer a terminal or reorder a line gets through. Any thread.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** False for C0 and C1 controls, line separators and bidirectional controls. */
bool utf8_is_shown(uint32_t character);

/**
 * Copies `text` without what is not shown; escape sequences go as a whole, bytes that are no UTF-8
 * become U+FFFD. Writes at most strlen(text) * 3 bytes and a terminator into `out`; returns the
 * length.
 */
size_t utf8_clean(const char *text, char *out);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * Text on its way to a screen or a file: made harmless, measured and wrapped in terminal columns.
 *
 * Vocabularies, device names and file names are not trusted: everything that the program shows or
 * writes goes through text_clean(). Texts are UTF-8. Any thread.
 */
#ifndef APP_TEXT_H
#define APP_TEXT_H

#include <stddef.h>

/**
 * A copy of `text` that is one line of valid UTF-8 without anything that steers a terminal or a
 * reader: escape sequences, control characters, bidirectional controls, invisible tags and spaces
 * of width zero are left out, line breaks and tabs become spaces, broken bytes U+FFFD. The joiners
 * that scripts need (U+200C, U+200D) stay.
 *
 * The caller frees it. NULL when out of memory.
 */
char *text_clean(const char *text);

/** Copies as many whole characters of `text` as fit, and terminates. `size` is at least 1. */
void text_copy(char *destination, size_t size, const char *text);

/** Terminal columns that the first `bytes` bytes of clean `text` take. */
int text_width(const char *text, size_t bytes);

/**
 * Bytes of the longest start of clean `text` that takes at most `columns` columns, at least one
 * character. `columns` below 2 counts as 2: a character may be that wide.
 */
size_t text_fit(const char *text, size_t bytes, int columns);

/** One line of a wrapped text: bytes start..end of it, without the space it was broken at. */
struct text_line {
    size_t start;
    size_t end;
    int width; /**< columns */
};

/**
 * Breaks clean `text` into lines of at most `columns` columns, between words where it can (by the
 * rules of Unicode: also between ideographs), within a word that is longer than a line.
 *
 * Returns how many lines the text has; the first `limit` of them are stored in `lines` (NULL when
 * limit is 0). Empty text has none.
 */
size_t text_wrap(const char *text, int columns, struct text_line *lines, size_t limit);

#endif

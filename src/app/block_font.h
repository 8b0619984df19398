/* SPDX-License-Identifier: MIT */
/**
 * Large letters made of half blocks: each takes BLOCK_COLUMNS × BLOCK_ROWS cells of a terminal,
 * which are as many by twice as many square dots. Letters of the Latin alphabet are capitals, with
 * their accents; digits and common signs are there too. Knows no terminal. Any thread.
 */
#ifndef APP_BLOCK_FONT_H
#define APP_BLOCK_FONT_H

#include <stdbool.h>
#include <stddef.h>

enum { BLOCK_COLUMNS = 6, BLOCK_ROWS = 4, BLOCK_ROW_BYTES = 5 * 3 + 2 };

/**
 * Draws one character (a grapheme cluster of `bytes` bytes): each row is a string of
 * BLOCK_COLUMNS cells. False when the font does not have it.
 */
bool block_font_draw(const char *cluster, size_t bytes, char rows[BLOCK_ROWS][BLOCK_ROW_BYTES]);

#endif

/* SPDX-License-Identifier: MIT */
/** Rows become columns. Any thread. */
#ifndef NN_TRANSPOSE_H
#define NN_TRANSPOSE_H

#include <stdint.h>

enum { TRANSPOSE_ROWS = 16 /* at most: as many floats as a line of the cache has */ };

/**
 * Row j of `count`, a multiple of 4, becomes column j of `to`, which has `width` floats a row. A
 * line of each row is read at a time, for rows may be a power of two apart and push each other
 * from the cache. Floats are only moved: they may stand for anything of their size.
 */
void transpose(const float *const *rows, int64_t count, int64_t columns, float *to, int64_t width);

#endif

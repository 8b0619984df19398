/* SPDX-License-Identifier: MIT */
#include "nn/transpose.h"

typedef float quad __attribute__((vector_size(16), aligned(4)));

/* Four values of each of four rows become four of each of four columns. */
static void transpose_quads(const float *const rows[4], int64_t k, float *to, int64_t width)
{
    const quad *a = (const quad *)(rows[0] + k), *b = (const quad *)(rows[1] + k);
    const quad *c = (const quad *)(rows[2] + k), *d = (const quad *)(rows[3] + k);
    quad ab_low = __builtin_shufflevector(*a, *b, 0, 4, 1, 5);
    quad ab_high = __builtin_shufflevector(*a, *b, 2, 6, 3, 7);
    quad cd_low = __builtin_shufflevector(*c, *d, 0, 4, 1, 5);
    quad cd_high = __builtin_shufflevector(*c, *d, 2, 6, 3, 7);
    *(quad *)to = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    *(quad *)(to + width) = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    *(quad *)(to + 2 * width) = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    *(quad *)(to + 3 * width) = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

void transpose(const float *const *rows, int64_t count, int64_t columns, float *to, int64_t width)
{
    int64_t whole = columns / 4 * 4;
    for (int64_t from = 0; from < whole; from += TRANSPOSE_ROWS) {
        int64_t end = from + TRANSPOSE_ROWS < whole ? from + TRANSPOSE_ROWS : whole;
        for (int64_t j = 0; j < count; j += 4) {
            for (int64_t k = from; k < end; k += 4)
                transpose_quads(rows + j, k, to + k * width + j, width);
        }
    }
    for (int64_t k = whole; k < columns; k++) {
        for (int64_t j = 0; j < count; j++)
            to[k * width + j] = rows[j][k];
    }
}

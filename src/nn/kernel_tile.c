/* SPDX-License-Identifier: MIT */
#include "nn/kernel_set.h"

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/*
 * Every element is one chain of multiply-adds in the order of k, whatever the tile's size: that is
 * what makes a row's result independent of the rows beside it. `rows` and `vectors` are constants
 * wherever this is inlined, so that the loops unroll and the sums live in registers.
 */
INLINE void multiply(const int rows, const int vectors, const struct gemm_tile *tile)
{
    const int64_t stride = tile->row_stride, step = tile->step;
    const float *b = tile->b;
    float *const c = tile->c;
    const int64_t c_stride = tile->c_stride, ahead_step = tile->ahead_step;
    const float *ahead = tile->ahead;
    vector sum[TILE_ROWS][TILE_VECTORS];
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int j = 0; j < vectors; j++) {
            const float *from = c + i * c_stride + j * VECTOR_LANES;
            sum[i][j] = tile->accumulate ? vector_load(from) : vector_set(0.0f);
        }
    }
    for (int64_t tap = 0; tap < tile->taps; tap++) {
        const float *low = tile->a + tap * tile->tap_stride;
        const float *high = low + 5 * stride; /* two bases reach all rows without spilling */
        for (int64_t k = 0; k < tile->tap_length; k++, b += step) {
            vector row[TILE_VECTORS];
            __builtin_prefetch(ahead, 0, 2);
            ahead += ahead_step;
            UNROLL
            for (int j = 0; j < vectors; j++)
                row[j] = vector_load(b + j * VECTOR_LANES);
            UNROLL
            for (int i = 0; i < rows; i++) {
                vector a = vector_set(i < 5 ? low[i * stride + k] : high[(i - 5) * stride + k]);
                UNROLL
                for (int j = 0; j < vectors; j++)
                    sum[i][j] = vector_fma(a, row[j], sum[i][j]);
            }
        }
    }
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int j = 0; j < vectors; j++)
            vector_store(c + i * c_stride + j * VECTOR_LANES, sum[i][j]);
    }
}

/* clang-format off */
#define SIZE(rows, vectors)                                                                        \
    static void multiply_##rows##_##vectors(const struct gemm_tile *tile)                          \
    {                                                                                              \
        multiply(rows, vectors, tile);                                                             \
    }
#if defined(__AVX512F__)
#define ROW(rows) SIZE(rows, 1) SIZE(rows, 2) SIZE(rows, 3)
#define NAMES(rows) {multiply_##rows##_1, multiply_##rows##_2, multiply_##rows##_3}
ROW(7) ROW(8) ROW(9)
#else
#define ROW(rows) SIZE(rows, 1) SIZE(rows, 2)
#define NAMES(rows) {multiply_##rows##_1, multiply_##rows##_2}
#endif
ROW(1) ROW(2) ROW(3) ROW(4) ROW(5) ROW(6)

typedef void tile_function(const struct gemm_tile *tile);

static tile_function *const functions[TILE_ROWS][TILE_VECTORS] = {
    NAMES(1), NAMES(2), NAMES(3), NAMES(4), NAMES(5), NAMES(6),
#if defined(__AVX512F__)
    NAMES(7), NAMES(8), NAMES(9),
#endif
};
/* clang-format on */

void KERNEL(tile)(const struct gemm_tile *tile)
{
    functions[tile->rows - 1][tile->vectors - 1](tile);
}

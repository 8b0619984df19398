/* SPDX-License-Identifier: MIT */
#include "nn/kernel_set.h"

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

enum {
    STEPS = 4,     /* of k in each turn of the loop, which else takes a fifth of the instructions */
    BASE_ROWS = 3, /* that a base address reaches with its own multiples of the stride: 0, 1, 2 */
    FETCH_STEPS = TILE_VECTORS * VECTOR_LANES > 16 ? 1 : 2, /* for each line of what is ahead */
    BASES = (TILE_ROWS + BASE_ROWS - 1) / BASE_ROWS,
};

/*
 * What is known about the value is forgotten: else compilers keep an offset for every row and step,
 * more than there are registers.
 */
#define FORGET(value) __asm__("" : "+r"(value))

/* Of A: where its rows are, `rows` of them. */
struct rows {
    const char *base[BASES];
    int64_t stride; /* bytes */
};

INLINE struct rows find_rows(const int rows, const float *first, int64_t stride)
{
    struct rows a = {.stride = stride * (int64_t)sizeof *first};
    UNROLL
    for (int g = 0; g < BASES; g++)
        a.base[g] = (const char *)(g * BASE_ROWS < rows ? first + g * BASE_ROWS * stride : first);
    return a;
}

INLINE void advance(const int rows, struct rows *a, int64_t floats)
{
    UNROLL
    for (int g = 0; g < BASES; g++) {
        if (g * BASE_ROWS < rows)
            a->base[g] += floats * (int64_t)sizeof(float);
    }
}

INLINE void forget(const int rows, struct rows *a)
{
    FORGET(a->stride);
    UNROLL
    for (int g = 0; g < BASES; g++) {
        if (g * BASE_ROWS < rows)
            FORGET(a->base[g]);
    }
}

/* sum += column k of A times a row of B */
INLINE void multiply_step(const int rows, const int vectors, const struct rows *a, const int k,
                          const float *b, vector sum[TILE_ROWS][TILE_VECTORS])
{
    vector row[TILE_VECTORS];
    UNROLL
    for (int j = 0; j < vectors; j++)
        row[j] = vector_load(b + j * VECTOR_LANES);
    UNROLL
    for (int i = 0; i < rows; i++) {
        const char *from = a->base[i / BASE_ROWS] + i % BASE_ROWS * a->stride;
        vector x = vector_set(((const float *)from)[k]);
        UNROLL
        for (int j = 0; j < vectors; j++)
            vector_add_product(&sum[i][j], x, row[j]);
    }
}

/*
 * Every element is one chain of multiply-adds in the order of k, whatever the tile's size: that is
 * what makes a row's result independent of the rows beside it. `rows` and `vectors` are constants
 * wherever this is inlined, so that the loops unroll and the sums live in registers. Instructions
 * are spared because a core's two threads share what it can issue.
 */
INLINE void multiply(const int rows, const int vectors, const struct gemm_tile *tile)
{
    const float *b = tile->b;
    const int64_t step = tile->step;
    float *const c = tile->c;
    const int64_t c_stride = tile->c_stride;
    const float *ahead = tile->ahead;
    const int64_t ahead_step = tile->ahead_step;
    vector sum[TILE_ROWS][TILE_VECTORS];
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int j = 0; j < vectors; j++) {
            float *from = c + i * c_stride + j * VECTOR_LANES;
            __builtin_prefetch(from, 1);
            sum[i][j] = tile->accumulate ? vector_load(from) : vector_set(0.0f);
        }
    }
    for (int64_t tap = 0; tap < tile->taps; tap++) {
        struct rows a = find_rows(rows, tile->a + tap * tile->tap_stride, tile->row_stride);
        int64_t left = tile->tap_length;
        for (; left >= STEPS; left -= STEPS) {
            UNROLL
            for (int k = 0; k < STEPS; k += FETCH_STEPS)
                __builtin_prefetch(ahead + k * ahead_step, 0, 2);
            ahead += STEPS * ahead_step;
            UNROLL
            for (int k = 0; k < STEPS; k++, b += step) {
                multiply_step(rows, vectors, &a, k, b, sum);
                forget(rows, &a);
                FORGET(b);
            }
            advance(rows, &a, STEPS);
        }
        for (; left > 0; left--, b += step) {
            multiply_step(rows, vectors, &a, 0, b, sum);
            advance(rows, &a, 1);
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

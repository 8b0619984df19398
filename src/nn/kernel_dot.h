/* SPDX-License-Identifier: MIT */
/**
 * Sums of products of small integers, a tile of them at a time; private to the kernel files. Each
 * step takes 4 bytes of a row and of a column: four bytes of one, or two 16-bit words.
 */
#ifndef NN_KERNEL_DOT_H
#define NN_KERNEL_DOT_H

#include "nn/int8_vector.h"

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

struct dot {
    const void *a;
    int64_t row_stride; /* bytes from a row to the next */
    int64_t steps;
    const void *b;  /* [steps][columns][4 bytes] */
    int64_t b_step; /* bytes from a step to the next */
};

typedef sums dot_product(sums sum, quads a, quads b);

/*
 * Sums of whole numbers are exact, so their order is of no account. `product`, `rows` and `vectors`
 * are constants wherever this is inlined; out: [rows][vectors]
 */
INLINE void dot_multiply(dot_product *product, const int rows, const int vectors,
                         const struct dot *dot, sums *out)
{
    const int64_t stride = dot->row_stride, step = dot->b_step;
    const uint8_t *low = dot->a, *high = low + 5 * stride; /* two bases reach all rows */
    const uint8_t *b = dot->b;
    sums sum[INT8_ROWS][INT8_VECTORS];
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int j = 0; j < vectors; j++)
            sum[i][j] = sums_zero();
    }
    for (int64_t k = 0; k < 4 * dot->steps; k += 4, b += step) {
        quads row[INT8_VECTORS];
        UNROLL
        for (int j = 0; j < vectors; j++)
            row[j] = quads_load(b + 4 * j * VECTOR_LANES);
        UNROLL
        for (int i = 0; i < rows; i++) {
            quads a = quads_spread(i < 5 ? low + i * stride + k : high + (i - 5) * stride + k);
            UNROLL
            for (int j = 0; j < vectors; j++)
                sum[i][j] = product(sum[i][j], a, row[j]);
        }
    }
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int j = 0; j < vectors; j++)
            out[i * vectors + j] = sum[i][j];
    }
}

typedef void dot_function(const struct dot *dot, sums *out);

/* Defines dot_functions[INT8_ROWS][INT8_VECTORS], by [rows - 1][vectors - 1]. */
/* clang-format off */
#define DOT_SIZE(product, rows, vectors)                                                           \
    static void dot_##rows##_##vectors(const struct dot *dot, sums *out)                           \
    {                                                                                              \
        dot_multiply(product, rows, vectors, dot, out);                                            \
    }
#define DOT_ROW_2(product, rows) DOT_SIZE(product, rows, 1) DOT_SIZE(product, rows, 2)
#define DOT_ROW_3(product, rows) DOT_ROW_2(product, rows) DOT_SIZE(product, rows, 3)
#define DOT_ROW_4(product, rows) DOT_ROW_3(product, rows) DOT_SIZE(product, rows, 4)
#define DOT_ROWS(row, product)                                                                     \
    row(product, 1) row(product, 2) row(product, 3) row(product, 4) row(product, 5) row(product, 6)
#define DOT_NAMES_2(rows) dot_##rows##_1, dot_##rows##_2
#define DOT_NAMES_3(rows) DOT_NAMES_2(rows), dot_##rows##_3
#define DOT_NAMES_4(rows) DOT_NAMES_3(rows), dot_##rows##_4
#define DOT_TABLE(names) {names(1)}, {names(2)}, {names(3)}, {names(4)}, {names(5)}, {names(6)}

#if defined(__AVX512F__)
#define DOT_FUNCTIONS(product)                                                                     \
    DOT_ROWS(DOT_ROW_3, product)                                                                   \
    DOT_ROW_3(product, 7) DOT_ROW_3(product, 8) DOT_ROW_3(product, 9)                              \
    static dot_function *const dot_functions[INT8_ROWS][INT8_VECTORS] = {                          \
        DOT_TABLE(DOT_NAMES_3), {DOT_NAMES_3(7)}, {DOT_NAMES_3(8)}, {DOT_NAMES_3(9)}}
#elif defined(__ARM_FEATURE_DOTPROD)
#define DOT_FUNCTIONS(product)                                                                     \
    DOT_ROWS(DOT_ROW_4, product)                                                                   \
    static dot_function *const dot_functions[INT8_ROWS][INT8_VECTORS] = {DOT_TABLE(DOT_NAMES_4)}
#else
#define DOT_FUNCTIONS(product)                                                                     \
    DOT_ROWS(DOT_ROW_2, product)                                                                   \
    static dot_function *const dot_functions[INT8_ROWS][INT8_VECTORS] = {DOT_TABLE(DOT_NAMES_2)}
#endif
/* clang-format on */

#endif

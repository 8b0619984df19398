/* SPDX-License-Identifier: MIT */
/**
 * The innermost loops, compiled once per instruction set and chosen at run time. Everything here is
 * a pure function of its arguments; any thread.
 *
 * An element's result depends on its own row alone and on nothing of the rows beside it: how many
 * there are, or where they were cut. Instruction sets may differ from one another in the last bits.
 */
#ifndef NN_KERNELS_H
#define NN_KERNELS_H

#include "nn/activation.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * A tile of a matrix product, C = A B or C += A B. A row of A is `taps` runs of `tap_length`
 * floats, `tap_stride` apart: a convolution's window, or one run for a plain matrix. B has `step`
 * floats from one of its rows to the next and is read in whole vectors; so is C, and written.
 */
struct gemm_tile {
    const float *a;
    int64_t row_stride;
    int64_t taps;
    int64_t tap_length;
    int64_t tap_stride;
    const float *b;
    int64_t step;
    float *c;
    int64_t c_stride;
    int rows;    /* 1 .. kernels' rows */
    int vectors; /* 1 .. kernels' panel / lanes */
    bool accumulate;
    const float *ahead; /* something that will be read soon: fetched meanwhile, */
    int64_t ahead_step; /* so many floats for each row of B; its end may be overrun */
};

/** c = activation(c + bias) + residual, on rows of any width. */
struct gemm_finish {
    float *c;
    int64_t c_stride;
    int64_t rows;
    int64_t columns;
    const float *bias; /* [columns], or NULL */
    enum activation activation;
    const float *residual; /* or NULL; may be c */
    int64_t residual_stride;
};

/** A norm over the values of a row; gain and offset may both be NULL. */
struct norm {
    const float *gain;
    const float *offset;
    float epsilon;
    enum activation activation; /* of the normed values */
};

/** A row of bytes stands for offset + step × byte, bytes being signed where int8_signed is set. */
struct int8_scale {
    float step;
    float offset;
};

/**
 * A tile of a product of bytes: C = activation(A Bᵀ scaled + bias) + residual. A's rows are as
 * int8_quantise() leaves them. B has `width` columns, of each 4 inputs at a time,
 * [quads][width][4]; they are a multiple of the lanes. Only `columns` of C are written.
 */
struct int8_tile {
    const uint8_t *a;
    int64_t row_stride; /* bytes */
    int64_t quads;
    const int8_t *b;
    int64_t width;
    const struct int8_scale *row_scales; /* [rows] */
    const float *steps;                  /* [width] one of B's integers is so much */
    const float *totals;                 /* [width] the sum of a column's weights */
    const float *bias;                   /* [width] */
    float *c;
    int64_t c_stride;
    int64_t columns;
    int rows; /* 1 .. kernels' int8_rows */
    enum activation activation;
    const float *residual; /* [rows, columns], or NULL; may be c */
    int64_t residual_stride;
};

/** Rows, in runs as those of gemm_tile, that become bytes, each row with a scale of its own. */
struct int8_rows {
    const float *values;
    int64_t rows;
    int64_t row_stride;
    int64_t taps;
    int64_t tap_length;
    int64_t tap_stride;
    uint8_t *bytes; /* [rows, bytes_stride], zeros behind the inputs up to a multiple of 4 */
    int64_t bytes_stride;
    struct int8_scale *scales; /* [rows] */
};

/**
 * A tile of a product of 16-bit words: sums = A Bᵀ. B has, for each pair of inputs, a pair of words
 * of each of `step` columns. The caller sees to it that sums stay below 2³¹.
 */
struct int16_tile {
    const int16_t *a;
    int64_t row_stride; /* words */
    int64_t pairs;
    const int16_t *b; /* [pairs][step][2] */
    int64_t step;
    int32_t *sums; /* [rows, whole vectors] */
    int64_t sums_stride;
    int rows;    /* 1 .. kernels' int8_rows */
    int vectors; /* 1 .. kernels' int8_panel / lanes */
};

/**
 * A row of attention. A score is factor × key_steps × sums, and its exponential to the base of 2
 * over their sum, times value_steps, is what a word stands for, in steps of the returned value.
 */
struct int16_scores {
    const int32_t *sums;      /* [count] */
    const float *key_steps;   /* [count] */
    const float *value_steps; /* [count] */
    float factor;
    int64_t count;
    float *terms;   /* [count in whole vectors] for use meanwhile */
    int16_t *words; /* [count in whole vectors] zeros behind the count; their sum is about 2¹⁵ */
};

/** Products of 16-bit words, as attention needs them. */
struct int16_kernels {
    void (*tile)(const struct int16_tile *tile);
    /* to = sum × factor */
    void (*scale)(const int32_t *sum, float factor, float *to, int64_t count);
    /* Rounds to -levels .. levels steps of the greatest magnitude's part; returns the step. */
    float (*round)(const float *values, int64_t count, int levels, int16_t *words);
    float (*softmax)(const struct int16_scores *scores);
};

struct kernels {
    const char *name;
    int lanes; /* floats in a vector */
    int panel; /* columns that a packed matrix keeps together */
    int rows;  /* at most, in a tile */
    void (*tile)(const struct gemm_tile *tile);
    void (*finish)(const struct gemm_finish *finish);
    /* out may be in */
    void (*layer_norm)(const struct norm *norm, const float *in, float *out, int64_t count);
    /* exp(value - the greatest) in place; returns their sum, by which a softmax divides */
    float (*exponentials)(float *values, int64_t count);
    /* to = from × factor */
    void (*scale)(const float *from, float factor, float *to, int64_t count);
    void (*log_softmax)(const float *in, float *out, int64_t count);

    int int8_panel;  /* columns that a packed matrix of bytes keeps together */
    int int8_rows;   /* at most, in a tile */
    int int8_levels; /* the greatest byte less the least */
    bool int8_signed;
    void (*int8_tile)(const struct int8_tile *tile);
    void (*int8_quantise)(const struct int8_rows *rows);
    /*
     * Weights to -127 .. 127 steps of the greatest magnitude's 127th; returns the step, 0 where all
     * is nothing and NaN where something is no number. The same of every set.
     */
    float (*int8_round)(const float *values, int64_t count, int8_t *bytes);

    const struct int16_kernels *int16; /* NULL where those of floats are as quick */
};

enum instruction_set {
    KERNELS_PORTABLE,
    KERNELS_AVX2,
    KERNELS_AVX_VNNI,
    KERNELS_AVX512,
    KERNELS_AVX512_VNNI,
    KERNELS_NEON_DOT,
    KERNELS_SETS
};

/** NULL when this machine or this build lacks the instruction set. KERNELS_PORTABLE never is. */
const struct kernels *kernels_find(enum instruction_set set);

/** The best that this machine has. */
const struct kernels *kernels_best(void);

#endif

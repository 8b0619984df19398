/* SPDX-License-Identifier: MIT */
/**
 * Matrix products in 8-bit integers: what gemm.h does, with weights of one byte each.
 *
 * Each output has a step for its weights, which are whole multiples of it, -127 .. 127; each row of
 * X, for a convolution each window, is quantised as it comes, in steps from its least value to its
 * greatest. Sums of products are exact in 32 bits, so an element of Y depends on its row of X and
 * its output's weights alone, whatever the number of rows, of threads, or the cut.
 *
 * Weights are packed once and are immutable then; any thread.
 */
#ifndef NN_INT8_H
#define NN_INT8_H

#include "nn/gemm.h"

enum {
    INT8_INPUTS_MAX = 65536,        /* to an output: 255 × 127 × 65536 < 2³¹ */
    INT8_THREAD_FLOATS = 64 * 1024, /* of scratch for each thread */
};

struct int8_weights {
    const struct kernels *kernels;
    struct gemm_shape shape;
    const int8_t *panels; /* [groups][panels][quads][columns][4] */
    const float *steps;   /* these three are [groups][columns padded to whole vectors] */
    const float *totals;  /* the sum of each output's weights */
    const float *bias;
};

/** Floats of memory that packed weights of this shape take: a multiple of 16. */
int64_t int8_packed_floats(const struct kernels *kernels, const struct gemm_shape *shape);

/**
 * Writes the weights of output `output`, [inputs], -127 .. 127, in the order in which an input row
 * is read; returns their step. `floats` is room for as many floats.
 */
typedef float int8_source(const void *context, int64_t output, int8_t *weights, float *floats);

/** Floats of scratch that int8_pack() needs for each thread. */
int64_t int8_pack_floats(const struct kernels *kernels, int64_t inputs);

/**
 * Packs into `memory`, which is aligned to 64 bytes and must outlive the result. `bias` is
 * [outputs] or NULL. `scratch` has room for [pool_threads(pool)][int8_pack_floats(kernels,
 * inputs)].
 */
struct int8_weights int8_pack(const struct kernels *kernels, const struct gemm_shape *shape,
                              int8_source *source, const void *context, const float *bias,
                              float *memory, float *scratch, struct pool *pool);

/**
 * Y = activation(X Wᵀ + b) + residual; see gemm.h. `scratch` is [threads][INT8_THREAD_FLOATS], of
 * one thread when there is no pool. Rows of more than half of that stay within it, too.
 */
void int8_run(const struct int8_weights *weights, struct pool *pool, const struct gemm_input *input,
              const struct gemm_output *output, float *scratch);

#endif

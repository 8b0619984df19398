/* SPDX-License-Identifier: MIT */
/**
 * The one place for matrix products: Y = activation(X Wᵀ + b) + residual, for linear layers and for
 * convolutions over channels-last activations. A convolution is the same product over overlapping
 * rows of its input, so nothing is copied out first; groups are products side by side.
 *
 * Packed weights are immutable; any thread. gemm_run() runs on the pool.
 *
 * An element of Y is the sum over k in order, whatever the number of rows, of threads, or the cut.
 */
#ifndef NN_GEMM_H
#define NN_GEMM_H

#include "base/pool.h"
#include "nn/kernels.h"

struct gemm_shape {
    int64_t outputs; /* of all groups together */
    int64_t inputs;  /* to each output: taps × channels of its group */
    int64_t groups;  /* which divide outputs */
};

struct gemm_weights {
    const struct kernels *kernels;
    struct gemm_shape shape;
    const float *panels; /* [groups][panels][inputs][columns]: the last panel may be narrower */
    const float *bias;   /* [outputs], or NULL */
};

/** Floats of memory that packed weights of this shape take: a multiple of 16. */
int64_t gemm_packed_floats(const struct kernels *kernels, const struct gemm_shape *shape);

/**
 * The weights of output `output`, [inputs], in the order in which an input row is read: written to
 * `room`, or wherever they are.
 */
typedef const float *gemm_source(const void *context, int64_t output, float *room);

/** Floats of scratch that gemm_pack() needs for each thread. */
int64_t gemm_pack_floats(int64_t inputs);

/**
 * Packs into `memory`, which is aligned to 64 bytes and must outlive the result. `scratch` has
 * room for [pool_threads(pool)][gemm_pack_floats(inputs)].
 */
struct gemm_weights gemm_pack(const struct kernels *kernels, const struct gemm_shape *shape,
                              gemm_source *source, const void *context, const float *bias,
                              float *memory, float *scratch, struct pool *pool);

/** The same weights with each output's row times `scale[output]`, in `memory` of the same size. */
struct gemm_weights gemm_scale(const struct gemm_weights *weights, const float *scale,
                               const float *bias, float *memory);

/**
 * A row of X is `taps` runs of `tap_length` floats, `tap_stride` apart; each group's runs begin
 * `tap_length` after those of the group before. A linear layer has one tap.
 */
struct gemm_input {
    const float *values;
    int64_t rows;
    int64_t row_stride;
    int64_t taps;
    int64_t tap_length;
    int64_t tap_stride;
};

struct gemm_output {
    float *values;
    int64_t row_stride;
    enum activation activation;
    const float *residual; /* or NULL; not `values` */
    int64_t residual_stride;
};

/** Without a pool the calling thread does it all: for tasks that are part of something bigger. */
void gemm_run(const struct gemm_weights *weights, struct pool *pool, const struct gemm_input *input,
              const struct gemm_output *output);

/** Floats of scratch that gemm_run_unpacked() needs for each thread. */
int64_t gemm_unpacked_floats(const struct kernels *kernels, int64_t inputs);

/**
 * What gemm_run() gives, bit for bit, with weights that are not packed, whose `panels` are not
 * read: each panel is packed in `scratch`, [pool_threads(pool)][gemm_unpacked_floats()], used for
 * all rows and forgotten.
 */
void gemm_run_unpacked(const struct gemm_weights *weights, gemm_source *source, const void *context,
                       float *scratch, struct pool *pool, const struct gemm_input *input,
                       const struct gemm_output *output);

/** The input of a linear layer: `rows` rows of `columns` floats, `stride` apart. */
struct gemm_input gemm_rows(const float *values, int64_t rows, int64_t columns, int64_t stride);

/** A tile of any number of rows; `tile->rows` is not read. */
void gemm_tiles(const struct kernels *kernels, const struct gemm_tile *tile, int64_t rows);

#endif

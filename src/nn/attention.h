/* SPDX-License-Identifier: MIT */
/**
 * Scaled dot-product attention of all heads, without a mask: for each head, softmax(Q Kᵀ) V. Every
 * query sees every key. The scale belongs to Q already. Runs on the pool.
 *
 * Scores exist for a block of queries at a time only.
 */
#ifndef NN_ATTENTION_H
#define NN_ATTENTION_H

#include "base/pool.h"
#include "nn/kernels.h"

struct attention_shape {
    int64_t queries;
    int64_t keys; /* and values */
    int64_t heads;
    int64_t head_size;
    bool int16; /* products in 16-bit integers, where the kernels have them and keys are not more
                   than 65536; else in floats */
};

/** Floats of scratch for `threads` threads. */
int64_t attention_scratch_floats(const struct kernels *kernels, const struct attention_shape *shape,
                                 int threads);

struct attention {
    const float *query; /* [queries, heads × head_size], `query_stride` floats a row */
    int64_t query_stride;
    const float *key, *value; /* [keys, heads × head_size], `key_stride` floats a row of both */
    int64_t key_stride;
    float *context; /* [queries, heads × head_size], `context_stride` floats a row */
    int64_t context_stride;
    float *scratch;
};

void attention_run(const struct kernels *kernels, struct pool *pool,
                   const struct attention_shape *shape, const struct attention *attention);

#endif

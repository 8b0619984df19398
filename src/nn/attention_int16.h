/* SPDX-License-Identifier: MIT */
/**
 * Attention with its products in 16-bit integers; private to attention.c.
 *
 * Each query, key and value of a head is rounded to whole multiples of a step of its own: the
 * first two to what lets the sums of a score stay within 32 bits, 12 bits and a half for heads of
 * 64; values, and the weights that they are summed with, to 15. Sums are exact.
 */
#ifndef NN_ATTENTION_INT16_H
#define NN_ATTENTION_INT16_H

#include "nn/attention.h"

enum { ATTENTION_INT16_KEYS_MAX = 65536 /* with which sums over values stay below 2³¹ */ };

int64_t attention_int16_scratch_floats(const struct kernels *kernels,
                                       const struct attention_shape *shape, int threads);

void attention_int16_run(const struct kernels *kernels, struct pool *pool,
                         const struct attention_shape *shape, const struct attention *attention);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * Where the weights of a product come from: tensors of a checkpoint, which must stay open. Any
 * thread.
 */
#ifndef W2V2_SOURCE_H
#define W2V2_SOURCE_H

#include "model/tensor.h"
#include "nn/kernels.h"

#include <stddef.h>

struct w2v2_source {
    const struct tensor *tensors[3]; /* one below the other, [outputs, channels, taps] of each; a
                                        linear layer has no taps. NULL: no more */
    float factor;                    /* of the first tensor */
    const float *taps;               /* factors of each tap, or NULL */
};

static inline struct w2v2_source w2v2_source_of(const struct tensor *tensor)
{
    return (struct w2v2_source){{tensor}, 1.0f, NULL};
}

/** A gemm_source; its context is a struct w2v2_source. */
const float *w2v2_source_floats(const void *context, int64_t output, float *room);

/** Where bytes come from, and what rounds floats to them. */
struct w2v2_rounding {
    const struct w2v2_source *source;
    const struct kernels *kernels;
};

/** An int8_source; its context is a struct w2v2_rounding. */
float w2v2_source_bytes(const void *context, int64_t output, int8_t *bytes, float *floats);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * A tensor as it lies in a checkpoint: constant, row-major, in the file's own precision. Any
 * thread.
 */
#ifndef MODEL_TENSOR_H
#define MODEL_TENSOR_H

#include <stdint.h>

enum dtype { DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_I8 };

/** Shape is checked at binding, so users know it: whoever holds a tensor says it in a comment. */
struct tensor {
    enum dtype dtype;
    int rank;
    int64_t shape[4];
    const void *data; /* owned by the checkpoint, row-major, aligned to its element; NULL: absent */
    const float *steps; /* of DTYPE_I8: [shape[0]] what one of each output's integers stands for;
                           owned by the checkpoint */
};

/** Widens or copies `count` elements from element `first` on into `out`. */
void tensor_to_float(const struct tensor *tensor, int64_t first, int64_t count, float *out);

#endif

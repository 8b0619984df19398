/* SPDX-License-Identifier: MIT */
/**
 * Writes a checkpoint's tensors with the weights of its products in 8 bits. One thread.
 *
 * <name>.weight is I8 in its usual shape, -127 .. 127, and <name>.weight_scale, F32 [outputs], what
 * one of each output's integers stands for. Weights of the first convolution and of the head stay
 * as they are, as do norms and biases; the positional convolution's weight norm is multiplied out.
 */
#ifndef QUANTIZE_WRITER_H
#define QUANTIZE_WRITER_H

#include "model/checkpoint.h"

/** Called with shares from 0 to 1; returns false to cancel. May be NULL. */
typedef bool writer_progress(void *user, double share);

struct writer_result {
    int tensors;   /* that became bytes */
    int64_t bytes; /* of the file */
};

/** `path` is created; on failure it may be there in part. */
enum utter_code writer_write(const char *path, struct checkpoint *checkpoint,
                             writer_progress *progress, void *user, struct writer_result *result,
                             struct utter_error *error);

#endif

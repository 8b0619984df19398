/* SPDX-License-Identifier: MIT */
#include "model/weight_norm.h"

#include <math.h>
#include <string.h>

enum { PIECE = 1024 /* floats that are widened at a time, on the stack */ };

void weight_norm_measure(const struct tensor *direction, const struct tensor *gain, float *scale,
                         double *squares)
{
    int64_t kernel = direction->shape[2];
    int64_t count = direction->shape[0] * direction->shape[1] * kernel;
    float piece[PIECE];
    memset(squares, 0, (size_t)kernel * sizeof *squares);
    int64_t tap = 0;
    for (int64_t from = 0; from < count; from += PIECE) {
        int64_t length = count - from < PIECE ? count - from : PIECE;
        tensor_to_float(direction, from, length, piece);
        for (int64_t i = 0; i < length; i++) {
            squares[tap] += (double)piece[i] * piece[i];
            tap = tap + 1 < kernel ? tap + 1 : 0;
        }
    }
    tensor_to_float(gain, 0, kernel, scale);
    for (tap = 0; tap < kernel; tap++)
        scale[tap] = (float)(scale[tap] / sqrt(squares[tap]));
}

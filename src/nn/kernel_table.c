/* SPDX-License-Identifier: MIT */
#include "nn/int8_vector.h"
#include "nn/kernel_set.h"

#define TEXT_(word) #word
#define TEXT(word) TEXT_(word)

extern const struct kernels KERNEL(kernels);

#if INT16
static const struct int16_kernels int16 = {
    .tile = KERNEL(int16_tile),
    .scale = KERNEL(int16_scale),
    .round = KERNEL(int16_round),
    .softmax = KERNEL(int16_softmax),
};
#endif

const struct kernels KERNEL(kernels) = {
    .name = TEXT(KERNEL_SET),
    .lanes = VECTOR_LANES,
    .panel = TILE_VECTORS * VECTOR_LANES,
    .rows = TILE_ROWS,
    .tile = KERNEL(tile),
    .finish = KERNEL(finish),
    .layer_norm = KERNEL(layer_norm),
    .exponentials = KERNEL(exponentials),
    .scale = KERNEL(scale),
    .log_softmax = KERNEL(log_softmax),
    .int8_panel = INT8_VECTORS * VECTOR_LANES,
    .int8_rows = INT8_ROWS,
    .int8_levels = INT8_LEVELS,
    .int8_signed = INT8_SHIFT != 0,
    .int8_tile = KERNEL(int8_tile),
    .int8_quantise = KERNEL(int8_quantise),
    .int8_round = KERNEL(int8_round),
#if INT16
    .int16 = &int16,
#endif
};

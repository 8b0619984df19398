/* SPDX-License-Identifier: MIT */
#include "nn/kernel_set.h"

#define TEXT_(word) #word
#define TEXT(word) TEXT_(word)

extern const struct kernels KERNEL(kernels);

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
};

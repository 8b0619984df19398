/* SPDX-License-Identifier: MIT */
/**
 * What the kernel files of one instruction set share; private to them. Each is compiled several
 * times, with KERNEL_SET naming the instruction set, which becomes part of every function's name.
 */
#ifndef NN_KERNEL_SET_H
#define NN_KERNEL_SET_H

#include "nn/kernels.h"
#include "nn/vector.h"

#define KERNEL_JOIN_(name, set) name##_##set
#define KERNEL_JOIN(name, set) KERNEL_JOIN_(name, set)
#define KERNEL(name) KERNEL_JOIN(name, KERNEL_SET)

/*
 * A tile's sums stay in registers: TILE_ROWS × TILE_VECTORS of them, a row of B, and one for A.
 */
#if defined(__AVX512F__)
enum { TILE_ROWS = 9, TILE_VECTORS = 3 };
#else
enum { TILE_ROWS = 6, TILE_VECTORS = 2 };
#endif

void KERNEL(tile)(const struct gemm_tile *tile);
void KERNEL(finish)(const struct gemm_finish *finish);
void KERNEL(layer_norm)(const struct norm *norm, const float *in, float *out, int64_t count);
float KERNEL(exponentials)(float *values, int64_t count);
void KERNEL(scale)(const float *from, float factor, float *to, int64_t count);
void KERNEL(log_softmax)(const float *in, float *out, int64_t count);
void KERNEL(int8_tile)(const struct int8_tile *tile);
void KERNEL(int8_quantise)(const struct int8_rows *rows);
float KERNEL(int8_round)(const float *values, int64_t count, int8_t *bytes);

/* Whether products of 16-bit words are quicker than those of floats; without it these are not. */
#if defined(__AVX2__)
#define INT16 1
#else
#define INT16 0
#endif
void KERNEL(int16_tile)(const struct int16_tile *tile);
void KERNEL(int16_scale)(const int32_t *sum, float factor, float *to, int64_t count);
float KERNEL(int16_round)(const float *values, int64_t count, int levels, int16_t *words);
float KERNEL(int16_softmax)(const struct int16_scores *scores);

#endif

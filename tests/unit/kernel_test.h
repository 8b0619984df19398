/* SPDX-License-Identifier: MIT */
/**
 * What tests of kernels share: random numbers that are the same in every run, every set of kernels
 * in turn, and the shape and input of random products. Failures end the test.
 */
#ifndef TEST_KERNEL_TEST_H
#define TEST_KERNEL_TEST_H

#include "nn/gemm.h"

/** Begins the numbers again. */
void random_seed(uint64_t seed);
uint32_t random_number(void); /* of 31 bits */
int64_t random_between(int64_t least, int64_t most);

/** Memory aligned to 64 bytes, to be freed. */
void *allocate(int64_t bytes);
/** The same, filled with -1 .. 1. */
float *random_floats(int64_t count);

/** Calls check with each set of kernels that this machine has, and prints its name. */
void for_all_kernels(void check(const struct kernels *kernels));

/** A product as gemm.h has them, on a random shape. */
struct product {
    struct gemm_shape shape;
    int64_t rows, stride, taps, tap_length; /* a row begins `stride` frames after the one before */
    int64_t frame;                          /* floats from a frame to the next */
    int64_t out_stride;
    bool bias, residual;
    float *offsets, *input, *rest; /* [outputs], frames, like the output */
};

/** Every eighth round's product is big: up to rows_max rows. */
struct product product_make(int round, int64_t rows_max);
void product_free(struct product *product);

/** Rows from `first` on, of the input and of an output that lies at `out`. */
struct gemm_input product_input(const struct product *product, int64_t first, int64_t rows);
struct gemm_output product_output(const struct product *product, float *out, int64_t first,
                                  enum activation activation);

/** Whether a row has the same bits in two outputs. */
bool product_same_row(const struct product *product, const float *a, const float *b, int64_t row);

#endif

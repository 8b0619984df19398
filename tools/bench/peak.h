/* SPDX-License-Identifier: MIT */
/**
 * What this machine can do at most: fused multiply-adds on registers, without a load or a store.
 * No product of matrices can be faster.
 */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

#include "base/pool.h"

/**
 * 32-bit GFLOP/s of the pool's threads together, each in vectors as wide as `lanes` floats: 16 for
 * AVX-512, 8 for AVX2 with FMA, 4 for what every machine has. Takes some 20 ms.
 */
double peak_gflops(struct pool *pool, int lanes);

#endif

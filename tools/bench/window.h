/* SPDX-License-Identifier: MIT */
/**
 * What is measured of passes over one window, and how it is printed. Belongs to window.c.
 */
#ifndef BENCH_WINDOW_H
#define BENCH_WINDOW_H

#include "bench.h"

enum { WINDOW_NEXT = 5 /* passes, in which the model packs what it did not when it was opened */ };

struct window_times {
    double wall[BENCH_REPEAT_MAX]; /* seconds a pass */
    double cpu[BENCH_REPEAT_MAX];
    double work[W2V2_WORKS][BENCH_REPEAT_MAX];
    double peak[BENCH_REPEAT_MAX]; /* GFLOP/s, before each pass */
};

struct window_result {
    const struct model_config *config;
    const char *dtype; /* of the products */
    int64_t samples;
    int64_t frames;
    double checked;    /* seconds of audio whose output was compared with the reference's */
    double difference; /* the greatest, as a share of what is allowed */
    double open;       /* seconds to open the model, the page cache being warm */
    double first; /* seconds of the first pass over one second of audio, its buffers included */
    double next;  /* the longest of the WINDOW_NEXT passes after it */
    double warm;  /* median of such passes afterwards */
    double idle;  /* of a core, while nothing is asked of the pool */
    int64_t weight_bytes;
    int64_t peak_bytes; /* of the process */
    struct window_times *times;
};

void window_report(const struct bench_options *options, const struct window_result *result);
int window_report_json(const struct bench_options *options, const struct window_result *result);

/** Floating-point operations of a step over a window: multiplications and additions of products. */
double window_flops(const struct model_config *config, int64_t samples, enum w2v2_work work);

#endif

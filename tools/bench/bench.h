/* SPDX-License-Identifier: MIT */
/**
 * utter-bench: what its parts share.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "nn/kernels.h"
#include "random_model.h"
#include "w2v2/w2v2.h"

#include <jansson.h>

enum { BENCH_REPEAT_MAX = 1000 };

struct bench_options {
    const char *model;                /* directory; with a random one, where it is kept or NULL */
    const struct random_shape *shape; /* NULL: the model's files are there already */
    const char *shape_name;
    int storage; /* enum random_storage */
    bool stream;
    bool on_demand; /* a pass for each line of standard input */
    bool json;
    const char *samples; /* file of 32-bit floats, or NULL for a made-up sound */
    const char *output;  /* file for log-probabilities, or NULL */
    int threads;
    double window; /* seconds */
    int repeat;
    int precision; /* enum utter_precision */
    int encoder;   /* enum utter_encoder, or 0 */
    int latency;   /* enum utter_latency, or 0 */
    const struct kernels *kernels;
};

/** Each prints its results, and returns the process's exit status. */
int bench_window(const struct bench_options *options);
int bench_stream(const struct bench_options *options);

/** Sorts `values`; the mean of the two in the middle where `count` is even. */
double bench_median(double *values, int count);

/** Says on standard error what went wrong; returns an exit status. */
int bench_fail(const struct utter_error *error);

/** Prints the object, frees it, and returns an exit status. */
int bench_print_json(json_t *object);

#endif

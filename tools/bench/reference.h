/* SPDX-License-Identifier: MIT */
/**
 * The plain reference: what w2v2_log_probs() computes, from the checkpoint as it lies on disk, by
 * loops that say what they do. It shares with the library the checkpoint reader and the pool alone.
 * Slow, and every activation is kept: for checking a benchmark's output.
 */
#ifndef BENCH_REFERENCE_H
#define BENCH_REFERENCE_H

#include "base/pool.h"
#include "model/checkpoint.h"

/**
 * Writes [config_frames(count), vocab] log-probabilities. The activations that the configuration
 * names must be GELU by erf, as in every published checkpoint.
 */
enum utter_code reference_log_probs(const struct checkpoint *checkpoint, struct pool *pool,
                                    const float *samples, int64_t count, float *log_probs,
                                    struct utter_error *error);

#endif

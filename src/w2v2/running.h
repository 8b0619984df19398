/* SPDX-License-Identifier: MIT */
/**
 * Features of an utterance that goes on, for models that normalise over time: do_normalize, and a
 * group norm. Instead of the utterance's statistics, which are not known yet, they take those of
 * its beginning up to now. At its end these are the utterance's own.
 *
 * Belongs to one thread at a time; allocates nothing after opening.
 */
#ifndef W2V2_RUNNING_H
#define W2V2_RUNNING_H

#include "w2v2/w2v2.h"

struct w2v2_running;

struct w2v2_running *w2v2_running_open(const struct w2v2 *w2v2, struct utter_error *error);
void w2v2_running_close(struct w2v2_running *running);

/** An utterance begins. */
void w2v2_running_reset(struct w2v2_running *running);
/** `count` samples are there of the utterance; those that are new join the statistics. */
void w2v2_running_advance(struct w2v2_running *running, const float *utterance, int64_t count);
/** As w2v2_features(), with the statistics so far, which are of a receptive field at least. */
void w2v2_running_features(const struct w2v2_running *running, struct pool *pool,
                           struct w2v2_workspace *workspace, const float *samples, int64_t count,
                           float *features /* [frames, conv_dim[last]] */);

#endif

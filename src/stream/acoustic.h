/* SPDX-License-Identifier: MIT */
/**
 * The acoustic model as streams see it: samples in, one row of log-probabilities for each frame
 * out. Behind it stands a w2v2 model with a workspace of its own, or a test. Belongs to one thread
 * at a time; a pass allocates nothing.
 */
#ifndef STREAM_ACOUSTIC_H
#define STREAM_ACOUSTIC_H

#include "utter.h"

struct acoustic {
    int sample_rate;     /* Hz */
    int frame_samples;   /* from one frame to the next */
    int receptive_field; /* samples that one frame sees, at least */
    int look_ahead;      /* frames after it that the model's convolutions look at */
    int columns;         /* of the emissions */
    void *self;
    /* Writes [acoustic_frames(count), columns]; called with one frame at least. */
    void (*log_probs)(void *self, const float *samples, int64_t count, float *log_probs);
    void (*close)(void *self);
};

/** Frames that `samples` samples give. */
int64_t acoustic_frames(const struct acoustic *acoustic, int64_t samples);
/** Samples that `frames` frames need. */
int64_t acoustic_samples(const struct acoustic *acoustic, int64_t frames);
/** A zeroed one is allowed. */
void acoustic_close(struct acoustic *acoustic);

#endif

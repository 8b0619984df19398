/* SPDX-License-Identifier: MIT */
/**
 * The samples of a segment that may still be needed, at the model's rate, and the level of each
 * block of them. Positions count samples from the segment's beginning. Belongs to one thread at a
 * time; allocates nothing after opening.
 */
#ifndef STREAM_AUDIO_H
#define STREAM_AUDIO_H

#include "utter.h"

struct audio {
    int64_t block;    /* samples */
    int64_t capacity; /* samples, whole blocks */
    int64_t base;     /* position of samples[0], whole blocks */
    int64_t end;      /* position after the last sample */
    float *samples;   /* [capacity] */
    float *levels;    /* [capacity / block] mean squares */
};

enum utter_code audio_open(struct audio *audio, int64_t block, int64_t samples_max,
                           struct utter_error *error);
void audio_close(struct audio *audio);
void audio_reset(struct audio *audio);

/** Room for `count` samples at the end; what lies before `keep` may be forgotten for it. */
float *audio_reserve(struct audio *audio, int64_t count, int64_t keep);
const float *audio_at(const struct audio *audio, int64_t position);
float *audio_level(struct audio *audio, int64_t position);
/**
 * The middle of the quietest `span_blocks` blocks between two positions, on a block's edge; `to`,
 * on a block's edge itself, when they are not so far apart.
 */
int64_t audio_quietest(const struct audio *audio, int64_t from, int64_t to, int64_t span_blocks);

#endif

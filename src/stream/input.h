/* SPDX-License-Identifier: MIT */
/**
 * From the caller's audio, any rate and channels, to one channel at the model's rate. A segment is
 * audio without a gap; inside it, position p of the caller and sample m of the model's rate are one
 * and the same instant when p - origin = m * rate / model_rate. Belongs to one thread at a time;
 * allocates nothing after opening.
 */
#ifndef STREAM_INPUT_H
#define STREAM_INPUT_H

#include "base/resample.h"

/* 2 years at 16 kHz: positions may be multiplied by a rate. */
#define INPUT_SAMPLES_MOST (INT64_C(1) << 40)

enum { INPUT_RATE_LEAST = 1000, INPUT_RATE_MOST = 768000, INPUT_CHANNELS_MOST = 64 };

/* What a sample of the segment is to the caller. */
struct input_clock {
    int rate;       /* Hz, of the caller */
    int model_rate; /* Hz */
    int64_t origin; /* the caller's position where the segment begins */
    int64_t next;   /* the caller's position after the last sample taken */
};

struct input {
    struct input_clock clock;
    int channels;
    int64_t piece; /* samples per channel that one push takes at most */
    struct resampler *resampler;
    float *mono; /* [piece] */
};

enum utter_code input_open(struct input *input, int rate, int channels, int model_rate,
                           struct utter_error *error);
void input_close(struct input *input);
void input_reset(struct input *input);

/** Whether input_push() would take these samples as they are. */
bool input_is_sane(const float *samples, int64_t count);
/** The most samples that input_push() or input_finish() can give. */
int64_t input_bound(const struct input *input);
/** Takes `count` ≤ piece samples per channel; returns how many samples it wrote into `out`. */
int64_t input_push(struct input *input, const float *samples, int64_t count, float *out);
/** The segment's last samples. */
int64_t input_finish(struct input *input, float *out);
/** Begins a segment at `position` of the caller. */
void input_restart(struct input *input, int64_t position);
/** The caller's position of sample `sample` of the segment. */
int64_t input_position(const struct input_clock *clock, int64_t sample);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * One channel of audio from one sample rate to another (libsoxr, high quality). Belongs to one
 * thread at a time.
 *
 * Output sample m lies at input position m * input_rate / output_rate: the filter's delay is
 * compensated. The result does not depend on how the input is cut into calls. Nothing is allocated
 * after opening, ends of segments included; resampler_reset() may.
 */
#ifndef BASE_RESAMPLE_H
#define BASE_RESAMPLE_H

#include "utter.h"

struct resampler;

struct resampler *resampler_open(int input_rate, int output_rate, struct utter_error *error);
void resampler_close(struct resampler *resampler);
/** As if it had just been opened. */
void resampler_reset(struct resampler *resampler);

/** The most samples that one call with `count` input samples can give. */
int64_t resampler_bound(const struct resampler *resampler, int64_t count);

/** Takes all `count` samples, writes what is ready into `out` and returns how many that is. */
int64_t resampler_push(struct resampler *resampler, const float *samples, int64_t count,
                       float *out /* [resampler_bound(count)] */);

/**
 * Ends the segment: writes the rest, so that n samples in have given round(n * output / input)
 * samples out. The next push begins a segment that knows nothing of this one.
 */
int64_t resampler_finish(struct resampler *resampler, float *out /* [resampler_bound(0)] */);

/** round(samples * to / from), exact for any length. */
int64_t resample_position(int64_t samples, int from, int to);

#endif

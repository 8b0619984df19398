/* SPDX-License-Identifier: MIT */
/**
 * Sound with the levels of speech: a voice that glides and stops for breath, over a quiet hiss. The
 * same on every machine, sample for sample, up to the mathematical library's rounding.
 */
#ifndef BENCH_SOUND_H
#define BENCH_SOUND_H

#include <stdint.h>

/** An utterance of 5.6 s, then silence of 1.4 s, and so on; `rate` in Hz. */
void sound_make(float *samples, int64_t count, int rate);

#endif

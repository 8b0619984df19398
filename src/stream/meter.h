/* SPDX-License-Identifier: MIT */
/**
 * The level of the last 100 ms or so, for a meter on a screen. One thread pushes, wait-free; any
 * thread reads.
 */
#ifndef STREAM_METER_H
#define STREAM_METER_H

#include <stdatomic.h>
#include <stdint.h>

struct meter {
    int64_t span;  /* samples that make one reading */
    int64_t count; /* the pushing thread's: of the reading in the making */
    float sum;     /* of squares */
    float peak;
    _Atomic float mean_square; /* the last reading */
    _Atomic float last_peak;
};

/** `rate` counts samples per second, of all channels together. */
void meter_init(struct meter *meter, int64_t rate);
void meter_push(struct meter *meter, const float *samples, int64_t count);
/** dB relative to full scale, -120 when silent. */
float meter_level_dbfs(const struct meter *meter);
float meter_peak_dbfs(const struct meter *meter);

#endif

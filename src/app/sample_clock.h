/* SPDX-License-Identifier: MIT */
/**
 * Counts the frames of a sound input against the clock, and so finds out how many were lost.
 *
 * Overflow flags of sound systems are only hints. What is certain is how many frames came and when.
 * Audio that was merely held up arrives in a burst and catches up with the clock; audio that was
 * lost never does. So when frames come late, they are held back for a moment (CLOCK_DOUBT_NS): if
 * the burst does not come, the lateness that remains is what was lost, and the frames' position
 * moves on by it. A slow drift of the input's crystal against the clock is followed.
 *
 * An input may also begin with a burst of what it heard while it was being opened. When position 0
 * was recorded is known only after that, so the first frames are held back, too (CLOCK_START_NS).
 *
 * No input or output, no thread: one caller at a time. Times are CLOCK_MONOTONIC in nanoseconds,
 * positions are frames since the first one.
 */
#ifndef APP_SAMPLE_CLOCK_H
#define APP_SAMPLE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_DOUBT_NS INT64_C(300000000)
#define CLOCK_START_NS INT64_C(100000000)

struct sample_clock {
    int rate;      /* frames per second */
    bool started;  /* frames have come */
    bool starting; /* and are held back, because origin_ns may move yet */
    bool broken;   /* what comes next follows a break of unknown length */
    bool doubt;    /* frames are held back */
    int64_t start_end_ns;
    int64_t origin_ns;   /* when position 0 was recorded, as far as arrivals tell */
    int64_t position;    /* end of the frames that arrived, held ones included */
    double baseline;     /* seconds by which frames usually arrive late */
    double doubt_excess; /* least lateness above the baseline since the doubt began */
    int64_t doubt_end_ns;
    double window_excess; /* the same since window_end_ns was set */
    int64_t window_end_ns;
    int64_t settled_ns; /* until then the origin is being found */
};

void sample_clock_start(struct sample_clock *clock, int rate);

/**
 * `frames` more arrived at `arrival_ns`; returns true when all that arrived may be passed on. Then
 * *lost is how many frames are missing just before the oldest that was held back.
 */
bool sample_clock_arrived(struct sample_clock *clock, int64_t frames, int64_t arrival_ns,
                          int64_t *lost);

/** Frames known to be lost, just before the ones that arrive next. */
void sample_clock_lost(struct sample_clock *clock, int64_t frames);

/**
 * The input paused or died: how long the break is will show in what arrives next. Frames that are
 * held back may be passed on; returns how many are missing just before them.
 */
int64_t sample_clock_break(struct sample_clock *clock);

/** Position that the clock shows at `now_ns`: where audio ends that is missing until now. */
int64_t sample_clock_at(const struct sample_clock *clock, int64_t now_ns);

#endif

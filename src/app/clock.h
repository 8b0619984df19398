/* SPDX-License-Identifier: MIT */
/** The time that latencies and patience are measured by. Any thread. */
#ifndef APP_CLOCK_H
#define APP_CLOCK_H

#include <stdint.h>
#include <time.h>

/** Nanoseconds of CLOCK_MONOTONIC: for waiting. */
static inline int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/** Seconds of CLOCK_MONOTONIC, or of CPU time by CLOCK_PROCESS_CPUTIME_ID: for measuring. */
static inline double clock_seconds(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

#endif

/* SPDX-License-Identifier: MIT */
/**
 * Behind real time: what a live stream does without, the further it is behind the more. Each rung
 * is a decode dearer per second of audio than the next; the words come later, and all of them do.
 * Pure; any thread.
 */
#ifndef STREAM_LADDER_H
#define STREAM_LADDER_H

#include <stdint.h>

enum ladder_rung {
    LADDER_IN_TIME,
    LADDER_FEWER_DRAFTS, /* every second decode is left out */
    LADDER_LONG_HOPS,    /* three of four */
    LADDER_LITTLE_LEFT,  /* and half of the left context */
};

/** The rung after `rung` when `waiting_ms` of audio wait: up one by one, down all at once. */
enum ladder_rung ladder_step(enum ladder_rung rung, int64_t waiting_ms);
/** The hop is so much longer. */
int ladder_stretch(enum ladder_rung rung);
/** The left context of `frames`. */
int64_t ladder_left(enum ladder_rung rung, int64_t frames);

#endif

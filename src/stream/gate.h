/* SPDX-License-Identifier: MIT */
/**
 * The voice gate: does somebody speak? It looks at the level of each block over a noise floor that
 * it follows, the minimum of the last seconds: in all that is speech, and in the lower part of it
 * alone, where a voice stands out of a hiss. It decides when utterances begin and end and never
 * takes samples away. In doubt it is open: noise costs a decode, a lost word cannot be had again.
 * Belongs to one thread at a time.
 */
#ifndef STREAM_GATE_H
#define STREAM_GATE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    GATE_SMOOTH_MS = 100,    /* the floor is the minimum of means over this */
    GATE_PART_MS = 500,      /* the last GATE_PARTS parts are remembered, with their minima */
    GATE_PARTS = 8,          /* so the floor follows a louder room after 4 s */
    GATE_SETTLING_MS = 1000, /* no floor is known before: audio may begin in the middle of a word */
    GATE_BLOCKS_MAX = 16,
};

/* The level of one band over its own floor. */
struct gate_band {
    float floor;                   /* mean square of the noise */
    float recent[GATE_BLOCKS_MAX]; /* powers of the last blocks, by number */
    float minima[GATE_PARTS];      /* of the smoothed power, by part */
};

struct gate {
    int part_blocks;
    int settling_blocks;
    int smooth_blocks;
    bool speech; /* the answer */

    float previous_in, previous_out; /* of the high-pass */
    float low, lower;                /* after each pole of the low-pass */
    int64_t blocks;                  /* since the beginning */
    struct gate_band whole;          /* above 150 Hz */
    struct gate_band voice;          /* of that, below 1 kHz */
};

/** `block_ms` is what each push brings. */
void gate_reset(struct gate *gate, int block_ms);
/** The audio that follows does not join on to what was: the floor is kept. */
void gate_cut(struct gate *gate);
/** One block; returns its mean square without what lies below speech. */
float gate_push(struct gate *gate, const float *samples, int64_t count);

#endif

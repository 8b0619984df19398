/* SPDX-License-Identifier: MIT */
/**
 * The settled emissions of one utterance: a row of log-probabilities for each absolute frame, each
 * written once and in order. Belongs to one thread at a time; allocates nothing after opening.
 */
#ifndef STREAM_EMISSIONS_H
#define STREAM_EMISSIONS_H

#include "utter.h"

struct emissions {
    int columns;
    int64_t capacity; /* frames */
    int64_t first;    /* frame of rows[0] */
    int64_t count;
    float *rows; /* [capacity, columns] */
};

enum utter_code emissions_open(struct emissions *emissions, int64_t frames_max, int columns,
                               struct utter_error *error);
void emissions_close(struct emissions *emissions);

/** Forgets all; the next frame settled is `first`. */
void emissions_reset(struct emissions *emissions, int64_t first);
/** `frame` must be the one after the last. */
void emissions_settle(struct emissions *emissions, int64_t frame, const float *row);
const float *emissions_row(const struct emissions *emissions, int64_t frame);
/** The frame after the last settled one. */
int64_t emissions_end(const struct emissions *emissions);
/** Forgets the frames from `end` on. */
void emissions_cut(struct emissions *emissions, int64_t end);

#endif

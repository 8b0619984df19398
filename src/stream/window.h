/* SPDX-License-Identifier: MIT */
/**
 * The window plan: which decode is next, and which frames it settles. Decodes end at multiples of
 * the hop, counted in absolute frames, never where a call happened to end. While somebody waits for
 * an utterance's first word there are decodes for drafts half-way between, which settle nothing.
 * Pure arithmetic; any thread.
 *
 *     first          settle           settle_end         end
 *       | left context | newly settled    | right context |      (frames)
 */
#ifndef STREAM_WINDOW_H
#define STREAM_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

enum { WINDOW_STRETCH_MOST = 4 };

struct window_plan {
    /* settings, in frames */
    int64_t left;
    int64_t hop; /* at least 1 */
    int64_t right;
    int64_t stretch; /* the hop is this much longer: 1, or up to WINDOW_STRETCH_MOST behind real
                        time */
    /* state */
    int64_t start;    /* the utterance's first frame */
    int64_t settled;  /* the first frame that is not settled yet */
    int64_t last_end; /* of the last decode */
    int64_t hurry;    /* decodes come half-way, too, if they end before this frame */
};

struct window {
    int64_t first;
    int64_t settle;
    int64_t settle_end;
    int64_t end;
};

/** The most frames that a window has after its left context; the plan cuts what would be longer. */
int64_t window_longest(const struct window_plan *plan);
/** The utterance begins at frame `start`; frames before `available` are there already. No hurry. */
void window_begin(struct window_plan *plan, int64_t start, int64_t available);
/** The next decode, if frames before `available` are all it needs. The plan moves on. */
bool window_next(struct window_plan *plan, int64_t available, struct window *window);
/** The next of the decodes that settle all the rest before `end`; false when all is settled. */
bool window_last(struct window_plan *plan, int64_t end, struct window *window);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * What the edges of utterances do to words: the errors of finals against utter_transcribe() on the
 * same samples that lie where an utterance begins or ends. Pure functions; any thread.
 */
#ifndef APP_EDGES_H
#define APP_EDGES_H

#include "app/measure.h"
#include "app/score.h"

#include <utter.h>

struct edge_errors {
    struct score score; /**< the errors of finals near an edge, of all offline words */
    long outside;       /**< offline words that lie in no utterance: lost by the gate */
    long cut;           /**< offline words that an edge lies in and that finals do not have whole */
    long doubled;       /**< words of finals that offline has once, on both sides of an edge */
};

/**
 * Adds those of one stream of `count` samples at `rate` to `errors`. `pairs` [offline->word_count]:
 * the number of the final's word that each offline word is aligned with (score_align()), or -1.
 */
void edges_count(const struct utter_transcript *offline, const struct measure_heard *heard,
                 const long *pairs, int64_t count, int rate, struct edge_errors *errors);

#endif

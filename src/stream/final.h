/* SPDX-License-Identifier: MIT */
/**
 * FINAL: an utterance decoded once more as a whole, as utter_transcribe() does with its samples.
 * Belongs to one thread at a time; allocates nothing after opening.
 */
#ifndef STREAM_FINAL_H
#define STREAM_FINAL_H

#include "stream/chunks.h"

struct final {
    const struct acoustic *acoustic; /* borrowed */
    struct chunk_plan chunks;        /* how utter_transcribe() cuts by default */
    struct ctc_greedy greedy;        /* the result: words, whose frames count from `first` */
    float *rows;
};

/** What log_probs() or encode() of its acoustic model must take at once. */
struct acoustic_room final_room(const struct acoustic *acoustic, int64_t samples_max);

/** For utterances of up to `samples_max` samples. On failure nothing is held. */
enum utter_code final_open(struct final *final, const struct acoustic *acoustic,
                           const struct ctc_labels *labels, int64_t samples_max,
                           struct utter_error *error);
void final_close(struct final *final);

/** Decodes `count` samples; their first frame has the number `first`. */
void final_decode(struct final *final, const struct chunk_source *source, int64_t count,
                  int64_t first);

#endif

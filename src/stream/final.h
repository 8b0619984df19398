/* SPDX-License-Identifier: MIT */
/**
 * FINAL: an utterance decoded once more as a whole, as utter_transcribe() does with its samples.
 *
 * A word alone between two pauses is what a model is surest to miss: it knows a voice by more of
 * it. So an utterance in which nothing was heard is kept, and what follows it closely is decoded
 * together with it.
 *
 * Belongs to one thread at a time; allocates nothing after opening.
 */
#ifndef STREAM_FINAL_H
#define STREAM_FINAL_H

#include "stream/chunks.h"
#include "stream/words.h"

/** An utterance to be decoded as a whole. */
struct final_job {
    uint64_t utterance;
    struct input_clock clock;
    int64_t start; /* samples of the segment, on a frame's edge */
    int64_t end;
    /* So many samples lie in front of `source.samples`, from the end of the utterance before on;
     * -1: it is too far away, or in another segment, or there is none. */
    int64_t before;
    struct chunk_source source; /* from `start` on */
};

struct final {
    const struct acoustic *acoustic; /* borrowed */
    int64_t samples_max;
    struct chunk_plan chunks; /* how utter_transcribe() cuts by default */
    float *rows;

    int64_t start;            /* the result: where what was decoded begins, and its words, */
    struct ctc_greedy greedy; /* whose frames count from the segment's beginning */

    /* The last utterance, if nothing was heard in it; room for what follows it. */
    int64_t kept; /* samples, or 0 */
    int64_t kept_start;
    float *samples;  /* [samples_max] */
    float *features; /* of a local model, [frames of samples_max, feature_columns], or NULL */
};

/** Utterances so many samples apart may be decoded together; further apart they are not. */
int64_t final_apart(const struct acoustic *acoustic);
/** What log_probs() or encode() of its acoustic model must take at once. */
struct acoustic_room final_room(const struct acoustic *acoustic, int64_t samples_max);

/** For utterances of up to `samples_max` samples, and two that are no longer together. On failure
 * nothing is held. */
enum utter_code final_open(struct final *final, const struct acoustic *acoustic,
                           const struct ctc_labels *labels, int64_t samples_max,
                           struct utter_error *error);
void final_close(struct final *final);

/** Decodes an utterance, or it and the one before it. Jobs come in the utterances' order. */
void final_decode(struct final *final, const struct final_job *job);
/** The FINAL of the job that was decoded last; it points into `words`. */
struct utter_event final_event(const struct final *final, const struct final_job *job,
                               struct words *words);

#endif

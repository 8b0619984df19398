/* SPDX-License-Identifier: MIT */
/**
 * One utterance on its way from samples to words. Each decode of the window plan settles frames,
 * whose emissions go into the decoder once; what lies to their right is decoded as a draft.
 *
 * Positions are samples of the segment at the model's rate; frames count from the segment's
 * beginning, too. Belongs to one thread at a time; allocates nothing after opening.
 */
#ifndef STREAM_UTTERANCE_H
#define STREAM_UTTERANCE_H

#include "ctc/greedy.h"
#include "stream/emissions.h"
#include "stream/features.h"
#include "stream/window.h"

struct utterance {
    const struct acoustic *acoustic; /* borrowed */
    enum utter_encoder encoder;
    struct window_plan plan;
    struct features features; /* unless every window's are its own */
    struct emissions emissions;
    struct ctc_greedy settled; /* of the settled emissions */
    struct ctc_greedy draft;   /* of the right context that follows them */
    size_t draft_whole;        /* so many of its first words were heard to their ends */
    float *rows;               /* what one decode gives */
    int64_t start;             /* sample, on a frame's edge */
    int64_t seen;              /* after the last sample that a decode has seen */
    size_t committed;          /* words of `settled` that were handed out */
};

/** What the acoustic model must take at once. */
struct acoustic_room utterance_room(const struct acoustic *acoustic, enum utter_encoder encoder,
                                    const struct window_plan *plan);
/** `plan` brings its settings. On failure nothing is held. */
enum utter_code utterance_open(struct utterance *utterance, const struct acoustic *acoustic,
                               const struct ctc_labels *labels, enum utter_encoder encoder,
                               const struct window_plan *plan, int64_t samples_max,
                               struct utter_error *error);
void utterance_close(struct utterance *utterance);

/** The segment's samples begin afresh. */
void utterance_reset(struct utterance *utterance);
/** Begins at `start`; samples before `available` are there already. */
void utterance_begin(struct utterance *utterance, int64_t start, int64_t available);
/** Makes the next decode of the plan if samples up to `available` are enough for it. */
bool utterance_decode(struct utterance *utterance, const struct audio *audio, int64_t available);
/**
 * The utterance ends at `end`: settles what is left. An end before settled frames takes them back;
 * it must lie after utterance_committed_end().
 */
void utterance_settle(struct utterance *utterance, const struct audio *audio, int64_t end);
/** The features of all its frames, when they are what utter_transcribe() would compute; or NULL. */
const float *utterance_features(const struct utterance *utterance);

/** After the last word heard so far, drafts too; `start` when there is none. */
int64_t utterance_words_end(const struct utterance *utterance);
/** After the last sample that the words handed out so far need; `start` when none were. */
int64_t utterance_committed_end(const struct utterance *utterance);

#endif

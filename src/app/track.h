/* SPDX-License-Identifier: MIT */
/**
 * One live stream of a session, and what its events mean there. A session has one, or two when two
 * people speak into two inputs (--split), and more for a moment when the input or the model is
 * changed: the words that a stream has heard are awaited while the next one listens already.
 *
 * To everybody else there is one time, one rate and one count of utterances. Main thread.
 */
#ifndef APP_TRACK_H
#define APP_TRACK_H

#include "utter.h"

enum { TRACK_UTTERANCES = 16 };

struct track {
    struct utter_live *live;
    int speaker;       /**< 1..; 0 when there is but one */
    int sample_rate;   /**< of its own positions */
    int session_rate;  /**< of the positions it hands out */
    double offset;     /**< seconds of the session at its position 0 ... */
    bool offset_known; /**< ... once sound has come; there are no events before */
    bool done;         /**< no event will come any more */

    /* The rest is for track.c. */
    struct track_utterance {
        uint64_t own;
        uint64_t session;
    } utterances[TRACK_UTTERANCES]; /* the last ones, by own % TRACK_UTTERANCES */
    struct utter_event event;
    struct utter_word *words;
    size_t word_room;
};

/**
 * The next event in the session's terms, valid until the next call; NULL when there is none now.
 * `*utterances` is the session's count of utterances. Also sets `done`.
 */
const struct utter_event *track_next(struct track *track, uint64_t *utterances);

/** A position of the track in the session's terms. */
int64_t track_position(const struct track *track, int64_t position);

/** Where the audio that it was given ends, in the session's terms. */
int64_t track_end(const struct track *track);

/** Closes the stream and frees what the track holds, not the track. */
void track_close(struct track *track);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * What is kept of a live session beyond its end: the words in the history, and if it is wanted the
 * audio beside them. Main thread, but for what recorders take from pumps (recorder.h).
 */
#ifndef APP_KEEPER_H
#define APP_KEEPER_H

#include "app/history.h"
#include "app/history_writer.h"
#include "app/option_values.h"
#include "app/recorder.h"

struct keeper {
    struct history_writer *history; /**< NULL: nothing is kept */
    bool record;                    /**< the audio too */
    struct recorder *recorders[HISTORY_RECORDINGS];
    int recorder_count;
};

/**
 * Deletes what is older than the options say, and begins a session unless they forbid it. A disk
 * that refuses is no failure here: keeper_check() says so.
 */
bool keeper_open(struct keeper *keeper, const struct option_values *values,
                 const struct history_about *about, struct utter_error *error);

/** As history_writer_event() and history_writer_pause(); nothing to do is success. */
bool keeper_event(struct keeper *keeper, const struct utter_event *event, int speaker,
                  struct utter_error *error);
bool keeper_pause(struct keeper *keeper, struct utter_error *error);

/** The audio in `recorder`, NULL or one of the keeper's, begins `start` seconds into the session.
 */
void keeper_recorded(struct keeper *keeper, const struct recorder *recorder, int speaker,
                     double start);

/** Tries again to write what was refused; false, and why, while something is. */
bool keeper_check(struct keeper *keeper, struct utter_error *error);
/** Whether the system had all words when something was written or tried last. */
bool keeper_settled(const struct keeper *keeper);

/**
 * A recorder for one more source, which stays the keeper's; NULL when none is wanted or, with
 * `error->code` set, when there can be none.
 */
struct recorder *keeper_record(struct keeper *keeper, int sample_rate, int channels,
                               struct utter_error *error);

/** "2026-11-25_031722" once words are kept under that name, or NULL. */
const char *keeper_name(const struct keeper *keeper);

/** Once no source pushes any more. False, and why, when something could not be written. */
bool keeper_close(struct keeper *keeper, struct utter_error *error);

#endif

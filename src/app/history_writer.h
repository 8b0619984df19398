/* SPDX-License-Identifier: MIT */
/**
 * A session on its way into the history: a line of JSON for what it is (session), for each COMMIT,
 * FINAL and GAP as `--format jsonl` writes them, for each pause and recording, and for its end. A
 * line is with the system before the call that wrote it returns, unless the disk hangs, so that no
 * crash of ours takes it back; at each FINAL the disk is told to keep it. What a full disk refuses,
 * the file itself included, is tried again with the next call.
 *
 * One thread at a time; no call but the last waits for the disk (disk_writer.h).
 */
#ifndef APP_HISTORY_WRITER_H
#define APP_HISTORY_WRITER_H

#include "utter.h"

/** What the session is. Clean text (text.h). */
struct history_about {
    const char *version; /**< of utter */
    const char *source;  /**< the microphone's or file's name */
    const char *model;   /**< its name */
    int sample_rate;     /**< of the positions in events, Hz */
};

struct history_writer;

/** Begins a session of this moment. NULL when out of memory; what else is wrong, writing says. */
struct history_writer *history_writer_open(const struct history_about *about);

/**
 * `speaker` counts from 1; 0 when there is but one.
 *
 * False when the system refuses: nothing is forgotten, the next event or flush tries again.
 */
bool history_writer_event(struct history_writer *writer, const struct utter_event *event,
                          int speaker, struct utter_error *error);
/** The user paused: the gap that comes of it is no loss. */
bool history_writer_pause(struct history_writer *writer, struct utter_error *error);
/** Recording `number` belongs to `speaker` and begins `start` seconds into the session. */
bool history_writer_recorded(struct history_writer *writer, int number, int speaker, double start,
                             struct utter_error *error);
/** Tries again to write what was refused. */
bool history_writer_flush(struct history_writer *writer, struct utter_error *error);
/** Whether the system had all when something was written or tried last. */
bool history_writer_settled(const struct history_writer *writer);

/** Where a recording of the session may lie, counted from 1; the caller frees it. */
char *history_writer_recording(struct history_writer *writer, int number,
                               struct utter_error *error);

/** The session's name, NULL until its file is there. */
const char *history_writer_name(const struct history_writer *writer);
/** Whether anything was said. */
bool history_writer_has_words(const struct history_writer *writer);

/**
 * Writes the end, waits until the disk keeps it, and frees. A session without words is taken away
 * again unless `keep`. False when something could not be written. NULL is allowed.
 */
bool history_writer_close(struct history_writer *writer, bool keep, struct utter_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * The history: sessions that were kept, each a file NAME.jsonl in the directory sessions/ of the
 * state directory, with its recordings NAME.flac, NAME.2.flac beside it if there are any. NAME is
 * the moment at which the session began, as 2026-11-25_031722. What the files hold is for
 * history_writer.h and history_reader.h. Any thread.
 */
#ifndef APP_HISTORY_H
#define APP_HISTORY_H

#include "utter.h"

#include <time.h>

enum { HISTORY_RECORDINGS = 32 /* of a session, at most: one for each input that it had */ };

struct history_entry {
    char *name;
    char *path;
    time_t written; /**< when something was added last */
    bool live;      /**< it is being written just now */
    bool recorded;  /**< there is a recording */
};

struct history {
    char *directory;
    struct history_entry *entries; /**< the oldest first */
    size_t count;
};

/** Where sessions are kept, made if need be (0700); the caller frees it. */
char *history_directory(struct utter_error *error);

/** The path of a session's file; the caller frees it. */
char *history_path(const char *directory, const char *name);

/** The path of a session's recording, counted from 1: NAME.flac, NAME.2.flac; the caller frees it.
 */
char *history_recording_path(const char *directory, const char *name, int number);

/** The same of a session that is listed. */
char *history_entry_recording(const struct history_entry *entry, int number);

/** Reads the directory. Free the history in either case. */
bool history_open(struct history *history, struct utter_error *error);
void history_close(struct history *history);

/** The session called `wanted`: a name, a part that only one has, or "last". NULL: there is none.
 */
const struct history_entry *history_find(const struct history *history, const char *wanted,
                                         struct utter_error *error);

/** Deletes a session and its recording; refuses one that is live. */
bool history_delete(const struct history *history, const struct history_entry *entry,
                    struct utter_error *error);

/** Deletes all sessions that nothing was added to for `days`; 0 deletes none. */
bool history_prune(int days, struct utter_error *error);

#endif

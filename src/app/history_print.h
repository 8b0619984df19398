/* SPDX-License-Identifier: MIT */
/** What `utter history` prints and writes. Main thread. */
#ifndef APP_HISTORY_PRINT_H
#define APP_HISTORY_PRINT_H

#include "app/history.h"
#include "app/history_reader.h"
#include "app/sink.h"

/** A line for each session on standard output. */
bool history_print_list(const struct history *history, struct utter_error *error);

/** A session for people: a line for each utterance, with its time, on standard output. */
bool history_print_session(const struct history_entry *entry, const struct history_session *session,
                           enum letter_case letter_case, struct utter_error *error);

/**
 * A session for files and programs. `path` NULL or "-" is standard output; a file that is there is
 * replaced when all is written.
 */
bool history_export(const struct history_session *session, const char *name,
                    enum sink_format format, enum letter_case letter_case, const char *path,
                    struct utter_error *error);

#endif

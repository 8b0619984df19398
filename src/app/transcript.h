/* SPDX-License-Identifier: MIT */
/**
 * The text file that a session on the screen leaves behind: a line for each caption. Committed
 * words are in the file as soon as they are on the screen; when the whole utterance has been
 * decoded once more, its line is replaced. What a full disk refuses is tried again.
 *
 * One thread at a time.
 */
#ifndef APP_TRANSCRIPT_H
#define APP_TRANSCRIPT_H

#include "app/captions.h"

struct transcript;

/** The file is made when there is something to write. */
struct transcript *transcript_open(struct utter_error *error);

/** Writes what has changed. */
bool transcript_update(struct transcript *transcript, const struct captions *captions,
                       struct utter_error *error);

/** Where it lies; NULL as long as nothing was said. */
const char *transcript_path(const struct transcript *transcript);

/** NULL is allowed. */
void transcript_close(struct transcript *transcript);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * Recordings with their texts, for `utter eval`:
 *   a file: tab-separated values whose first line names the columns; `file` (relative to the
 *     table's directory) and `text` are needed, `source` groups the results;
 *   a directory, searched with all below it: LibriSpeech's layout (ID.flac and `ID TEXT` lines in
 *     *.trans.txt), and pairs of a recording and NAME.txt.
 *
 * Immutable after opening; any thread.
 */
#ifndef APP_DATASET_H
#define APP_DATASET_H

#include "utter.h"

struct dataset_item {
    char *audio;  /**< path of the recording */
    char *text;   /**< what is said in it, as written */
    char *source; /**< group, or "" */
};

struct dataset {
    struct dataset_item *items; /**< in the table's order, or by path */
    size_t count;
    size_t capacity;
};

/** On failure nothing is held. A data set without any recording is an error. */
bool dataset_open(struct dataset *dataset, const char *path, struct utter_error *error);
void dataset_close(struct dataset *dataset);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * A progress bar on standard error, when that is a terminal: one line, drawn over itself. Main
 * thread, but for progress_wipe().
 */
#ifndef APP_PROGRESS_H
#define APP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *name;   /**< of the file, sanitised; the caller's */
    int sample_rate;    /**< of the positions, Hz; 0: they count something else */
    int64_t least;      /**< recordings that are not longer than this get no bar */
    int64_t started_ns; /**< monotonic clock */
    bool terminal;
    bool drawn;
};

void progress_begin(struct progress *progress, const char *name, int sample_rate, int64_t least);
/** An utter_progress_function; `user` is the struct progress. Always true: go on. */
bool progress_update(void *user, int64_t done, int64_t total);
/** Wipes the bar away. */
void progress_end(struct progress *progress);

/** Wipes away whatever bar there is; may be called in a signal handler. */
void progress_wipe(void);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * Signals as events: handlers do no more than write to a pipe that the main loop polls. Process-
 * wide, main thread.
 */
#ifndef APP_SIGNALS_H
#define APP_SIGNALS_H

#include "utter.h"

/**
 * Catches SIGINT, SIGTERM, SIGHUP (unless it was ignored, as by nohup), SIGQUIT, SIGTSTP, SIGCONT
 * and SIGWINCH; ignores SIGPIPE. A program that hangs must still end: a third one of the first four
 * calls `emergency`, which must be async-signal-safe, and ends the process at once.
 */
bool signals_watch(void (*emergency)(void), struct utter_error *error);
void signals_unwatch(void);

/** Polls readable while there are signals. */
int signals_descriptor(void);

/** The next signal, or 0. */
int signals_next(void);

/** Stops the process as an uncaught SIGTSTP does; returns when it goes on. */
void signals_stop_process(void);

#endif

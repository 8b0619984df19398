/* SPDX-License-Identifier: MIT */
/**
 * The capture process seen from its parent: started, asked to stop, killed. Nothing here ever
 * waits for PortAudio. One thread at a time. The child ends when the process does that started it.
 */
#ifndef APP_CAPTURE_CHILD_H
#define APP_CAPTURE_CHILD_H

#include "app/capture.h"
#include "utter.h"

struct capture_child {
    pid_t pid;                     /* 0: none */
    struct capture_shared *shared; /* NULL: none */
};

/**
 * Starts recording from `device` (empty: the default) at `rate` Hz if it can; what ALSA and others
 * print goes to descriptor `log`, or nowhere if it is -1. Success means only that the process runs:
 * watch shared->state.
 */
bool capture_child_start(struct capture_child *child, const char *device, int rate, int log,
                         struct utter_error *error);

/** Whether the process still runs. */
bool capture_child_alive(struct capture_child *child);

/** Lets the child close its device, for half a second at most, then kills it. Copes with none. */
void capture_child_stop(struct capture_child *child);

/** Kills the child at once. Copes with none. */
void capture_child_kill(struct capture_child *child);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * Where the program keeps what it writes of its own accord: $XDG_STATE_HOME/utter, otherwise
 * ~/.local/state/utter. It holds other people's words: the directory is the user's alone (0700),
 * and so are its files (0600). Any thread.
 */
#ifndef APP_STATE_DIRECTORY_H
#define APP_STATE_DIRECTORY_H

#include "utter.h"

/** Makes it if need be; the caller frees the path. */
char *state_directory_open(struct utter_error *error);

/** The log of what sound libraries print, opened for appending, kept small. -1 when it cannot be.
 */
int state_directory_log(void);

#endif

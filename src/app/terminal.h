/* SPDX-License-Identifier: MIT */
/**
 * The terminal as it was before the screen took it, given back on every way out: at the end, from
 * a signal's handler, and when the program crashes. Process-wide, main thread.
 */
#ifndef APP_TERMINAL_H
#define APP_TERMINAL_H

#include <stdbool.h>

/** Whether a screen makes sense: standard input and output are a terminal that is no typewriter. */
bool terminal_has_screen(void);

/** Notes the terminal's settings, and gives them back should the program crash from here on. */
void terminal_save(void);

/**
 * What leaves the screen (a string of control sequences) when something goes wrong; noted by the
 * screen once it is up. At most 255 bytes.
 */
void terminal_set_farewell(const char *sequences);

/** Gives the settings back. */
void terminal_restore(void);

/** The same for handlers of signals, with the farewell. Async-signal-safe. */
void terminal_emergency(void);

/** While the screen is up, what libraries print to standard error goes to `descriptor`. */
void terminal_hide_errors(int descriptor);
void terminal_show_errors(void);

#endif

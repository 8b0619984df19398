/* SPDX-License-Identifier: MIT */
/**
 * The screen: captions above, a status line and a line of help below, drawn by ncurses, which
 * sends the terminal only what changed. Main thread; standard input and output are the terminal.
 */
#ifndef APP_SCREEN_H
#define APP_SCREEN_H

#include "app/captions.h"
#include "app/status_line.h"

enum screen_key {
    SCREEN_KEY_NONE, /**< no key was pressed */
    SCREEN_KEY_DONE, /**< one was, and the screen has dealt with it */
    SCREEN_KEY_QUIT,
    SCREEN_KEY_PAUSE,
};

struct screen;

/** Takes the terminal over. NULL when ncurses does not know it. */
struct screen *screen_open(struct captions *captions, struct utter_error *error);

/** Gives the terminal back. NULL is allowed. */
void screen_close(struct screen *screen);

/** Draws what changed. */
void screen_draw(struct screen *screen, const struct status_line *status);

/** The next key; never waits. */
enum screen_key screen_key(struct screen *screen);

/** The terminal has another size (SIGWINCH). */
void screen_resize(struct screen *screen);

/** Gives the terminal back for a while (SIGTSTP), and takes it again. */
void screen_suspend(struct screen *screen);
void screen_resume(struct screen *screen);

#endif

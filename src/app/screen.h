/* SPDX-License-Identifier: MIT */
/**
 * The screen: captions above, a status line and a line of help below, and in front of them a list
 * to choose from or the keys. Drawn by ncurses, which sends the terminal only what changed. Main
 * thread; standard input and output are the terminal.
 */
#ifndef APP_SCREEN_H
#define APP_SCREEN_H

#include "app/captions.h"
#include "app/keys.h"
#include "app/status_line.h"

/** How the screen is at first; keys change all but the last two. */
struct screen_options {
    int theme;      /**< enum theme_name */
    int confidence; /**< enum theme_confidence */
    int lines;      /**< of captions; 0: all that fit */
    bool large;     /**< letters of several rows, where there is room */
    bool times;     /**< when each caption began */
    bool mouse;
    struct keys keys;
};

/** What the user wants, when the screen cannot do it by itself. */
enum screen_wish {
    SCREEN_NOTHING, /**< no key was pressed */
    SCREEN_HANDLED, /**< one was, and the screen has dealt with it */
    SCREEN_QUIT,
    SCREEN_PAUSE,
    SCREEN_MUTE,
    SCREEN_SAVE,
    SCREEN_DEVICE, /**< a list of inputs: screen_choose() */
    SCREEN_MODEL,
    SCREEN_CHOSEN, /**< screen_chosen() */
};

/** A list to choose from. Strings are clean and must outlive the list's time on the screen. */
struct screen_list {
    const char *title;
    const char *const *items;
    size_t count;
    size_t current;    /**< the one to begin at */
    const char *empty; /**< what to say when there is none, or not yet */
};

struct screen;

/** Takes the terminal over. `speakers` (may be NULL) are the names of speaker 1 and 2. NULL when
 * ncurses does not know the terminal. */
struct screen *screen_open(struct captions *captions, const struct screen_options *options,
                           const char *const *speakers, struct utter_error *error);

/** Gives the terminal back. NULL is allowed. */
void screen_close(struct screen *screen);

/** Draws what changed. */
void screen_draw(struct screen *screen, const struct status_line *status);

/** The next key or click; never waits. */
enum screen_wish screen_next(struct screen *screen);

/** Puts a list in front, or another in its place. */
void screen_choose(struct screen *screen, const struct screen_list *list);
/** After SCREEN_CHOSEN: which item. */
size_t screen_chosen(const struct screen *screen);
bool screen_is_choosing(const struct screen *screen);

/** The terminal has another size (SIGWINCH). */
void screen_resize(struct screen *screen);

/** Gives the terminal back for a while (SIGTSTP), and takes it again. */
void screen_suspend(struct screen *screen);
void screen_resume(struct screen *screen);

#endif

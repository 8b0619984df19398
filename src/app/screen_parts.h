/* SPDX-License-Identifier: MIT */
/**
 * The inside of the screen, for screen*.c alone: screen.c opens, closes and sizes it,
 * screen_captions.c, screen_status.c and screen_overlay.c draw, screen_input.c takes keys and the
 * mouse. Main thread.
 */
#ifndef APP_SCREEN_PARTS_H
#define APP_SCREEN_PARTS_H

#include "app/caption_view.h"
#include "app/screen.h"
#include "app/theme.h"

enum screen_mode {
    MODE_CAPTIONS,
    MODE_SEARCH, /* the line of help is a line to type in */
    MODE_LIST,
    MODE_HELP,
};

struct screen {
    SCREEN *terminal;
    WINDOW *above;   /* captions */
    WINDOW *below;   /* status and help; NULL on a terminal of a few rows */
    WINDOW *overlay; /* list or keys; NULL: none */
    struct captions *captions;
    const char *const *speakers; /* of captions' speakers 1 and 2, or NULL */
    struct screen_options options;
    struct theme theme;
    uint64_t drawn_revision;
    bool stale; /* the captions must be drawn whether they changed or not */

    /* Where captions are: screen_layout(). */
    struct caption_view view;
    struct caption_row *rows; /* view.rows */
    int row_count;            /* drawn */
    int top;                  /* row of the window */
    int margin;               /* columns left of everything; has marks when it is 1 */
    int gutter;               /* columns for time and speaker */
    bool large;               /* wanted, and there is room */

    enum screen_mode mode;
    char wanted[128]; /* what is searched for; "": nothing */
    struct caption_place found;
    bool selected;
    size_t selected_from, selected_to;       /* captions, from <= to */
    size_t selected_anchor, selected_cursor; /* where the selection began, and where it is */
    size_t mark;                             /* caption of the last jump; SIZE_MAX: none */

    struct screen_list list;
    size_t list_at, list_top;
    int list_rows;
    char notice[160]; /* the screen's own, until the next key */
};

/** Sizes and windows for the terminal and the options as they are. False when out of memory. */
bool screen_layout(struct screen *screen);

void screen_draw_captions(struct screen *screen);
void screen_draw_status(struct screen *screen, const struct status_line *status);
void screen_draw_overlay(struct screen *screen);
void screen_close_overlay(struct screen *screen);

/** Adds text if there is room for all of it; returns whether there was. */
bool screen_put(WINDOW *window, const char *text, attr_t attributes);

/** Attributes of a part. */
static inline attr_t screen_look(const struct screen *screen, enum theme_role role)
{
    return screen->theme.attributes[role];
}

#endif

/* SPDX-License-Identifier: MIT */
/**
 * A window of rows and columns onto the captions. At the bottom it follows what is new, and moves
 * up only when that needs room: text that becomes shorter leaves a row free and moves nothing.
 * Scrolled back it stays where it is, whatever is added below or however wide the window becomes.
 *
 * Knows no terminal. One thread at a time.
 */
#ifndef APP_CAPTION_VIEW_H
#define APP_CAPTION_VIEW_H

#include "app/caption_search.h"
#include "app/captions.h"

struct caption_view {
    int columns;              /**< at least 2 */
    int rows;                 /**< at least 1 */
    bool scrolled;            /**< otherwise it follows */
    struct caption_place top; /**< scrolled: a byte of the first row */

    /* The rest is for caption_view.c: the first row when it was last drawn while following. */
    bool steady;
    struct caption_place steady_top;
    int steady_columns;
    int steady_rows;
};

/** One row: bytes start..end of the caption's text. */
struct caption_row {
    const struct caption *caption;
    size_t index; /**< of the caption */
    bool first;   /**< row of the caption */
    size_t start;
    size_t end;
};

/** The rows to show, from the top; at most view->rows. Returns how many there are. */
int caption_view_rows(struct caption_view *view, struct captions *captions,
                      struct caption_row *rows);

/** Moves up (negative) or down by so many rows; at the bottom the view follows again. */
void caption_view_scroll(struct caption_view *view, struct captions *captions, int rows);

/** To the oldest caption, or to the newest. */
void caption_view_home(struct caption_view *view, struct captions *captions);
void caption_view_end(struct caption_view *view);

/** Moves only when the place is out of sight; then it comes to the middle. */
void caption_view_show(struct caption_view *view, struct captions *captions,
                       struct caption_place place);

/** An empty window, which follows; what was there is above it. */
void caption_view_clear(struct caption_view *view, struct captions *captions);

/** Rows that lie below the window. */
size_t caption_view_below(struct caption_view *view, struct captions *captions);

#endif

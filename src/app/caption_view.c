/* SPDX-License-Identifier: MIT */
#include "app/caption_view.h"

/* A line of a caption. */
struct place {
    size_t caption;
    size_t line;
};

static size_t line_count(struct caption_view *view, struct captions *captions, size_t caption)
{
    size_t count;
    captions_lines(captions, caption, view->columns, &count);
    return count;
}

static bool step_up(struct caption_view *view, struct captions *captions, struct place *place)
{
    if (place->line > 0) {
        place->line--;
        return true;
    }
    for (size_t i = place->caption; i-- > 0;) {
        size_t count = line_count(view, captions, i);
        if (count > 0) {
            *place = (struct place){i, count - 1};
            return true;
        }
    }
    return false;
}

static bool step_down(struct caption_view *view, struct captions *captions, struct place *place)
{
    if (place->line + 1 < line_count(view, captions, place->caption)) {
        place->line++;
        return true;
    }
    for (size_t i = place->caption + 1; i < captions_count(captions); i++) {
        if (line_count(view, captions, i) > 0) {
            *place = (struct place){i, 0};
            return true;
        }
    }
    return false;
}

/* The first row of a view whose last row is the newest caption's; false: there is nothing. */
static bool lowest_top(struct caption_view *view, struct captions *captions, struct place *place)
{
    *place = (struct place){captions_count(captions), 0};
    if (!step_up(view, captions, place))
        return false;
    for (int row = 1; row < view->rows && step_up(view, captions, place); row++)
        continue;
    return true;
}

static bool is_above(struct place one, struct place other)
{
    return one.caption < other.caption || (one.caption == other.caption && one.line < other.line);
}

/* The line with that byte. */
static struct place find_line(struct caption_view *view, struct captions *captions,
                              struct caption_place at)
{
    size_t count, line = 0;
    if (at.caption >= captions_count(captions))
        return (struct place){at.caption, 0};
    const struct text_line *lines = captions_lines(captions, at.caption, view->columns, &count);
    while (line + 1 < count && lines[line + 1].start <= at.byte)
        line++;
    return (struct place){at.caption, line};
}

static struct caption_place first_byte(struct caption_view *view, struct captions *captions,
                                       struct place place)
{
    size_t count;
    const struct text_line *lines = captions_lines(captions, place.caption, view->columns, &count);
    return (struct caption_place){place.caption, place.line < count ? lines[place.line].start : 0};
}

/* The first row while following: where it was, unless the newest row needs it further down. */
static struct place following_top(struct caption_view *view, struct captions *captions,
                                  struct place lowest)
{
    if (view->steady && view->steady_columns == view->columns && view->steady_rows == view->rows &&
        view->steady_top.caption <= captions_count(captions)) {
        struct place steady = find_line(view, captions, view->steady_top);
        if (is_above(lowest, steady))
            return steady;
    }
    return lowest;
}

/* Not below the place from which the newest caption is in sight: there the view follows again. */
static bool view_top(struct caption_view *view, struct captions *captions, struct place *place)
{
    struct place lowest;
    if (!lowest_top(view, captions, &lowest))
        return false;
    if (view->scrolled) {
        *place = find_line(view, captions, view->top);
        if (is_above(*place, lowest))
            return true;
        view->scrolled = false;
        view->steady = false;
    }
    *place = following_top(view, captions, lowest);
    return true;
}

static void anchor(struct caption_view *view, struct captions *captions, struct place place)
{
    view->scrolled = true;
    view->top = first_byte(view, captions, place);
}

int caption_view_rows(struct caption_view *view, struct captions *captions,
                      struct caption_row *rows)
{
    struct place place;
    int row = 0;
    if (!view_top(view, captions, &place))
        return 0;
    if (!view->scrolled) {
        bool empty = place.caption >= captions_count(captions);
        view->steady = true;
        view->steady_top =
            empty ? (struct caption_place){place.caption, 0} : first_byte(view, captions, place);
        view->steady_columns = view->columns;
        view->steady_rows = view->rows;
        if (empty)
            return 0;
    }
    do {
        size_t count;
        const struct text_line *lines =
            captions_lines(captions, place.caption, view->columns, &count);
        if (place.line < count) /* an utterance may have lost all its words */
            rows[row++] = (struct caption_row){
                .caption = captions_at(captions, place.caption),
                .index = place.caption,
                .first = place.line == 0,
                .start = lines[place.line].start,
                .end = lines[place.line].end,
            };
    } while (row < view->rows && step_down(view, captions, &place));
    return row;
}

void caption_view_scroll(struct caption_view *view, struct captions *captions, int rows)
{
    struct place place;
    if (!view_top(view, captions, &place))
        return;
    for (; rows < 0 && step_up(view, captions, &place); rows++)
        continue;
    for (;
         rows > 0 && place.caption < captions_count(captions) && step_down(view, captions, &place);
         rows--)
        continue;
    if (place.caption >= captions_count(captions))
        return; /* nothing is shown, and nothing is above */
    anchor(view, captions, place);
    view_top(view, captions, &place); /* follows again when that is the bottom */
}

void caption_view_home(struct caption_view *view, struct captions *captions)
{
    if (captions_count(captions) > 0) {
        anchor(view, captions, (struct place){0, 0});
        struct place place;
        view_top(view, captions, &place);
    }
}

void caption_view_end(struct caption_view *view)
{
    view->scrolled = false;
    view->steady = false;
}

void caption_view_show(struct caption_view *view, struct captions *captions,
                       struct caption_place wanted)
{
    struct place top, end, place = find_line(view, captions, wanted);
    if (!view_top(view, captions, &top))
        return;
    end = top;
    for (int row = 1; row < view->rows && end.caption < captions_count(captions) &&
                      step_down(view, captions, &end);
         row++)
        continue;
    if (!is_above(place, top) && !is_above(end, place))
        return;
    for (int row = 0; row < view->rows / 2 && step_up(view, captions, &place); row++)
        continue;
    anchor(view, captions, place);
    view_top(view, captions, &place);
}

void caption_view_clear(struct caption_view *view, struct captions *captions)
{
    size_t count = captions_count(captions);
    view->scrolled = false;
    view->steady = true;
    view->steady_columns = view->columns;
    view->steady_rows = view->rows;
    view->steady_top = (struct caption_place){count, 0};
    if (count > 0 && !captions_at(captions, count - 1)->settled) /* it goes on growing */
        view->steady_top = (struct caption_place){count - 1, SIZE_MAX};
}

size_t caption_view_below(struct caption_view *view, struct captions *captions)
{
    struct place place, lowest;
    size_t below = 0;
    if (!view_top(view, captions, &place) || !view->scrolled ||
        !lowest_top(view, captions, &lowest))
        return 0;
    while ((place.caption != lowest.caption || place.line != lowest.line) &&
           step_down(view, captions, &place))
        below++;
    return below;
}

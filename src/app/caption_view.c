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

/* The first row of a view that shows the newest captions; false when there is nothing to show. */
static bool following_top(struct caption_view *view, struct captions *captions, struct place *place)
{
    *place = (struct place){captions_count(captions), 0};
    if (!step_up(view, captions, place))
        return false;
    for (int row = 1; row < view->rows && step_up(view, captions, place); row++)
        continue;
    return true;
}

/* Not below the place from which the newest caption is in sight: there the view follows again. */
static bool view_top(struct caption_view *view, struct captions *captions, struct place *place)
{
    struct place lowest;
    if (!following_top(view, captions, &lowest))
        return false;
    *place = lowest;
    if (!view->scrolled)
        return true;
    size_t count;
    const struct text_line *lines = captions_lines(captions, view->top, view->columns, &count);
    size_t line = 0;
    while (line + 1 < count && lines[line + 1].start <= view->top_byte)
        line++;
    struct place wanted = {view->top, line};
    if (wanted.caption > lowest.caption ||
        (wanted.caption == lowest.caption && wanted.line >= lowest.line))
        view->scrolled = false;
    else
        *place = wanted;
    return true;
}

static void anchor(struct caption_view *view, struct captions *captions, struct place place)
{
    size_t count;
    const struct text_line *lines = captions_lines(captions, place.caption, view->columns, &count);
    view->scrolled = true;
    view->top = place.caption;
    view->top_byte = place.line < count ? lines[place.line].start : 0;
}

int caption_view_rows(struct caption_view *view, struct captions *captions,
                      struct caption_row *rows)
{
    struct place place;
    int row = 0;
    if (!view_top(view, captions, &place))
        return 0;
    do {
        size_t count;
        const struct text_line *lines =
            captions_lines(captions, place.caption, view->columns, &count);
        if (place.line < count) /* an utterance may have lost all its words */
            rows[row++] = (struct caption_row){captions_at(captions, place.caption),
                                               lines[place.line].start, lines[place.line].end};
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
    for (; rows > 0 && step_down(view, captions, &place); rows--)
        continue;
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
}

size_t caption_view_below(struct caption_view *view, struct captions *captions)
{
    struct place place, lowest;
    size_t below = 0;
    if (!view_top(view, captions, &place) || !view->scrolled ||
        !following_top(view, captions, &lowest))
        return 0;
    while ((place.caption != lowest.caption || place.line != lowest.line) &&
           step_down(view, captions, &place))
        below++;
    return below;
}

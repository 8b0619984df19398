/* SPDX-License-Identifier: MIT */
#include "app/block_font.h"
#include "app/screen_parts.h"

#include <stdio.h>
#include <string.h>
#include <unigbrk.h>

/* Below this a word is shown as unsure. */
static const float UNSURE = 0.5f;

/* ---- how a byte of a caption looks ---- */

static bool is_selected(const struct screen *screen, size_t index)
{
    return screen->selected && index >= screen->selected_from && index <= screen->selected_to;
}

/* Whether the byte belongs to something that was searched for; *end: how far that holds. */
static bool is_match(const struct screen *screen, const struct caption *caption, size_t byte,
                     size_t *end)
{
    size_t start, length, from = 0;
    if (screen->wanted[0] == '\0')
        return false;
    while (caption_match(caption->text, from, screen->wanted, &start, &length)) {
        if (byte < start) {
            *end = start < *end ? start : *end;
            return false;
        }
        if (byte < start + length) {
            *end = start + length < *end ? start + length : *end;
            return true;
        }
        from = start + length;
    }
    return false;
}

static bool is_unsure(const struct caption *caption, size_t byte, size_t *end)
{
    for (size_t i = 0; i < caption->word_count; i++) {
        const struct caption_word *word = &caption->words[i];
        if (byte < word->start) {
            *end = word->start < *end ? word->start : *end;
            return false;
        }
        if (byte < word->end) {
            *end = word->end < *end ? word->end : *end;
            return word->confidence < UNSURE;
        }
    }
    return false;
}

/* The look of the text from `byte` on, and in *end where it changes. */
static attr_t look_at(const struct screen *screen, const struct caption_row *row, size_t byte,
                      size_t *end)
{
    const struct caption *caption = row->caption;
    enum theme_role role = ROLE_DRAFT;
    *end = row->end;
    if (caption->utterance == 0) {
        role = ROLE_NOTICE;
    } else if (byte < caption->likely) {
        size_t limit = byte < caption->firm ? caption->firm : caption->likely;
        *end = limit < *end ? limit : *end;
        role = byte < caption->firm ? ROLE_FIRM : ROLE_LIKELY;
        if (is_unsure(caption, byte, end) && role == ROLE_FIRM)
            role = ROLE_UNSURE;
    }
    if (is_match(screen, caption, byte, end))
        role = ROLE_MATCH;
    else if (is_selected(screen, row->index))
        return screen_look(screen, role) | screen_look(screen, ROLE_SELECTED);
    return screen_look(screen, role);
}

/* ---- drawing ---- */

static void print_text(struct screen *screen, const struct caption_row *row)
{
    for (size_t at = row->start, end; at < row->end; at = end) {
        wattrset(screen->above, (int)look_at(screen, row, at, &end));
        waddnstr(screen->above, row->caption->text + at, (int)(end - at));
    }
}

/* A letter BLOCK_ROWS high with its upper left cell at y, x; one that the font lacks stays small.
 */
static void print_block(WINDOW *window, int y, int x, const char *cluster, size_t bytes)
{
    char rows[BLOCK_ROWS][BLOCK_ROW_BYTES];
    if (!block_font_draw(cluster, bytes, rows)) {
        mvwaddnstr(window, y + BLOCK_ROWS - 2, x + BLOCK_COLUMNS / 2 - 1, cluster, (int)bytes);
        return;
    }
    for (int row = 0; row < BLOCK_ROWS; row++)
        mvwaddstr(window, y + row, x, rows[row]);
}

static void print_large(struct screen *screen, const struct caption_row *row, int y, int x)
{
    const uint8_t *text = (const uint8_t *)row->caption->text;
    size_t end = row->start;
    for (size_t at = row->start; at < row->end;) {
        if (at >= end)
            wattrset(screen->above, (int)look_at(screen, row, at, &end));
        size_t next = (size_t)(u8_grapheme_next(text + at, text + row->end) - text);
        int width = text_width((const char *)text + at, next - at);
        print_block(screen->above, y, x, (const char *)text + at, next - at);
        x += BLOCK_COLUMNS * (width > 0 ? width : 1);
        at = next;
    }
}

/* The mark, the time and the speaker, left of a caption's first row. */
static void print_gutter(struct screen *screen, const struct caption_row *row, int y)
{
    WINDOW *window = screen->above;
    const struct caption *caption = row->caption;
    if (screen->margin > 0 && (caption->marked || is_selected(screen, row->index))) {
        wattrset(window, (int)screen_look(screen, ROLE_MARK));
        mvwaddstr(window, y, 0, caption->marked ? "»" : "▌");
    }
    if (screen->gutter == 0 || !row->first)
        return;
    wmove(window, y, screen->margin);
    if (screen->options.times) {
        char time[32];
        long seconds = (long)captions_seconds(screen->captions, caption);
        snprintf(time, sizeof time, "%ld:%02ld:%02ld ", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
        wattrset(window, (int)screen_look(screen, ROLE_TIME));
        waddstr(window, time);
    }
    if (screen->speakers != NULL && caption->speaker > 0) {
        enum theme_role role = caption->speaker == 1 ? ROLE_SPEAKER_1 : ROLE_SPEAKER_2;
        wattrset(window, (int)screen_look(screen, role));
        waddstr(window, screen->speakers[caption->speaker - 1]);
    }
}

void screen_draw_captions(struct screen *screen)
{
    WINDOW *window = screen->above;
    int height = screen->large ? BLOCK_ROWS : 1;
    screen->row_count = caption_view_rows(&screen->view, screen->captions, screen->rows);
    werase(window);
    for (int i = 0; i < screen->row_count; i++) {
        const struct caption_row *row = &screen->rows[i];
        int y = screen->top + i * height;
        int x = screen->margin + screen->gutter;
        print_gutter(screen, row, y);
        wmove(window, y, x);
        if (screen->large)
            print_large(screen, row, y, x);
        else
            print_text(screen, row);
    }
    wattrset(window, A_NORMAL);
    wnoutrefresh(window);
}

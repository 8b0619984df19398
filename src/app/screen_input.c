/* SPDX-License-Identifier: MIT */
#include "app/clipboard.h"
#include "app/screen_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>
#include <wchar.h>

enum { WHEEL_ROWS = 3, ESCAPE = 0x1b };

static void say(struct screen *screen, const char *text)
{
    snprintf(screen->notice, sizeof screen->notice, "%s", text);
}

/* ---- selecting, copying, marking ---- */

static void select_range(struct screen *screen, size_t anchor, size_t cursor)
{
    screen->selected = true;
    screen->selected_anchor = anchor;
    screen->selected_cursor = cursor;
    screen->selected_from = anchor < cursor ? anchor : cursor;
    screen->selected_to = anchor < cursor ? cursor : anchor;
    screen->stale = true;
}

/* The newest caption with firm words; SIZE_MAX when nobody has said anything. */
static size_t newest_words(const struct screen *screen)
{
    for (size_t i = captions_count(screen->captions); i-- > 0;) {
        const struct caption *caption = captions_at(screen->captions, i);
        if (caption->utterance > 0 && caption->firm > 0)
            return i;
    }
    return SIZE_MAX;
}

static void select_step(struct screen *screen, int step)
{
    size_t count = captions_count(screen->captions);
    if (!screen->selected) {
        size_t newest = screen->row_count > 0 ? screen->rows[screen->row_count - 1].index : 0;
        if (count > 0)
            select_range(screen, newest, newest);
        return;
    }
    size_t cursor = screen->selected_cursor;
    if (step < 0 ? cursor == 0 : cursor + 1 >= count)
        return;
    cursor = step < 0 ? cursor - 1 : cursor + 1;
    select_range(screen, screen->selected_anchor, cursor);
    caption_view_show(&screen->view, screen->captions, (struct caption_place){cursor, 0});
}

/* A line for each caption; the caller frees it. NULL: nothing is there, or no memory. */
static char *selected_text(const struct screen *screen)
{
    size_t from = screen->selected_from, to = screen->selected_to, size = 0;
    char *text = NULL;
    if (!screen->selected)
        from = to = newest_words(screen);
    FILE *out = from != SIZE_MAX ? open_memstream(&text, &size) : NULL;
    if (out == NULL)
        return NULL;
    for (size_t i = from; i <= to && i < captions_count(screen->captions); i++) {
        const struct caption *caption = captions_at(screen->captions, i);
        if (caption->firm > 0)
            fprintf(out, "%s%.*s", ftell(out) > 0 ? "\n" : "", (int)caption->firm, caption->text);
    }
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static void copy_words(struct screen *screen)
{
    char *text = selected_text(screen);
    size_t length = text != NULL ? strlen(text) : 0;
    char *sequence =
        length > 0 && length <= CLIPBOARD_LIMIT ? clipboard_sequence(text, length) : NULL;
    if (sequence != NULL) {
        fputs(sequence, stdout); /* ncurses has sent all of its own by now */
        fflush(stdout);
        say(screen, screen->selected ? "the selection is copied, if the terminal allows it"
                                     : "the last utterance is copied, if the terminal allows it");
    } else {
        say(screen, length > CLIPBOARD_LIMIT ? "that is too much for a terminal's clipboard"
                                             : "there are no words to copy");
    }
    free(sequence);
    free(text);
}

static void toggle_mark(struct screen *screen)
{
    size_t index = screen->selected ? screen->selected_cursor : newest_words(screen);
    if (index >= captions_count(screen->captions)) {
        say(screen, "there are no words to mark");
        return;
    }
    bool marked = !captions_at(screen->captions, index)->marked;
    captions_mark(screen->captions, index, marked);
    screen->mark = SIZE_MAX;
    say(screen, marked ? "marked" : "the mark is gone");
}

/* To the newest mark, and from there to the one before; after the oldest it begins anew. */
static void jump_to_mark(struct screen *screen)
{
    size_t count = captions_count(screen->captions);
    size_t from = screen->mark < count ? screen->mark : count;
    for (size_t steps = 0, i = from; steps <= count && count > 0; steps++) {
        i = i > 0 ? i - 1 : count - 1;
        if (captions_at(screen->captions, i)->marked) {
            screen->mark = i;
            caption_view_show(&screen->view, screen->captions, (struct caption_place){i, 0});
            screen->stale = true;
            return;
        }
    }
    say(screen, "there are no marks");
}

/* ---- searching ---- */

static void find(struct screen *screen, bool older)
{
    struct caption_place place = screen->found;
    if (screen->wanted[0] == '\0')
        return;
    bool found = older ? caption_search_older(screen->captions, screen->wanted, &place)
                       : caption_search_newer(screen->captions, screen->wanted, &place);
    if (found) {
        screen->found = place;
        caption_view_show(&screen->view, screen->captions, place);
    } else if (screen->mode != MODE_SEARCH) {
        say(screen, older ? "no match before" : "no match after");
    }
    screen->stale = true;
}

static void search_from_the_end(struct screen *screen)
{
    screen->found = (struct caption_place){captions_count(screen->captions), 0};
    find(screen, true);
}

static void begin_search(struct screen *screen)
{
    screen->mode = MODE_SEARCH;
    screen->wanted[0] = '\0';
    screen->stale = true;
}

static void forget(struct screen *screen)
{
    screen->wanted[0] = '\0';
    screen->selected = false;
    screen->stale = true;
}

static void type_search(struct screen *screen, int code)
{
    size_t length = strlen(screen->wanted);
    uint8_t bytes[8] = "";
    if (code == ESCAPE || code == '\r' || code == '\n' || code == KEYS_FUNCTION + KEY_ENTER) {
        screen->mode = MODE_CAPTIONS;
        if (code == ESCAPE)
            forget(screen);
        else if (screen->found.caption >= captions_count(screen->captions))
            say(screen, "nothing of that was said");
        return;
    }
    if (code == KEYS_FUNCTION + KEY_UP || code == KEYS_FUNCTION + KEY_DOWN) {
        find(screen, code == KEYS_FUNCTION + KEY_UP);
        return;
    }
    if (code == KEYS_FUNCTION + KEY_BACKSPACE || code == 0x7f || code == '\b') {
        while (length > 0 && ((unsigned char)screen->wanted[--length] & 0xC0) == 0x80)
            continue;
        screen->wanted[length] = '\0';
    } else if (code >= ' ' && code < KEYS_FUNCTION) {
        int count = u8_uctomb(bytes, (ucs4_t)code, sizeof bytes - 1);
        if (count > 0 && length + (size_t)count < sizeof screen->wanted)
            strcpy(screen->wanted + length, (const char *)bytes);
    }
    search_from_the_end(screen);
}

/* ---- looks ---- */

static void change_lines(struct screen *screen, int step)
{
    int shown = screen->view.rows;
    int lines = screen->options.lines > 0 ? screen->options.lines : shown;
    lines = lines < shown ? lines : shown; /* more than fit are no more */
    lines += step;
    screen->options.lines = lines > 0 ? lines : 1;
    screen_layout(screen);
}

static void change_theme(struct screen *screen, int theme, int confidence)
{
    char text[80];
    screen->options.theme = theme % THEME_COUNT;
    screen->options.confidence = confidence % CONFIDENCE_COUNT;
    theme_set(&screen->theme, (enum theme_name)screen->options.theme,
              (enum theme_confidence)screen->options.confidence);
    snprintf(text, sizeof text, "theme: %s; unsure words: %s", THEME_NAMES[screen->theme.name],
             THEME_CONFIDENCES[screen->theme.confidence]);
    say(screen, text);
    screen_layout(screen);
}

static void scroll_by(struct screen *screen, int rows)
{
    caption_view_scroll(&screen->view, screen->captions, rows);
    screen->stale = true;
}

/* ---- actions ---- */

static bool act_on_view(struct screen *screen, enum action action)
{
    int page = screen->view.rows > 2 ? screen->view.rows - 1 : 1;
    switch (action) {
    case ACTION_UP:
    case ACTION_DOWN:
        scroll_by(screen, action == ACTION_UP ? -1 : 1);
        return true;
    case ACTION_PAGE_UP:
    case ACTION_PAGE_DOWN:
        scroll_by(screen, action == ACTION_PAGE_UP ? -page : page);
        return true;
    case ACTION_OLDEST:
        caption_view_home(&screen->view, screen->captions);
        break;
    case ACTION_NEWEST:
        caption_view_end(&screen->view);
        break;
    case ACTION_CLEAR:
        caption_view_clear(&screen->view, screen->captions);
        break;
    case ACTION_REDRAW: /* something else wrote to the terminal */
        clearok(curscr, TRUE);
        break;
    default:
        return false;
    }
    screen->stale = true;
    return true;
}

static bool act_on_words(struct screen *screen, enum action action)
{
    switch (action) {
    case ACTION_SEARCH:
        begin_search(screen);
        return true;
    case ACTION_SEARCH_OLDER:
    case ACTION_SEARCH_NEWER:
        find(screen, action == ACTION_SEARCH_OLDER);
        return true;
    case ACTION_MARK:
        toggle_mark(screen);
        return true;
    case ACTION_LAST_MARK:
        jump_to_mark(screen);
        return true;
    case ACTION_SELECT_UP:
    case ACTION_SELECT_DOWN:
        select_step(screen, action == ACTION_SELECT_UP ? -1 : 1);
        return true;
    case ACTION_COPY:
        copy_words(screen);
        return true;
    case ACTION_CANCEL:
        forget(screen);
        return true;
    default:
        return false;
    }
}

static bool act_on_looks(struct screen *screen, enum action action)
{
    struct screen_options *options = &screen->options;
    switch (action) {
    case ACTION_TIMES:
        options->times = !options->times;
        break;
    case ACTION_LARGE:
        options->large = !options->large;
        break;
    case ACTION_MORE_LINES:
    case ACTION_FEWER_LINES:
        change_lines(screen, action == ACTION_MORE_LINES ? 1 : -1);
        return true;
    case ACTION_THEME:
        change_theme(screen, options->theme + 1, options->confidence);
        return true;
    case ACTION_CONFIDENCE:
        change_theme(screen, options->theme, options->confidence + 1);
        return true;
    case ACTION_HELP:
        screen->mode = MODE_HELP;
        screen->list_top = 0;
        return true;
    default:
        return false;
    }
    screen_layout(screen);
    if (options->large && !screen->large)
        say(screen, "there is no room for large letters");
    return true;
}

static enum screen_wish act(struct screen *screen, enum action action)
{
    switch (action) {
    case ACTION_QUIT:
        return SCREEN_QUIT;
    case ACTION_PAUSE:
        return SCREEN_PAUSE;
    case ACTION_MUTE:
        return SCREEN_MUTE;
    case ACTION_SAVE:
        return SCREEN_SAVE;
    case ACTION_DEVICE:
        return SCREEN_DEVICE;
    case ACTION_MODEL:
        return SCREEN_MODEL;
    default:
        if (!act_on_view(screen, action) && !act_on_words(screen, action))
            act_on_looks(screen, action);
        return SCREEN_HANDLED;
    }
}

/* ---- overlays ---- */

static enum screen_wish leave_overlay(struct screen *screen, enum screen_wish wish)
{
    screen->mode = MODE_CAPTIONS;
    screen_close_overlay(screen);
    return wish;
}

static void move_in_list(struct screen *screen, enum action action)
{
    size_t page = (size_t)(screen->list_rows > 1 ? screen->list_rows - 1 : 1);
    size_t *at = screen->mode == MODE_HELP ? &screen->list_top : &screen->list_at;
    if (action == ACTION_UP)
        *at -= *at > 0;
    else if (action == ACTION_DOWN)
        *at += 1; /* drawing it takes care of the end */
    else if (action == ACTION_PAGE_UP)
        *at -= page < *at ? page : *at;
    else if (action == ACTION_PAGE_DOWN)
        *at += page;
    else if (action == ACTION_OLDEST)
        *at = 0;
    else if (action == ACTION_NEWEST)
        *at = screen->mode == MODE_HELP ? ACTION_COUNT : screen->list.count;
    if (screen->mode == MODE_LIST && *at >= screen->list.count)
        *at = screen->list.count > 0 ? screen->list.count - 1 : 0;
}

static enum screen_wish type_overlay(struct screen *screen, int code)
{
    enum action action = keys_action(&screen->options.keys, code);
    bool enter = code == '\r' || code == '\n' || code == KEYS_FUNCTION + KEY_ENTER;
    if (enter && screen->mode == MODE_LIST && screen->list.count > 0)
        return leave_overlay(screen, SCREEN_CHOSEN);
    if (action >= ACTION_UP && action <= ACTION_NEWEST) {
        move_in_list(screen, action);
        return SCREEN_HANDLED;
    }
    return leave_overlay(screen, SCREEN_HANDLED);
}

static enum screen_wish click_overlay(struct screen *screen, int y, int x)
{
    bool inside = screen->overlay != NULL && wmouse_trafo(screen->overlay, &y, &x, FALSE);
    size_t item = screen->list_top + (size_t)(y - 1);
    if (inside && screen->mode == MODE_LIST && y > 0 && y <= screen->list_rows) {
        if (item >= screen->list.count)
            return SCREEN_HANDLED;
        screen->list_at = item;
        return leave_overlay(screen, SCREEN_CHOSEN);
    }
    return leave_overlay(screen, SCREEN_HANDLED);
}

/* ---- keys and the mouse ---- */

/* The caption in that row of the terminal; SIZE_MAX: none. */
static size_t caption_at_row(const struct screen *screen, int y)
{
    int row = (y - screen->top) / (screen->large ? 4 : 1);
    return y >= screen->top && row < screen->row_count ? screen->rows[row].index : SIZE_MAX;
}

static enum screen_wish click(struct screen *screen, int y, bool pressed)
{
    if (screen->below != NULL && y == LINES - 1 && pressed) {
        caption_view_end(&screen->view);
        screen->stale = true;
        return SCREEN_HANDLED;
    }
    size_t caption = caption_at_row(screen, y);
    if (caption == SIZE_MAX)
        return SCREEN_HANDLED;
    if (pressed && screen->selected && screen->selected_from == caption &&
        screen->selected_to == caption)
        forget(screen);
    else if (pressed)
        select_range(screen, caption, caption);
    else if (screen->selected)
        select_range(screen, screen->selected_anchor, caption);
    return SCREEN_HANDLED;
}

static enum screen_wish take_mouse(struct screen *screen)
{
    MEVENT event;
    if (getmouse(&event) != OK)
        return SCREEN_HANDLED;
    bool overlay = screen->mode == MODE_LIST || screen->mode == MODE_HELP;
    if ((event.bstate & (BUTTON4_PRESSED | BUTTON5_PRESSED)) != 0) {
        bool up = (event.bstate & BUTTON4_PRESSED) != 0;
        if (overlay)
            move_in_list(screen, up ? ACTION_UP : ACTION_DOWN);
        else
            scroll_by(screen, up ? -WHEEL_ROWS : WHEEL_ROWS);
        return SCREEN_HANDLED;
    }
    bool pressed = (event.bstate & BUTTON1_PRESSED) != 0;
    if (overlay)
        return pressed ? click_overlay(screen, event.y, event.x) : SCREEN_HANDLED;
    if (pressed || (event.bstate & BUTTON1_RELEASED) != 0)
        return click(screen, event.y, pressed);
    return SCREEN_HANDLED;
}

enum screen_wish screen_next(struct screen *screen)
{
    wint_t character;
    int kind = wget_wch(screen->above, &character);
    if (kind == ERR)
        return SCREEN_NOTHING;
    if (kind == KEY_CODE_YES && character == KEY_MOUSE)
        return take_mouse(screen);
    int code = (int)character + (kind == KEY_CODE_YES ? KEYS_FUNCTION : 0);
    screen->notice[0] = '\0';
    if (screen->mode == MODE_SEARCH)
        type_search(screen, code);
    else if (screen->mode == MODE_LIST || screen->mode == MODE_HELP)
        return type_overlay(screen, code);
    else
        return act(screen, keys_action(&screen->options.keys, code));
    return SCREEN_HANDLED;
}

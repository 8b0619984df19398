/* SPDX-License-Identifier: MIT */
#include "app/screen_parts.h"
#include "app/text.h"

#include <stdio.h>
#include <string.h>

/* A window in the middle; false when there is no room for even one line in it. */
static bool make_overlay(struct screen *screen, int rows, int columns)
{
    rows = rows < LINES ? rows : LINES;
    columns = columns < COLS ? columns : COLS;
    if (screen->overlay != NULL && getmaxy(screen->overlay) == rows &&
        getmaxx(screen->overlay) == columns)
        return true;
    if (screen->overlay != NULL)
        screen_close_overlay(screen);
    if (rows < 3 || columns < 6)
        return false;
    screen->overlay = newwin(rows, columns, (LINES - rows) / 2, (COLS - columns) / 2);
    if (screen->overlay == NULL)
        return false;
    leaveok(screen->overlay, TRUE);
    wbkgd(screen->overlay, (chtype)theme_ground(&screen->theme));
    return true;
}

void screen_close_overlay(struct screen *screen)
{
    if (screen->overlay == NULL)
        return;
    delwin(screen->overlay);
    screen->overlay = NULL;
    touchwin(screen->above);
    if (screen->below != NULL)
        touchwin(screen->below);
    screen->stale = true;
}

static void begin_overlay(struct screen *screen, const char *title)
{
    WINDOW *window = screen->overlay;
    size_t length = text_fit(title, strlen(title), getmaxx(window) - 4);
    werase(window);
    touchwin(window); /* it is in front of what was drawn behind it */
    box(window, 0, 0);
    wattrset(window, (int)screen_look(screen, ROLE_STRONG));
    wmove(window, 0, 1);
    waddch(window, ' ');
    waddnstr(window, title, (int)length);
    waddch(window, ' ');
    wattrset(window, A_NORMAL);
}

/* A line of the window's inside, cut at the edge. */
static void print_line(WINDOW *window, int y, const char *text, attr_t attributes)
{
    size_t length = text_fit(text, strlen(text), getmaxx(window) - 4);
    wattrset(window, (int)attributes);
    wmove(window, y, 1);
    waddch(window, ' ');
    waddnstr(window, text, (int)length);
    while (getcurx(window) < getmaxx(window) - 1)
        waddch(window, ' ');
    wattrset(window, A_NORMAL);
}

/* Keeps the current line in sight. */
static void follow_list(struct screen *screen, size_t count, int rows)
{
    size_t room = (size_t)(rows > 0 ? rows : 1);
    if (screen->list_at >= count)
        screen->list_at = count > 0 ? count - 1 : 0;
    if (screen->list_at < screen->list_top)
        screen->list_top = screen->list_at;
    if (screen->list_at >= screen->list_top + room)
        screen->list_top = screen->list_at + 1 - room;
    screen->list_rows = (int)room;
}

static void draw_list(struct screen *screen)
{
    const struct screen_list *list = &screen->list;
    size_t lines = list->count > 0 ? list->count : 1;
    int width = text_width(list->title, strlen(list->title));
    for (size_t i = 0; i < list->count; i++) {
        int own = text_width(list->items[i], strlen(list->items[i]));
        width = own > width ? own : width;
    }
    int empty = text_width(list->empty, strlen(list->empty));
    width = list->count == 0 && empty > width ? empty : width;
    if (!make_overlay(screen, (int)(lines < 200 ? lines : 200) + 2, width + 4))
        return;
    WINDOW *window = screen->overlay;
    follow_list(screen, list->count, getmaxy(window) - 2);
    begin_overlay(screen, list->title);
    if (list->count == 0)
        print_line(window, 1, list->empty, A_NORMAL);
    for (int row = 0; row < screen->list_rows; row++) {
        size_t i = screen->list_top + (size_t)row;
        if (i < list->count)
            print_line(window, row + 1, list->items[i],
                       i == screen->list_at ? screen_look(screen, ROLE_SELECTED) : A_NORMAL);
    }
    wnoutrefresh(window);
}

enum { KEY_COLUMNS = 16 };

static void draw_keys(struct screen *screen)
{
    size_t count = ACTION_COUNT - 1;
    if (!make_overlay(screen, (int)count + 2, 66))
        return;
    WINDOW *window = screen->overlay;
    int rows = getmaxy(window) - 2;
    size_t last_top = count > (size_t)rows ? count - (size_t)rows : 0;
    screen->list_rows = rows;
    screen->list_top = screen->list_top < last_top ? screen->list_top : last_top;
    begin_overlay(screen, last_top > 0 ? "keys; ↑ ↓ for more" : "keys");
    for (int row = 0; row < rows && screen->list_top + (size_t)row < count; row++) {
        enum action action = (enum action)(screen->list_top + (size_t)row + 1);
        char keys[64], line[256];
        keys_describe(&screen->options.keys, action, keys, sizeof keys);
        int width = text_width(keys, strlen(keys));
        int blanks = width < KEY_COLUMNS ? KEY_COLUMNS - width : 1;
        snprintf(line, sizeof line, "%s%*s%s", keys, blanks, "", keys_action_help(action));
        print_line(window, row + 1, line, A_NORMAL);
    }
    wnoutrefresh(window);
}

void screen_draw_overlay(struct screen *screen)
{
    if (screen->mode == MODE_LIST)
        draw_list(screen);
    else if (screen->mode == MODE_HELP)
        draw_keys(screen);
    else if (screen->overlay != NULL)
        screen_close_overlay(screen);
}

void screen_choose(struct screen *screen, const struct screen_list *list)
{
    if (screen->mode != MODE_LIST) {
        screen->list_at = list->current;
        screen->list_top = 0;
    }
    screen->mode = MODE_LIST;
    screen->list = *list;
}

size_t screen_chosen(const struct screen *screen)
{
    return screen->list_at;
}

bool screen_is_choosing(const struct screen *screen)
{
    return screen->mode == MODE_LIST;
}

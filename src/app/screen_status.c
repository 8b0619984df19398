/* SPDX-License-Identifier: MIT */
#include "app/screen_parts.h"
#include "app/text.h"

#include <stdio.h>
#include <string.h>

static const float LOUD_DB = -12.0f;

bool screen_put(WINDOW *window, const char *text, attr_t attributes)
{
    int width = text_width(text, strlen(text));
    if (getcurx(window) + width >= getmaxx(window)) /* the last column stays free: no wrapping */
        return false;
    wattrset(window, (int)attributes);
    waddstr(window, text);
    wattrset(window, A_NORMAL);
    return true;
}

static void draw_meter(struct screen *screen, const struct status_line *status, bool hearing)
{
    char bar[STATUS_METER_SIZE];
    const struct utter_live_status *live = &status->live;
    enum theme_role role = status->clipping             ? ROLE_BAD
                           : live->level_dbfs > LOUD_DB ? ROLE_WARNING
                                                        : ROLE_GOOD;
    bool heard = hearing && !status->muted;
    status_line_meter(heard ? live->level_dbfs : -120.0f, heard ? status->peak_dbfs : -120.0f, bar,
                      sizeof bar);
    screen_put(screen->below, bar, screen_look(screen, role));
    if (status->clipping && hearing) {
        int x = getcurx(screen->below);
        if (!screen_put(screen->below, " clipping", screen_look(screen, ROLE_BAD)))
            wmove(screen->below, 0, x);
    }
}

static void draw_figures(struct screen *screen, const struct status_line *status)
{
    WINDOW *window = screen->below;
    const struct utter_live_status *live = &status->live;
    bool trouble = status->state == SOURCE_LOST || live->behind;
    bool hearing = status->state == SOURCE_LISTENING && !status->ended && !status->finishing;
    enum theme_role state = trouble                     ? ROLE_BAD
                            : hearing && !status->muted ? ROLE_GOOD
                                                        : ROLE_WARNING;
    char pieces[STATUS_PIECES][96];

    wmove(window, 0, 0);
    screen_put(window, status->recording ? " ◉ " : " ● ", screen_look(screen, state) | A_BOLD);
    screen_put(window, status_line_state(status), screen_look(screen, ROLE_STRONG));
    screen_put(window, "  ", 0);
    draw_meter(screen, status, hearing);
    int count = status_line_pieces(status, pieces);
    for (int i = 0; i < count; i++) {
        int x = getcurx(window);
        if (!screen_put(window, "  ", 0) || !screen_put(window, pieces[i], A_NORMAL))
            wmove(window, 0, x); /* a shorter piece may still fit */
    }
}

/* One line that should be read, cut at the edge. */
static void draw_line(struct screen *screen, const char *line, attr_t attributes)
{
    WINDOW *window = screen->below;
    wattrset(window, (int)attributes);
    waddch(window, ' ');
    waddnstr(window, line, (int)text_fit(line, strlen(line), getmaxx(window) - 2));
    wattrset(window, A_NORMAL);
}

/* The first key of an action with a word, where there is room. */
static void draw_hint(struct screen *screen, enum action action, const char *word)
{
    char key[64], hint[100];
    int x = getcurx(screen->below);
    keys_describe(&screen->options.keys, action, key, sizeof key);
    if (key[0] == '\0')
        return;
    key[strcspn(key, " ")] = '\0'; /* the first is enough */
    snprintf(hint, sizeof hint, "%s%s %s", x > 1 ? "   " : "", key, word);
    if (!screen_put(screen->below, hint, screen_look(screen, ROLE_HELP)))
        wmove(screen->below, 1, x);
}

static void draw_scrolled(struct screen *screen)
{
    char text[80];
    snprintf(text, sizeof text, "%zu below", caption_view_below(&screen->view, screen->captions));
    screen_put(screen->below, text, screen_look(screen, ROLE_STRONG));
    draw_hint(screen, ACTION_NEWEST, "newest");
}

static void draw_help(struct screen *screen, const struct status_line *status)
{
    char text[160];
    wmove(screen->below, 1, 0);
    if (screen->mode == MODE_SEARCH) {
        snprintf(text, sizeof text, "/%s▏", screen->wanted);
        draw_line(screen, text, screen_look(screen, ROLE_STRONG));
        return;
    }
    if (screen->notice[0] != '\0') {
        draw_line(screen, screen->notice, A_NORMAL);
        return;
    }
    if (status->trouble != NULL) {
        draw_line(screen, status->trouble, screen_look(screen, ROLE_BAD));
        return;
    }
    if (status->notice != NULL) {
        draw_line(screen, status->notice, A_NORMAL);
        return;
    }
    screen_put(screen->below, " ", 0);
    if (screen->view.scrolled) {
        draw_scrolled(screen);
        return;
    }
    if (status->word_error_rate > 0) {
        snprintf(text, sizeof text, "experimental: about %d of 100 words wrong   ",
                 status->word_error_rate);
        screen_put(screen->below, text, screen_look(screen, ROLE_WARNING));
    }
    draw_hint(screen, ACTION_QUIT, "quit");
    draw_hint(screen, ACTION_PAUSE, status->state == SOURCE_PAUSED ? "go on" : "pause");
    draw_hint(screen, ACTION_HELP, "keys");
    draw_hint(screen, ACTION_SEARCH, "search");
    draw_hint(screen, ACTION_DEVICE, "input");
    if (status->kept != NULL) {
        int x = getcurx(screen->below);
        snprintf(text, sizeof text, "   %s", status->kept);
        if (!screen_put(screen->below, text, screen_look(screen, ROLE_HELP)))
            wmove(screen->below, 1, x);
    }
}

void screen_draw_status(struct screen *screen, const struct status_line *status)
{
    if (screen->below == NULL)
        return;
    werase(screen->below);
    draw_figures(screen, status);
    draw_help(screen, status);
    wnoutrefresh(screen->below);
}

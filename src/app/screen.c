/* SPDX-License-Identifier: MIT */
#include "app/screen.h"
#include "app/caption_view.h"
#include "app/fault.h"
#include "app/status_line.h"
#include "app/terminal.h"

#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { GREEN = 1, YELLOW, RED }; /* colour pairs */

static const float LOUD_DB = -12.0f;
static const float CLIPPED_DB = -0.5f; /* of the peak */

struct screen {
    SCREEN *terminal;
    WINDOW *above; /* captions */
    WINDOW *below; /* status and help; NULL on a terminal of a few rows */
    struct captions *captions;
    struct caption_view view;
    struct caption_row *rows; /* view.rows */
    uint64_t drawn_revision;
    bool stale; /* the captions must be drawn whether they changed or not */
    bool colours;
};

/* ---- opening and closing ---- */

static bool make_windows(struct screen *screen)
{
    int below = LINES >= 3 ? 2 : 0;
    if (screen->above != NULL)
        delwin(screen->above);
    if (screen->below != NULL)
        delwin(screen->below);
    free(screen->rows);
    int margin = COLS >= 24 ? 1 : 0;
    screen->view.rows = LINES - below > 0 ? LINES - below : 1;
    screen->view.columns = COLS - 2 * margin >= 2 ? COLS - 2 * margin : 2;
    screen->rows = calloc((size_t)screen->view.rows, sizeof *screen->rows);
    screen->above = newwin(screen->view.rows, 0, 0, 0);
    screen->below = below > 0 ? newwin(below, 0, LINES - below, 0) : NULL;
    screen->stale = true;
    if (screen->above != NULL) {
        leaveok(screen->above, TRUE);
        keypad(screen->above, TRUE);
        nodelay(screen->above, TRUE);
    }
    if (screen->below != NULL)
        leaveok(screen->below, TRUE);
    return screen->above != NULL && screen->rows != NULL;
}

static void append_capability(char *sequences, size_t size, const char *name)
{
    const char *sequence = tigetstr(name);
    if (sequence == NULL || sequence == (char *)-1)
        return;
    for (size_t length = strlen(sequences); *sequence != '\0' && length + 1 < size; sequence++) {
        if (strncmp(sequence, "$<", 2) == 0) { /* padding for printers of old */
            sequence += strcspn(sequence, ">");
            continue;
        }
        sequences[length++] = *sequence;
        sequences[length] = '\0';
    }
}

static void note_farewell(void)
{
    char sequences[256] = "";
    append_capability(sequences, sizeof sequences, "sgr0");
    append_capability(sequences, sizeof sequences, "cnorm");
    append_capability(sequences, sizeof sequences, "rmkx");
    append_capability(sequences, sizeof sequences, "rmcup");
    terminal_set_farewell(sequences);
}

static void set_modes(struct screen *screen)
{
    struct termios now;
    cbreak();
    noecho();
    curs_set(0);
    set_escdelay(25);
    if (tcgetattr(STDIN_FILENO, &now) == 0) {
        now.c_iflag &= ~(tcflag_t)IXON; /* Ctrl-S would stop us in the middle of a line */
        tcsetattr(STDIN_FILENO, TCSANOW, &now);
        def_prog_mode();
    }
    const char *no_colour = getenv("NO_COLOR");
    screen->colours = (no_colour == NULL || no_colour[0] == '\0') && has_colors();
    if (screen->colours) {
        start_color();
        use_default_colors();
        init_pair(GREEN, COLOR_GREEN, -1);
        init_pair(YELLOW, COLOR_YELLOW, -1);
        init_pair(RED, COLOR_RED, -1);
    }
}

struct screen *screen_open(struct captions *captions, struct utter_error *error)
{
    struct screen *screen = calloc(1, sizeof *screen);
    if (screen == NULL) {
        fault_memory(error);
        return NULL;
    }
    screen->captions = captions;
    terminal_save();
    screen->terminal = newterm(NULL, stdout, stdin);
    if (screen->terminal == NULL) {
        fault_set(error, UTTER_ERROR_SYSTEM, "the terminal \"%s\" is unknown here", getenv("TERM"));
        goto fail;
    }
    note_farewell();
    set_modes(screen);
    if (make_windows(screen))
        return screen;
    fault_memory(error);
fail:
    screen_close(screen);
    return NULL;
}

void screen_close(struct screen *screen)
{
    if (screen == NULL)
        return;
    if (screen->above != NULL)
        delwin(screen->above);
    if (screen->below != NULL)
        delwin(screen->below);
    if (screen->terminal != NULL) {
        endwin();
        delscreen(screen->terminal);
    }
    terminal_restore();
    free(screen->rows);
    free(screen);
}

void screen_suspend(struct screen *screen)
{
    (void)screen;
    endwin();
    terminal_restore();
}

void screen_resume(struct screen *screen)
{
    terminal_save();
    reset_prog_mode();
    clearok(curscr, TRUE);
    screen_resize(screen);
}

void screen_resize(struct screen *screen)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
        return;
    resizeterm(size.ws_row, size.ws_col);
    clearok(curscr, TRUE); /* terminals wrap and cut lines in ways of their own */
    if (!make_windows(screen))
        screen->view.rows = 0;
}

/* ---- drawing ---- */

/* Bytes start..end of a caption, as far as they lie in from..to. */
static void draw_part(struct screen *screen, const struct caption_row *row, size_t from, size_t to,
                      attr_t attributes)
{
    from = from > row->start ? from : row->start;
    to = to < row->end ? to : row->end;
    if (from >= to)
        return;
    wattrset(screen->above, (int)attributes);
    waddnstr(screen->above, row->caption->text + from, (int)(to - from));
}

static void draw_captions(struct screen *screen)
{
    int margin = screen->view.columns < COLS ? 1 : 0;
    int count = caption_view_rows(&screen->view, screen->captions, screen->rows);
    werase(screen->above);
    for (int i = 0; i < count; i++) {
        const struct caption_row *row = &screen->rows[i];
        const struct caption *caption = row->caption;
        wmove(screen->above, i, margin);
        attr_t firm = caption->utterance == 0 ? A_DIM : A_NORMAL; /* notices are not speech */
        draw_part(screen, row, 0, caption->firm, firm);
        draw_part(screen, row, caption->firm, caption->likely, A_NORMAL);
        draw_part(screen, row, caption->likely, SIZE_MAX, A_DIM);
    }
    wattrset(screen->above, A_NORMAL);
    wnoutrefresh(screen->above);
}

static int colour(const struct screen *screen, int pair)
{
    return screen->colours ? COLOR_PAIR(pair) : 0;
}

/* Adds text if there is room for all of it; returns whether there was. */
static bool put(WINDOW *window, const char *text, int attributes)
{
    int width = text_width(text, strlen(text));
    if (getcurx(window) + width >= getmaxx(window)) /* the last column stays free: no wrapping */
        return false;
    wattrset(window, attributes);
    waddstr(window, text);
    wattrset(window, A_NORMAL);
    return true;
}

static void draw_status(struct screen *screen, const struct status_line *status)
{
    WINDOW *window = screen->below;
    const struct utter_live_status *live = &status->live;
    bool trouble = status->state == SOURCE_LOST || live->behind;
    bool hearing = status->state == SOURCE_LISTENING && !status->ended && !status->finishing;
    int state = trouble ? RED : hearing ? GREEN : YELLOW;
    int level = live->peak_dbfs > CLIPPED_DB ? RED : live->level_dbfs > LOUD_DB ? YELLOW : GREEN;
    char bar[STATUS_METER_CELLS * 4 + 1];
    char pieces[STATUS_PIECES][96];

    wmove(window, 0, 0);
    put(window, " ● ", colour(screen, state) | A_BOLD);
    put(window, status_line_state(status), A_BOLD);
    put(window, "  ", 0);
    status_line_meter(hearing ? live->level_dbfs : -120.0f, bar, sizeof bar);
    put(window, bar, colour(screen, level));
    int count = status_line_pieces(status, pieces);
    for (int i = 0; i < count; i++) {
        int x = getcurx(window);
        if (!put(window, "  ", 0) || !put(window, pieces[i], 0))
            wmove(window, 0, x); /* a shorter piece may still fit */
    }
}

static void draw_help(struct screen *screen, const struct status_line *status)
{
    static const char *const keys[] = {" q quit", "space pause", "↑ ↓ PgUp PgDn scroll",
                                       "End newest"};
    WINDOW *window = screen->below;
    wmove(window, 1, 0);
    if (status->trouble != NULL) {
        size_t length = text_fit(status->trouble, strlen(status->trouble), getmaxx(window) - 2);
        wattrset(window, colour(screen, RED) | A_BOLD);
        waddch(window, ' ');
        waddnstr(window, status->trouble, (int)length);
        wattrset(window, A_NORMAL);
        return;
    }
    if (status->notice != NULL) {
        size_t length = text_fit(status->notice, strlen(status->notice), getmaxx(window) - 2);
        waddch(window, ' ');
        waddnstr(window, status->notice, (int)length);
        return;
    }
    if (screen->view.scrolled) {
        char text[80];
        snprintf(text, sizeof text, " %zu below",
                 caption_view_below(&screen->view, screen->captions));
        put(window, text, A_BOLD);
        put(window, "   End newest", A_BOLD);
        return;
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *key = i == 1 && status->state == SOURCE_PAUSED ? "space go on" : keys[i];
        if (!put(window, key, A_DIM) || !put(window, "   ", 0))
            break;
    }
}

void screen_draw(struct screen *screen, const struct status_line *status)
{
    if (screen->view.rows == 0)
        return;
    if (screen->stale || screen->drawn_revision != captions_revision(screen->captions)) {
        draw_captions(screen);
        screen->drawn_revision = captions_revision(screen->captions);
        screen->stale = false;
    }
    if (screen->below != NULL) {
        werase(screen->below);
        draw_status(screen, status);
        draw_help(screen, status);
        wnoutrefresh(screen->below);
    }
    doupdate();
}

/* ---- keys ---- */

static void scroll_by(struct screen *screen, int rows)
{
    caption_view_scroll(&screen->view, screen->captions, rows);
    screen->stale = true;
}

enum screen_key screen_key(struct screen *screen)
{
    int page = screen->view.rows > 2 ? screen->view.rows - 1 : 1;
    switch (wgetch(screen->above)) {
    case ERR:
        return SCREEN_KEY_NONE;
    case 'q':
    case 'Q':
        return SCREEN_KEY_QUIT;
    case ' ':
    case 'p':
        return SCREEN_KEY_PAUSE;
    case KEY_UP:
    case 'k':
        scroll_by(screen, -1);
        break;
    case KEY_DOWN:
    case 'j':
        scroll_by(screen, 1);
        break;
    case KEY_PPAGE:
        scroll_by(screen, -page);
        break;
    case KEY_NPAGE:
        scroll_by(screen, page);
        break;
    case KEY_HOME:
    case 'g':
        caption_view_home(&screen->view, screen->captions);
        screen->stale = true;
        break;
    case KEY_END:
    case 'G':
        caption_view_end(&screen->view);
        screen->stale = true;
        break;
    case 'L' & 0x1f: /* Ctrl-L: something else wrote to the terminal */
        clearok(curscr, TRUE);
        screen->stale = true;
        break;
    default:
        break;
    }
    return SCREEN_KEY_DONE;
}

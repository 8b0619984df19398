/* SPDX-License-Identifier: MIT */
#include "app/block_font.h"
#include "app/fault.h"
#include "app/screen_parts.h"
#include "app/terminal.h"
#include "app/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Below so many columns there is no room for times and speakers' names. */
enum { GUTTER_COLUMNS = 40, TIME_COLUMNS = 8, FEWEST_LARGE = 6 };

/* ---- opening and closing ---- */

static int speaker_columns(const struct screen *screen)
{
    int most = 0;
    for (int i = 0; screen->speakers != NULL && i < 2; i++) {
        int own = text_width(screen->speakers[i], strlen(screen->speakers[i])) + 1;
        most = own > most ? own : most;
    }
    return most;
}

/* Where the captions are, in an area of that many rows. */
static void place_captions(struct screen *screen, int area)
{
    const struct screen_options *options = &screen->options;
    screen->margin = COLS >= 24 ? 1 : 0;
    screen->gutter = 0;
    if (COLS >= GUTTER_COLUMNS)
        screen->gutter = (options->times ? TIME_COLUMNS : 0) + speaker_columns(screen);
    int columns = COLS - 2 * screen->margin - screen->gutter;
    screen->large = options->large && columns >= FEWEST_LARGE * BLOCK_COLUMNS && area >= BLOCK_ROWS;
    int height = screen->large ? BLOCK_ROWS : 1;
    columns /= screen->large ? BLOCK_COLUMNS : 1;
    int rows = area / height;
    screen->view.columns = columns >= 2 ? columns : 2;
    screen->view.rows = options->lines > 0 && options->lines < rows ? options->lines : rows;
    screen->top = options->lines > 0 ? area - screen->view.rows * height : 0;
}

bool screen_layout(struct screen *screen)
{
    int below = LINES >= 3 ? 2 : 0;
    int area = LINES - below > 0 ? LINES - below : 1;
    if (screen->above != NULL)
        delwin(screen->above);
    if (screen->below != NULL)
        delwin(screen->below);
    screen_close_overlay(screen);
    free(screen->rows);
    place_captions(screen, area);
    screen->rows = calloc((size_t)screen->view.rows, sizeof *screen->rows);
    screen->row_count = 0;
    screen->above = newwin(area, 0, 0, 0);
    screen->below = below > 0 ? newwin(below, 0, LINES - below, 0) : NULL;
    screen->stale = true;
    WINDOW *windows[] = {screen->above, screen->below};
    for (int i = 0; i < 2; i++) {
        if (windows[i] == NULL)
            continue;
        leaveok(windows[i], TRUE);
        wbkgd(windows[i], (chtype)theme_ground(&screen->theme));
    }
    if (screen->above != NULL) {
        keypad(screen->above, TRUE);
        nodelay(screen->above, TRUE);
    }
    if (screen->above == NULL || screen->rows == NULL)
        screen->view.rows = 0;
    return screen->view.rows > 0;
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

static void note_farewell(bool mouse)
{
    char sequences[256] = "";
    append_capability(sequences, sizeof sequences, "sgr0");
    append_capability(sequences, sizeof sequences, "cnorm");
    append_capability(sequences, sizeof sequences, "rmkx");
    append_capability(sequences, sizeof sequences, "rmcup");
    if (mouse)
        snprintf(sequences + strlen(sequences), sizeof sequences - strlen(sequences),
                 "\033[?1006l\033[?1000l"); /* as ncurses does at its end */
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
    theme_start(&screen->theme);
    theme_set(&screen->theme, (enum theme_name)screen->options.theme,
              (enum theme_confidence)screen->options.confidence);
    if (screen->options.mouse) {
        mousemask(BUTTON1_PRESSED | BUTTON1_RELEASED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
        mouseinterval(0);
    }
}

struct screen *screen_open(struct captions *captions, const struct screen_options *options,
                           const char *const *speakers, struct utter_error *error)
{
    struct screen *screen = calloc(1, sizeof *screen);
    if (screen == NULL) {
        fault_memory(error);
        return NULL;
    }
    screen->captions = captions;
    screen->options = *options;
    screen->speakers = speakers;
    screen->mark = SIZE_MAX;
    terminal_save();
    screen->terminal = newterm(NULL, stdout, stdin);
    if (screen->terminal == NULL) {
        fault_set(error, UTTER_ERROR_SYSTEM, "the terminal \"%s\" is unknown here", getenv("TERM"));
        goto fail;
    }
    note_farewell(options->mouse);
    set_modes(screen);
    if (screen_layout(screen))
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
    if (screen->overlay != NULL)
        delwin(screen->overlay);
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
    screen_layout(screen);
}

/* ---- drawing ---- */

void screen_draw(struct screen *screen, const struct status_line *status)
{
    if (screen->view.rows == 0)
        return;
    if (screen->stale || screen->drawn_revision != captions_revision(screen->captions)) {
        screen->drawn_revision = captions_revision(screen->captions);
        screen->stale = false;
        screen_draw_captions(screen);
    }
    screen_draw_status(screen, status);
    screen_draw_overlay(screen);
    doupdate();
}

/* SPDX-License-Identifier: MIT */
#include "app/progress.h"

#include "app/clock.h"
#include "app/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    BAR = 24,
    LINE = 512,
};

/* "1:02:03" or "2:03" */
static void print_duration(char *text, size_t size, double seconds)
{
    int64_t whole = (int64_t)(seconds + 0.5);
    if (whole >= 3600)
        snprintf(text, size, "%" PRId64 ":%02d:%02d", whole / 3600, (int)(whole / 60 % 60),
                 (int)(whole % 60));
    else
        snprintf(text, size, "%d:%02d", (int)(whole / 60), (int)(whole % 60));
}

static int terminal_columns(void)
{
    struct winsize size = {0};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void progress_begin(struct progress *progress, const char *name, int sample_rate, int64_t least)
{
    *progress = (struct progress){
        .name = name,
        .sample_rate = sample_rate,
        .least = least,
        .started_ns = now_ns(),
        .terminal = isatty(STDERR_FILENO) == 1,
    };
}

bool progress_update(void *user, int64_t done, int64_t total)
{
    struct progress *progress = user;
    if (!progress->terminal || total <= progress->least)
        return true;

    char bar[BAR + 1], of[32], left[32] = "";
    int filled = (int)(BAR * done / total);
    memset(bar, '.', BAR);
    memset(bar, '#', (size_t)filled);
    bar[BAR] = '\0';
    if (progress->sample_rate > 0)
        print_duration(of, sizeof of, (double)total / progress->sample_rate);
    else
        snprintf(of, sizeof of, "%" PRId64, total);
    double elapsed = 1e-9 * (double)(now_ns() - progress->started_ns);
    if (done > 0) {
        char duration[24];
        print_duration(duration, sizeof duration, elapsed * (double)(total - done) / (double)done);
        snprintf(left, sizeof left, ", %s left", duration);
    }
    char line[LINE];
    snprintf(line, sizeof line, "%3d %% [%s] of %s%s  ", (int)(100 * done / total), bar, of, left);
    /* The name has what is left of the line; the last column stays free, so that nothing wraps. */
    int columns = terminal_columns() - 1;
    size_t bytes = text_fit(line, strlen(line), columns);
    int room = columns - text_width(line, bytes);
    size_t name = room >= 2 ? text_fit(progress->name, strlen(progress->name), room) : 0;
    fprintf(stderr, "\r%.*s%.*s\033[K", (int)bytes, line, (int)name, progress->name);
    fflush(stderr);
    progress->drawn = true;
    return true;
}

void progress_wipe(void)
{
    static const char wipe[] = "\r\033[K";
    if (write(STDERR_FILENO, wipe, sizeof wipe - 1) < 0)
        return; /* nobody is left to tell */
}

void progress_end(struct progress *progress)
{
    if (progress->drawn)
        progress_wipe();
    progress->drawn = false;
}

/* SPDX-License-Identifier: MIT */
#include "app/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int CRASHES[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};
enum { CRASH_COUNT = sizeof CRASHES / sizeof CRASHES[0] };

static struct termios settings;
static volatile sig_atomic_t saved;
static char farewell[256];
static volatile sig_atomic_t farewell_length;
static struct sigaction crash_before[CRASH_COUNT];
static int real_errors = -1;

bool terminal_has_screen(void)
{
    const char *type = getenv("TERM");
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && type != NULL && type[0] != '\0' &&
           strcmp(type, "dumb") != 0;
}

void terminal_set_farewell(const char *sequences)
{
    size_t length = strlen(sequences);
    if (length >= sizeof farewell)
        length = 0; /* part of a sequence would do harm */
    farewell_length = 0;
    memcpy(farewell, sequences, length);
    farewell_length = (sig_atomic_t)length;
}

void terminal_emergency(void)
{
    if (!saved)
        return;
    /* A terminal that was stopped by Ctrl-S, or is gone, must not hold us up. */
    fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
    ssize_t written = write(STDOUT_FILENO, farewell, (size_t)farewell_length);
    (void)written;
    fcntl(STDOUT_FILENO, F_SETFL, 0);
    signal(SIGTTOU, SIG_IGN);
    tcsetattr(STDIN_FILENO, TCSANOW, &settings);
}

static void handle_crash(int number)
{
    terminal_emergency();
    for (int i = 0; i < CRASH_COUNT; i++)
        sigaction(CRASHES[i], &crash_before[i], NULL);
    raise(number);
}

void terminal_save(void)
{
    if (saved || tcgetattr(STDIN_FILENO, &settings) != 0)
        return;
    saved = 1;
    struct sigaction action = {.sa_handler = handle_crash};
    for (int i = 0; i < CRASH_COUNT; i++)
        sigaction(CRASHES[i], &action, &crash_before[i]);
}

void terminal_restore(void)
{
    if (!saved)
        return;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGTTOU, &ignore, &before); /* in the background, too */
    tcsetattr(STDIN_FILENO, TCSANOW, &settings);
    sigaction(SIGTTOU, &before, NULL);
    for (int i = 0; i < CRASH_COUNT; i++)
        sigaction(CRASHES[i], &crash_before[i], NULL);
    saved = 0;
}

void terminal_hide_errors(int descriptor)
{
    if (real_errors >= 0 || descriptor < 0 || !isatty(STDERR_FILENO))
        return;
    real_errors = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    if (real_errors >= 0)
        dup2(descriptor, STDERR_FILENO);
}

void terminal_show_errors(void)
{
    if (real_errors < 0)
        return;
    dup2(real_errors, STDERR_FILENO);
    close(real_errors);
    real_errors = -1;
}

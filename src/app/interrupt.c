/* SPDX-License-Identifier: MIT */
#include "app/interrupt.h"

#include "app/progress.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP};

/* A signal handler can reach nothing else, and it runs on any thread. */
static atomic_bool held;
static atomic_int waiting; /* a signal's number, or 0 */

static void end_by(int number)
{
    if (isatty(STDERR_FILENO) == 1)
        progress_wipe();
    signal(number, SIG_DFL);
    raise(number);
}

static void handle(int number)
{
    if (held)
        waiting = number;
    else
        end_by(number);
}

void interrupt_prepare(void)
{
    for (size_t i = 0; i < sizeof SIGNALS / sizeof SIGNALS[0]; i++) {
        struct sigaction action, old;
        /* `nohup` and background jobs of scripts have some of them ignored. */
        if (sigaction(SIGNALS[i], NULL, &old) != 0 || old.sa_handler == SIG_IGN)
            continue;
        action = (struct sigaction){.sa_handler = handle, .sa_flags = SA_NODEFER};
        sigemptyset(&action.sa_mask);
        sigaction(SIGNALS[i], &action, NULL);
    }
}

void interrupt_hold(void)
{
    held = true;
}

void interrupt_release(void)
{
    held = false;
    if (waiting != 0)
        end_by(waiting);
}

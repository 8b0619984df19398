/* SPDX-License-Identifier: MIT */
#include "app/signals.h"
#include "app/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE = 3 };

static const int QUIT_SIGNALS[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int OTHER_SIGNALS[] = {SIGTSTP, SIGCONT, SIGWINCH};
enum { QUIT_COUNT = 4, OTHER_COUNT = 3 };

static int descriptors[2] = {-1, -1};
static void (*emergency_function)(void);
static atomic_int quits;

static void handle(int number)
{
    int before = errno;
    char byte = (char)number;
    ssize_t written = write(descriptors[1], &byte, 1); /* a full pipe holds signals enough */
    (void)written;
    errno = before;
}

static void handle_quit(int number)
{
    if (atomic_fetch_add(&quits, 1) + 1 >= PATIENCE) {
        emergency_function();
        _exit(128 + number);
    }
    handle(number);
}

static void catch_signals(const int *numbers, size_t count, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, before;
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < count; i++) {
        sigaction(numbers[i], NULL, &before);
        if (numbers[i] != SIGHUP || before.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
}

bool signals_watch(void (*emergency)(void), struct utter_error *error)
{
    if (pipe2(descriptors, O_CLOEXEC | O_NONBLOCK) != 0)
        return fault_set(error, UTTER_ERROR_SYSTEM, "cannot make a pipe: %s", strerror(errno));
    emergency_function = emergency;
    atomic_store(&quits, 0);
    signal(SIGPIPE, SIG_IGN);
    catch_signals(QUIT_SIGNALS, QUIT_COUNT, handle_quit);
    catch_signals(OTHER_SIGNALS, OTHER_COUNT, handle);
    return true;
}

void signals_unwatch(void)
{
    if (descriptors[0] < 0)
        return;
    catch_signals(QUIT_SIGNALS, QUIT_COUNT, SIG_DFL);
    catch_signals(OTHER_SIGNALS, OTHER_COUNT, SIG_DFL);
    close(descriptors[0]);
    close(descriptors[1]);
    descriptors[0] = descriptors[1] = -1;
}

int signals_descriptor(void)
{
    return descriptors[0];
}

int signals_next(void)
{
    char byte;
    return read(descriptors[0], &byte, 1) == 1 ? byte : 0;
}

void signals_stop_process(void)
{
    raise(SIGSTOP);
}

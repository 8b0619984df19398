/* SPDX-License-Identifier: MIT */
#include "app/capture_child.h"
#include "app/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Between fork and exec in a process with threads: async-signal-safe calls alone. */
_Noreturn static void run_child(char *const arguments[], int memory, int log, const char *self)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0); /* the terminal's signals are for the listener */
    int null = open("/dev/null", O_RDWR);
    /* Descriptors may be any numbers, those wanted here too: move them out of the way first. */
    memory = fcntl(memory, F_DUPFD, 10);
    log = fcntl(log >= 0 ? log : null, F_DUPFD, 10);
    if (null < 0 || memory < 0 || log < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
        dup2(log, 2) < 0 || dup2(memory, CAPTURE_DESCRIPTOR) < 0)
        _exit(EXIT_FAILURE);
    close_range(CAPTURE_DESCRIPTOR + 1, ~0U, 0);
    execv("/proc/self/exe", arguments);
    execv(self, arguments); /* without /proc */
    _exit(EXIT_FAILURE);
}

bool capture_child_start(struct capture_child *child, const char *device, int rate, int log,
                         struct utter_error *error)
{
    char rate_text[16];
    char command[] = CAPTURE_COMMAND;
    char program[] = "utter";
    char *device_text = strdup(device);
    char *const arguments[] = {program, command, device_text, rate_text, NULL};
    snprintf(rate_text, sizeof(rate_text), "%d", rate);
    *child = (struct capture_child){0};

    int memory = memfd_create("utter-capture", MFD_CLOEXEC);
    if (!device_text || memory < 0 || ftruncate(memory, sizeof(struct capture_shared)) < 0)
        goto fail;
    child->shared =
        mmap(NULL, sizeof(*child->shared), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (child->shared == MAP_FAILED) {
        child->shared = NULL;
        goto fail;
    }
    child->shared->listener = getpid();
    child->pid = fork();
    if (child->pid == 0)
        run_child(arguments, memory, log, (const char *)getauxval(AT_EXECFN));
    if (child->pid < 0)
        goto fail;
    close(memory);
    free(device_text);
    return true;
fail:
    fault_set(error, UTTER_ERROR_SYSTEM, "the capture process does not start: %s", strerror(errno));
    child->pid = 0;
    if (memory >= 0)
        close(memory);
    free(device_text);
    capture_child_kill(child);
    return false;
}

bool capture_child_alive(struct capture_child *child)
{
    if (child->pid > 0 && waitpid(child->pid, NULL, WNOHANG) != 0)
        child->pid = 0;
    return child->pid > 0;
}

/* Waits up to `ms` for the end. */
static bool ends_within(struct capture_child *child, int ms)
{
    const struct timespec nap = {.tv_nsec = 5000000};
    for (; ms > 0 && capture_child_alive(child); ms -= 5)
        nanosleep(&nap, NULL);
    return !capture_child_alive(child);
}

void capture_child_kill(struct capture_child *child)
{
    if (child->pid > 0) {
        kill(child->pid, SIGKILL);
        ends_within(child, 100); /* one that hangs in the kernel is left to itself */
    }
    if (child->shared)
        munmap(child->shared, sizeof(*child->shared));
    *child = (struct capture_child){0};
}

void capture_child_stop(struct capture_child *child)
{
    if (child->shared)
        atomic_store(&child->shared->stop, true);
    ends_within(child, 500);
    capture_child_kill(child);
}

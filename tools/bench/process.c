/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double clock_wall(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double clock_cpu(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t process_peak_memory(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    long kibibytes = -1;
    while (file && kibibytes < 0 && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %ld kB", &kibibytes) != 1)
            kibibytes = -1;
    if (file)
        fclose(file);
    return kibibytes < 0 ? -1 : (int64_t)kibibytes * 1024;
}

int process_run(int function(void *context), void *context)
{
    sigset_t awaited, before;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGINT);
    sigaddset(&awaited, SIGTERM);
    sigaddset(&awaited, SIGCHLD);
    sigprocmask(SIG_BLOCK, &awaited, &before);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        exit(function(context));
    }
    int status = -1, signal;
    while (child > 0 && waitpid(child, &status, WNOHANG) == 0)
        if (sigwait(&awaited, &signal) == 0 && signal != SIGCHLD)
            kill(child, SIGTERM);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (child < 0)
        return -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void *process_shared(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void process_unshare(void *memory, size_t bytes)
{
    if (memory)
        munmap(memory, bytes);
}

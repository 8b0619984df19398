/* SPDX-License-Identifier: MIT */
/**
 * Starts a thread that no signal interrupts: signals are the main thread's. Main thread.
 */
#ifndef APP_THREAD_H
#define APP_THREAD_H

#include <pthread.h>
#include <signal.h>

/** Returns 0 or an errno. */
static inline int thread_start(pthread_t *thread, void *(*run)(void *), void *user)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int failure = pthread_create(thread, NULL, run, user);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

#endif

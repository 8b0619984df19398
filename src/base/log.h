/* SPDX-License-Identifier: MIT */
/**
 * Where an object's log lines go: to the host's callback, one call at a time, or nowhere. Any
 * thread; never from an audio callback.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "utter.h"

#include <pthread.h>

struct log {
    pthread_mutex_t mutex;
    utter_log_function *function; /* NULL: silence */
    void *user;
};

void log_init(struct log *log, utter_log_function *function, void *user);
void log_destroy(struct log *log);
void log_write(struct log *log, enum utter_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif

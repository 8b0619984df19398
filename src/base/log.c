/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

void log_init(struct log *log, utter_log_function *function, void *user)
{
    pthread_mutex_init(&log->mutex, NULL);
    log->function = function;
    log->user = user;
}

void log_destroy(struct log *log)
{
    pthread_mutex_destroy(&log->mutex);
}

void log_write(struct log *log, enum utter_log_level level, const char *format, ...)
{
    char line[500];
    char clean[3 * sizeof line];
    va_list arguments;
    if (!log->function)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    utf8_clean(line, clean);
    pthread_mutex_lock(&log->mutex);
    log->function(log->user, level, clean);
    pthread_mutex_unlock(&log->mutex);
}

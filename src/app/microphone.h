/* SPDX-License-Identifier: MIT */
/**
 * A microphone as a source of live audio. It is recorded in a process of its own (capture.h), so
 * that a sound server that dies hangs nothing here; when the input falls silent for ever it is
 * given up within two seconds, what was heard is flushed, and it is opened again until it is back.
 * The time in between is a gap of exactly that length.
 *
 * For the main thread.
 */
#ifndef APP_MICROPHONE_H
#define APP_MICROPHONE_H

#include "app/source.h"

struct microphone_options {
    const char *device; /**< NULL or empty: the default; otherwise as for capture_device_find() */
    int rate;           /**< Hz, if the input can */
    int log;     /**< descriptor that must outlive the source, for what the sound system prints */
    bool paused; /**< nothing is recorded before source_pause(source, false); it delivers already */
    const atomic_bool *cancelled; /**< ends the wait for the input when it becomes true; or NULL */
};

/** Opens an input. Recording begins at once; samples wait for source_start(). */
struct source *microphone_open(const struct microphone_options *options, struct utter_error *error);

#endif

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

/**
 * Opens the input `device` (NULL or empty: the default; otherwise a number, a name or a part of
 * one), at `rate` Hz if it can. Recording begins at once; samples wait for source_start(). What the
 * sound system prints goes to the descriptor `log`, which must outlive the source.
 */
struct source *microphone_open(const char *device, int rate, int log, struct utter_error *error);

#endif

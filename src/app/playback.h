/* SPDX-License-Identifier: MIT */
/**
 * A sound file as a source of live audio, read at the speed at which a microphone would deliver
 * it. Nothing of it is lost: when the recogniser's ring is full, the file waits.
 *
 * For the main thread.
 */
#ifndef APP_PLAYBACK_H
#define APP_PLAYBACK_H

#include "app/source.h"

/** `path` as for audio_file_open(). */
struct source *playback_open(const char *path, struct utter_error *error);

#endif

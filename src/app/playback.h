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

/**
 * `path` as for audio_file_open(). A file that is shorter than one frame of `model`, damaged, or
 * cut off before its promised end ends with a failure; what was cut off is a gap. It is played
 * `speed` times as fast as it was recorded, or as fast as the recogniser takes it.
 */
struct source *playback_open(const char *path, int speed, const struct utter_model_info *model,
                             struct utter_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * Keeps the audio of one source as a FLAC file, 16 bits, at the source's rate, with silence where
 * audio was lost or paused: a position of the source is one of the file. The pump gives samples
 * away without ever waiting; a thread writes them. A disk that is slow for half a minute loses
 * nothing; what a full disk refuses is tried again. A file that a crash cut short can be read.
 */
#ifndef APP_RECORDER_H
#define APP_RECORDER_H

#include "utter.h"

struct recorder;

/** Makes a file that only the user can read; one that is there already is refused. Main thread. */
struct recorder *recorder_open(const char *path, int sample_rate, int channels,
                               struct utter_error *error);

/** `count` samples per channel; positions grow. The pump's: wait-free. */
void recorder_push(struct recorder *recorder, const float *samples, int64_t count,
                   int64_t position);

/** False, and why, while the disk refuses the audio; it is tried again. Main thread. */
bool recorder_check(const struct recorder *recorder, struct utter_error *error);

/**
 * No samples will come any more: the thread completes the file, closes it and ends, however long
 * the disk refuses. The pump's or, without one, the main thread's; does not wait.
 */
void recorder_finish(struct recorder *recorder);

/**
 * Waits until all is written that the disk takes, and frees; without a single sample the file is
 * taken away again.
 * `*kept` is whether it is there. False, and why, when audio is missing. Main thread.
 */
bool recorder_close(struct recorder *recorder, bool *kept, struct utter_error *error);

#endif

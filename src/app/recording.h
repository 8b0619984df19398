/* SPDX-License-Identifier: MIT */
/**
 * A recording in memory, one channel, and recordings joined to one stream. One thread at a time.
 */
#ifndef APP_RECORDING_H
#define APP_RECORDING_H

#include "utter.h"

struct recording {
    float *samples;
    int64_t count;
    int64_t capacity;
    int rate;     /**< Hz */
    int64_t last; /**< of a joined one: where the last recording in it begins */
};

/** Frees what it holds; a zeroed one is allowed. */
void recording_free(struct recording *recording);

bool recording_load(struct recording *recording, const char *path, struct utter_error *error);

/** Makes the speech in it `level_dbfs` loud: the root mean square of its louder half. */
void recording_set_level(struct recording *recording, double level_dbfs);

/**
 * Appends `more` to `joined`, zeroed at first, after a pause in which the room of the recording
 * before goes over into that of `more`: noise made of grains of their quietest moments. Models
 * hear a hard edge between two rooms, or silence cut into speech, as a sound. Recordings overlap by
 * 10 ms, faded.
 */
bool recording_join(struct recording *joined, const struct recording *more, int pause_ms,
                    struct utter_error *error);

#endif

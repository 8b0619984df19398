/* SPDX-License-Identifier: MIT */
/**
 * The features of one utterance's frames, a row for each absolute frame, so that no frame is
 * computed for every window that it is in. Those of a local model are final and the same as
 * offline. Others depend on statistics of the utterance so far: at its beginning, where these still
 * change, they are computed anew until they are settled; later they stay as they were computed
 * first. Belongs to one thread at a time; allocates nothing after opening.
 */
#ifndef STREAM_FEATURES_H
#define STREAM_FEATURES_H

#include "stream/acoustic.h"
#include "stream/audio.h"

struct features {
    const struct acoustic *acoustic; /* borrowed */
    int64_t capacity;                /* frames */
    int64_t first;                   /* frame of rows[0]: the utterance's */
    int64_t count;
    int64_t lasting; /* frames that are not computed again */
    float *rows;     /* [capacity, feature_columns] */
};

enum utter_code features_open(struct features *features, const struct acoustic *acoustic,
                              int64_t frames_max, struct utter_error *error);
void features_close(struct features *features);

/** The segment's samples begin afresh. */
void features_reset(struct features *features);
/** An utterance begins at `first`. Local features of frames from there on are kept. */
void features_begin(struct features *features, int64_t first);
/** Sees to those of frames [settled, end); what lies before was asked for already. */
void features_compute(struct features *features, const struct audio *audio, int64_t settled,
                      int64_t end);
const float *features_row(const struct features *features, int64_t frame);

#endif

/* SPDX-License-Identifier: MIT */
#include "stream/features.h"

#include "base/error.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Statistics over so much of an utterance hardly change with the next half second. */
enum { STEADY_MS = 2000 };

enum utter_code features_open(struct features *features, const struct acoustic *acoustic,
                              int64_t frames_max, struct utter_error *error)
{
    *features = (struct features){.acoustic = acoustic, .capacity = frames_max};
    size_t row = (size_t)acoustic->feature_columns * sizeof *features->rows;
    features->rows = malloc((size_t)frames_max * row);
    return features->rows ? UTTER_OK : error_memory(error, "the features");
}

void features_close(struct features *features)
{
    free(features->rows);
    *features = (struct features){0};
}

void features_reset(struct features *features)
{
    features->first = 0;
    features->count = 0;
    features->lasting = 0;
}

void features_begin(struct features *features, int64_t first)
{
    int64_t drop = first - features->first;
    bool kept = features->acoustic->local && drop >= 0 && drop < features->count;
    features->first = first;
    features->count = kept ? features->count - drop : 0;
    features->lasting = features->count;
    if (kept)
        memmove(features->rows, features->rows + drop * features->acoustic->feature_columns,
                (size_t)(features->count * features->acoustic->feature_columns) *
                    sizeof *features->rows);
}

static bool is_lasting(const struct features *features, int64_t end)
{
    const struct acoustic *acoustic = features->acoustic;
    int64_t ms = (end - features->first) * acoustic->frame_samples * 1000 / acoustic->sample_rate;
    return acoustic->local || ms >= STEADY_MS;
}

void features_compute(struct features *features, const struct audio *audio, int64_t settled,
                      int64_t end)
{
    const struct acoustic *acoustic = features->acoustic;
    int64_t from = features->first + features->lasting;
    if (from < settled)
        from = settled;
    assert(from <= features->first + features->count);
    if (from >= end)
        return;
    assert(end - features->first <= features->capacity);
    acoustic->features(acoustic->self, audio_at(audio, features->first * acoustic->frame_samples),
                       from - features->first, end - features->first,
                       features->rows + (from - features->first) * acoustic->feature_columns);
    features->count = end - features->first;
    if (is_lasting(features, end))
        features->lasting = features->count;
}

const float *features_row(const struct features *features, int64_t frame)
{
    assert(frame >= features->first && frame < features->first + features->count);
    return features->rows + (frame - features->first) * features->acoustic->feature_columns;
}

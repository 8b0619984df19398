/* SPDX-License-Identifier: MIT */
#include "stream/chunks.h"

#include <math.h>

/* rint() rounds halves to even, as Python's round() does. */
static int64_t whole_frames(const struct acoustic *acoustic, int milliseconds)
{
    double samples = milliseconds / 1000.0 * acoustic->sample_rate;
    return (int64_t)rint(samples / acoustic->frame_samples) * acoustic->frame_samples;
}

struct chunk_plan chunk_plan_make(const struct acoustic *acoustic, int window_ms, int stride_ms)
{
    return (struct chunk_plan){
        .length = whole_frames(acoustic, window_ms),
        .left = whole_frames(acoustic, stride_ms),
        .right = whole_frames(acoustic, stride_ms),
    };
}

bool chunk_at(const struct chunk_plan *plan, const struct acoustic *acoustic, int64_t total,
              int64_t index, struct chunk *chunk)
{
    int64_t step = plan->length - plan->left - plan->right;
    int64_t start = index * step;
    /* The chunk before this one was the last if it reached the end. */
    if (start >= total || (index > 0 && start - step + plan->length >= total))
        return false;
    bool last = start + plan->length >= total;
    chunk->start = start;
    chunk->count = last ? total - start : plan->length;
    /* rescale_stride(): lengths in frames, strides in proportion. */
    double frames = rint((double)chunk->count / acoustic->frame_samples);
    double left = index > 0 ? (double)plan->left : 0.0;
    double right = last ? 0.0 : (double)plan->right;
    chunk->skip = (int64_t)rint(left / (double)chunk->count * frames);
    int64_t end = (int64_t)(frames - rint(right / (double)chunk->count * frames));
    int64_t most = acoustic_frames(acoustic, chunk->count);
    if (end > most)
        end = most;
    chunk->keep = end > chunk->skip ? end - chunk->skip : 0;
    return true;
}

void chunk_decode(const struct acoustic *acoustic, const struct chunk *chunk,
                  const struct chunk_source *source, float *rows, struct ctc_greedy *greedy)
{
    const struct acoustic_rows wanted = {chunk->skip, chunk->keep};
    if (chunk->keep > 0 && source->features)
        acoustic->encode(acoustic->self,
                         source->features +
                             chunk->start / acoustic->frame_samples * acoustic->feature_columns,
                         acoustic_frames(acoustic, chunk->count), wanted, rows);
    else if (chunk->keep > 0)
        acoustic->log_probs(acoustic->self, source->samples + chunk->start, chunk->count, wanted,
                            rows);
    for (int64_t i = 0; i < chunk->keep; i++)
        ctc_greedy_push(greedy, rows + i * acoustic->columns);
}

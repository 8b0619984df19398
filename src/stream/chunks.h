/* SPDX-License-Identifier: MIT */
/**
 * A long recording in overlapping windows, as Hugging Face's speech recognition pipeline cuts it
 * with chunk_length_s and stride_length_s: what is kept of every window, laid end to end, is one
 * row of emissions for each frame of the recording. Pure arithmetic; any thread.
 */
#ifndef STREAM_CHUNKS_H
#define STREAM_CHUNKS_H

#include "ctc/greedy.h"
#include "stream/acoustic.h"

enum { CHUNK_DEFAULT_MS = 30000 };

struct chunk_plan {
    int64_t length; /* samples, whole frames, like the strides */
    int64_t left;   /* context at an inner edge, thrown away */
    int64_t right;
};

struct chunk {
    int64_t start; /* samples of the recording */
    int64_t count;
    int64_t skip; /* frames thrown away at its beginning */
    int64_t keep; /* frames kept after them */
};

/** Rounds to whole frames as the pipeline does. */
struct chunk_plan chunk_plan_make(const struct acoustic *acoustic, int window_ms, int stride_ms);

/** The chunk with number `index` of a recording of `total` samples; false after the last. */
bool chunk_at(const struct chunk_plan *plan, const struct acoustic *acoustic, int64_t total,
              int64_t index, struct chunk *chunk);

/** What is decoded, whole: samples, or a local model's features of every frame. */
struct chunk_source {
    const float *samples;
    const float *features; /* or NULL */
};

/** Decodes one chunk: the kept emissions come into `rows` [keep, columns] and into the decoder. */
void chunk_decode(const struct acoustic *acoustic, const struct chunk *chunk,
                  const struct chunk_source *source, float *rows, struct ctc_greedy *greedy);

#endif

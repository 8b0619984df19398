/* SPDX-License-Identifier: MIT */
/**
 * The encoder over an utterance in chunks, without computing what is settled again. A chunk is what
 * one decode computes: the frames that it settles and the ragged ones to their right.
 *
 *     | left context |     settled now     | ragged |      (frames)
 *       from the cache    <------ the chunk ------>
 *
 * Of settled frames the cache keeps every layer's keys and values; the frames of a chunk attend to
 * those of the left context and, without a mask, to the whole chunk. Ragged frames leave no trace:
 * the next chunk begins with them and computes them anew. The positional convolution sees the
 * projections of all settled frames that its kernel reaches, whatever the left context, and zeros
 * before the utterance and after the chunk. With all of an utterance in one chunk the result is
 * w2v2_encode()'s, bit for bit.
 *
 * A `w2v2_cache` is one utterance's state with the buffers of a pass. It belongs to one thread at a
 * time; passes allocate nothing. Results do not depend on the number of threads, nor on left_max
 * and chunk_max.
 *
 * How a stream uses it: reset at an utterance's first frame, then, for each window of its plan,
 * chunk = [settle, end), settled = settle_end - settle, left = settle - first. The rows given are
 * those of the chunk's frames; there are none for the left context, which stays as it was decoded.
 */
#ifndef W2V2_CACHED_H
#define W2V2_CACHED_H

#include "w2v2/w2v2.h"

struct w2v2_cache;

/**
 * For up to `left_max` (0 or more) frames of left context and chunks of up to `chunk_max` (1 or
 * more) frames: 16 × hidden × layers × left_max bytes and more, half of which are room to move in.
 * Begins an utterance.
 */
struct w2v2_cache *w2v2_cache_open(const struct w2v2 *w2v2, int64_t left_max, int64_t chunk_max,
                                   struct utter_error *error);
void w2v2_cache_close(struct w2v2_cache *cache);

/** Forgets every frame: the next chunk begins an utterance. */
void w2v2_cache_reset(struct w2v2_cache *cache);

/**
 * One chunk of `frames` (up to chunk_max), which begins with the first frame that is not settled.
 * Its first `settled` frames (0: this is a draft only; up to `frames`) are settled afterwards. It
 * sees up to `left` (up to left_max) settled frames before it, fewer where there are fewer; that
 * may change from chunk to chunk. `w2v2` is the one that the cache was opened with.
 */
void w2v2_encode_cached(const struct w2v2 *w2v2, struct pool *pool, struct w2v2_cache *cache,
                        const float *features /* [frames, conv_dim[last]] */, int64_t frames,
                        int64_t settled, int64_t left, float *log_probs /* [frames, vocab] */);

#endif

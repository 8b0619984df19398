/* SPDX-License-Identifier: MIT */
#include "w2v2/cached.h"

#include "base/error.h"
#include "w2v2/parts.h"

#include <stdlib.h>
#include <string.h>

struct w2v2_cache {
    int64_t left_max;
    int64_t chunk_max;
    int64_t layers;
    int64_t rows; /* of each layer's keys and values */
    int64_t used; /* of them by settled frames, the last frame's last */
    int64_t row;  /* floats from one of them to the next */
    float *keys;  /* [layers, rows, keys | values of hidden floats each] */

    int64_t margin; /* floats that workspace.padded has before the chunk: projections of settled
                       frames, zeros before the utterance */
    int64_t hidden_row;
    struct w2v2_workspace workspace; /* the encoder's part alone, for a chunk */
    void *memory;                    /* every buffer above, in one piece */
};

static void lay_out(struct w2v2_cache *cache, const struct w2v2 *w2v2, struct arena *arena)
{
    /* Vectors read over a head's end. */
    int64_t floats = cache->layers * cache->rows * cache->row + w2v2->kernels->panel;
    cache->keys = arena_take(arena, floats);
    w2v2_lay_out_bytes(&cache->workspace, w2v2, arena);
    w2v2_lay_out_encoder(&cache->workspace, w2v2, cache->chunk_max, cache->left_max, arena);
}

struct w2v2_cache *w2v2_cache_open(const struct w2v2 *w2v2, int64_t left_max, int64_t chunk_max,
                                   struct utter_error *error)
{
    const struct model_config *config = &w2v2->config;
    struct w2v2_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        goto fail;
    cache->left_max = left_max;
    cache->chunk_max = chunk_max;
    cache->layers = config->num_hidden_layers;
    /* Twice the left context: settled frames move down once in left_max frames, not every time. */
    cache->rows = 2 * left_max + chunk_max;
    cache->row = w2v2_row(2 * config->hidden_size);
    cache->hidden_row = w2v2_row(config->hidden_size);
    cache->margin = config->num_conv_pos_embeddings / 2 * cache->hidden_row;
    struct arena arena = {0};
    lay_out(cache, w2v2, &arena);
    cache->memory = arena_allocate(arena.used);
    if (!cache->memory)
        goto fail;
    arena = (struct arena){cache->memory, 0};
    lay_out(cache, w2v2, &arena);
    w2v2_cache_reset(cache);
    return cache;
fail:
    error_memory(error, "keys and values of settled frames");
    w2v2_cache_close(cache);
    return NULL;
}

void w2v2_cache_close(struct w2v2_cache *cache)
{
    if (!cache)
        return;
    free(cache->memory);
    free(cache);
}

void w2v2_cache_reset(struct w2v2_cache *cache)
{
    cache->used = 0;
    memset(cache->workspace.padded, 0, (size_t)cache->margin * sizeof(float));
}

/* Where a chunk of `frames` has no room behind the settled frames, those still needed move down. */
static void make_room(struct w2v2_cache *cache, int64_t frames)
{
    if (cache->used + frames <= cache->rows)
        return;
    int64_t kept = cache->used < cache->left_max ? cache->used : cache->left_max;
    for (int64_t i = 0; i < cache->layers; i++) {
        float *keys = cache->keys + i * cache->rows * cache->row;
        memmove(keys, keys + (cache->used - kept) * cache->row,
                (size_t)(kept * cache->row) * sizeof *keys);
    }
    cache->used = kept;
}

void w2v2_encode_cached(const struct w2v2 *w2v2, struct pool *pool, struct w2v2_cache *cache,
                        const float *features, int64_t frames, int64_t settled, int64_t left,
                        float *log_probs)
{
    make_room(cache, frames);
    if (left > cache->used)
        left = cache->used;
    struct w2v2_past past = {
        .frames = left,
        .keys = cache->keys + (cache->used - left) * cache->row,
        .row = cache->row,
        .layer = cache->rows * cache->row,
    };
    int64_t columns = w2v2->config.conv_dim[w2v2->config.conv_layers - 1];
    w2v2_encode_rows(w2v2, pool, &cache->workspace, features, columns, frames, &past, NULL,
                     log_probs, NULL);
    float *padded = cache->workspace.padded;
    memmove(padded, padded + settled * cache->hidden_row, (size_t)cache->margin * sizeof *padded);
    cache->used += settled;
}

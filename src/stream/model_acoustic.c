/* SPDX-License-Identifier: MIT */
/* A model as streams see it: w2v2 with its workspaces. */
#include "base/error.h"
#include "stream/model.h"
#include "w2v2/cached.h"
#include "w2v2/running.h"

#include <stdlib.h>

/* Features are computed so many at a time: more need a larger workspace and are no faster. */
enum { PIECE_FRAMES = 100 };

struct model_pass {
    const struct w2v2 *w2v2;
    struct pool *pool;
    struct pool *own_pool;                           /* the same, or NULL: it is the engine's */
    int64_t frame_samples, receptive_field, columns; /* of features */
    struct w2v2_workspace *workspace;
    struct w2v2_cache *cache;     /* NULL: no chunks */
    struct w2v2_running *running; /* NULL: the model is local, or there are no chunks */
};

static void pass_log_probs(void *self, const float *samples, int64_t count,
                           struct acoustic_rows wanted, float *log_probs)
{
    struct model_pass *pass = self;
    w2v2_log_probs(pass->w2v2, pass->pool, pass->workspace, samples, count,
                   &(struct w2v2_wanted){wanted.first, wanted.count}, log_probs, NULL);
}

static void pass_begin(void *self)
{
    struct model_pass *pass = self;
    if (pass->cache)
        w2v2_cache_reset(pass->cache);
    if (pass->running)
        w2v2_running_reset(pass->running);
}

static int64_t pass_samples(const struct model_pass *pass, int64_t frames)
{
    return (frames - 1) * pass->frame_samples + pass->receptive_field;
}

static void pass_features(void *self, const float *utterance, int64_t first, int64_t end,
                          float *features)
{
    struct model_pass *pass = self;
    if (pass->running)
        w2v2_running_advance(pass->running, utterance, pass_samples(pass, end));
    for (int64_t at = first, count; at < end; at += count) {
        count = end - at < PIECE_FRAMES ? end - at : PIECE_FRAMES;
        const float *samples = utterance + at * pass->frame_samples;
        float *rows = features + (at - first) * pass->columns;
        if (pass->running)
            w2v2_running_features(pass->running, pass->pool, pass->workspace, samples,
                                  pass_samples(pass, count), rows);
        else
            w2v2_features(pass->w2v2, pass->pool, pass->workspace, samples,
                          pass_samples(pass, count), rows);
    }
}

static void pass_encode(void *self, const float *features, int64_t frames,
                        struct acoustic_rows wanted, float *log_probs)
{
    struct model_pass *pass = self;
    w2v2_encode(pass->w2v2, pass->pool, pass->workspace, features, frames,
                &(struct w2v2_wanted){wanted.first, wanted.count}, log_probs, NULL);
}

static void pass_encode_chunk(void *self, const float *features, int64_t frames, int64_t settled,
                              int64_t left, float *log_probs)
{
    struct model_pass *pass = self;
    w2v2_encode_cached(pass->w2v2, pass->pool, pass->cache, features, frames, settled, left,
                       log_probs);
}

static bool pass_prepare(void *self)
{
    struct model_pass *pass = self;
    return w2v2_prepare(pass->w2v2, pass->pool);
}

static void pass_cancel(void *self)
{
    struct model_pass *pass = self;
    pool_cancel(pass->own_pool);
}

static void pass_close(void *self)
{
    struct model_pass *pass = self;
    w2v2_workspace_close(pass->workspace);
    w2v2_cache_close(pass->cache);
    w2v2_running_close(pass->running);
    pool_close(pass->own_pool);
    free(pass);
}

void model_describe_acoustic(const struct utter_model *model, struct acoustic *acoustic)
{
    const struct model_config *config = w2v2_config(model->w2v2);
    *acoustic = (struct acoustic){
        .sample_rate = config->sampling_rate,
        .frame_samples = config->frame_samples,
        .receptive_field = config->receptive_field,
        .columns = config->vocab_size,
        .feature_columns = config->conv_dim[config->conv_layers - 1],
        .encoder = model->info.encoder,
        .latency = model->info.latency,
        .local = config->feat_extract_norm == EXTRACTOR_NORM_LAYER && !config->do_normalize,
        .log_probs = pass_log_probs,
        .begin = pass_begin,
        .features = pass_features,
        .encode = pass_encode,
        .encode_chunk = pass_encode_chunk,
        .prepare = pass_prepare,
        .close = pass_close,
    };
}

static bool open_workspaces(struct model_pass *pass, const struct acoustic_room *room, bool local,
                            struct utter_error *error)
{
    int64_t samples = room->samples, frames = room->frames;
    if (room->alone && !(pass->pool = pass->own_pool = pool_open(1, error)))
        return false;
    if (samples < pass_samples(pass, PIECE_FRAMES))
        samples = pass_samples(pass, PIECE_FRAMES);
    if (frames < config_frames(w2v2_config(pass->w2v2), room->samples))
        frames = config_frames(w2v2_config(pass->w2v2), room->samples);
    pass->workspace = w2v2_workspace_open_parts(pass->w2v2, samples, frames, error);
    if (!pass->workspace)
        return false;
    if (room->chunk == 0)
        return true;
    pass->cache = w2v2_cache_open(pass->w2v2, room->left, room->chunk, error);
    if (pass->cache && !local)
        pass->running = w2v2_running_open(pass->w2v2, error);
    return pass->cache && (local || pass->running);
}

enum utter_code model_acoustic(const struct utter_model *model, const struct acoustic_room *room,
                               struct acoustic *acoustic, struct utter_error *error)
{
    struct acoustic described;
    struct model_pass *pass = calloc(1, sizeof *pass);
    if (!pass)
        return error_memory(error, "the acoustic model");
    model_describe_acoustic(model, &described);
    pass->w2v2 = model->w2v2;
    pass->pool = model->engine->pool;
    pass->frame_samples = described.frame_samples;
    pass->receptive_field = described.receptive_field;
    pass->columns = described.feature_columns;
    described.self = pass;
    if (!open_workspaces(pass, room, described.local, error)) {
        pass_close(pass);
        return UTTER_ERROR_MEMORY;
    }
    described.cancel = pass->own_pool ? pass_cancel : NULL;
    *acoustic = described;
    return UTTER_OK;
}

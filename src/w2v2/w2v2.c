/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "w2v2/parts.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, LAYER_PRODUCTS = 4 };

float *arena_take(struct arena *arena, int64_t floats)
{
    float *piece = arena->memory ? arena->memory + arena->used : NULL;
    arena->used += (floats + 15) / 16 * 16;
    return piece;
}

int64_t w2v2_row(int64_t columns)
{
    return (columns + 15) / 16 * 16 + 16;
}

float *arena_allocate(int64_t floats)
{
    size_t bytes = ((size_t)floats * sizeof(float) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return aligned_alloc(ALIGNMENT, bytes);
}

struct w2v2 *w2v2_open(struct checkpoint *checkpoint, struct pool *pool,
                       enum w2v2_precision precision, struct utter_error *error)
{
    return w2v2_open_kernels(checkpoint, pool, precision, kernels_best(), error);
}

struct w2v2 *w2v2_open_kernels(struct checkpoint *checkpoint, struct pool *pool,
                               enum w2v2_precision precision, const struct kernels *kernels,
                               struct utter_error *error)
{
    struct w2v2 *w2v2 = calloc(1, sizeof *w2v2);
    if (!w2v2)
        goto fail;
    w2v2->config = checkpoint->config;
    w2v2->kernels = kernels;
    w2v2->threads = pool_threads(pool);
    w2v2->layers = calloc((size_t)w2v2->config.num_hidden_layers, sizeof *w2v2->layers);
    float *scratch = arena_allocate(w2v2_pack_scratch(kernels, &w2v2->config) * w2v2->threads);
    w2v2->deferral =
        w2v2_deferral_open(checkpoint, LAYER_PRODUCTS * w2v2->config.num_hidden_layers, scratch);
    if (!w2v2->layers || !scratch || !w2v2->deferral)
        goto fail;
    struct arena arena = {0};
    w2v2_pack(w2v2, checkpoint, precision, &arena, pool, scratch);
    w2v2->memory_floats = arena.used;
    w2v2->memory = arena_allocate(arena.used);
    if (!w2v2->memory)
        goto fail;
    arena = (struct arena){w2v2->memory, 0};
    w2v2_pack(w2v2, checkpoint, precision, &arena, pool, scratch);
    w2v2_deferral_seal(w2v2->deferral);
    return w2v2;
fail:
    error_memory(error, "the model's weights");
    w2v2_close(w2v2);
    return NULL;
}

void w2v2_close(struct w2v2 *w2v2)
{
    if (!w2v2)
        return;
    w2v2_deferral_close(w2v2->deferral);
    free(w2v2->layers);
    free(w2v2->memory);
    free(w2v2);
}

bool w2v2_prepare(const struct w2v2 *w2v2, struct pool *pool)
{
    return w2v2_deferral_pack(w2v2->deferral, pool);
}

const struct model_config *w2v2_config(const struct w2v2 *w2v2)
{
    return &w2v2->config;
}

enum w2v2_precision w2v2_precision(const struct w2v2 *w2v2)
{
    return w2v2->layers[0].qkv.is_int8 ? W2V2_PRECISION_INT8 : W2V2_PRECISION_FLOAT32;
}

int64_t w2v2_weight_bytes(const struct w2v2 *w2v2)
{
    return w2v2->memory_floats * (int64_t)sizeof(float);
}

/* ---- workspace ------------------------------------------------------------------------------- */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Outputs of layer i > 0 are in buffer i % 2: floats for the longest there. */
static int64_t conv_floats(const struct model_config *config, int64_t samples, int turn)
{
    int64_t frames = samples, most = 0;
    for (int i = 0; i < config->conv_layers; i++) {
        frames = frames < config->conv_kernel[i]
                     ? 0
                     : (frames - config->conv_kernel[i]) / config->conv_stride[i] + 1;
        if (i > 0 && i % 2 == turn)
            most = larger(most, frames * w2v2_row(config->conv_dim[i]));
    }
    return most;
}

static void lay_out_extractor(struct w2v2_workspace *workspace, const struct w2v2 *w2v2,
                              struct arena *arena)
{
    const struct model_config *config = &w2v2->config;
    int64_t kernel = config->conv_kernel[0], samples = workspace->samples_max;
    workspace->samples = arena_take(arena, samples);
    workspace->front = arena_take(arena, w2v2_front_floats(config) * w2v2->threads);
    for (int turn = 0; turn < 2; turn++)
        workspace->conv[turn] = arena_take(arena, conv_floats(config, samples, turn));
    workspace->first_scale = arena_take(arena, config->conv_dim[0]);
    workspace->first_bias = arena_take(arena, config->conv_dim[0]);
    workspace->first_panels =
        arena_take(arena, gemm_packed_floats(w2v2->kernels, &w2v2->conv[0].product.shape));
    workspace->moments.kernel = kernel;
    workspace->moments.stride = config->conv_stride[0];
    double *moments = (double *)arena_take(arena, 2 * conv_moments_doubles(kernel));
    workspace->moments.mean = moments;
    workspace->moments.covariance = moments ? moments + kernel : NULL;
}

void w2v2_lay_out_encoder(struct w2v2_workspace *workspace, const struct w2v2 *w2v2, int64_t frames,
                          int64_t past, struct arena *arena)
{
    const struct model_config *config = &w2v2->config;
    int64_t hidden = config->hidden_size, features = config->conv_dim[config->conv_layers - 1];
    int64_t margin = config->num_conv_pos_embeddings / 2;
    struct attention_shape shape = {frames, past + frames, config->num_attention_heads,
                                    hidden / config->num_attention_heads,
                                    w2v2->layers[0].qkv.is_int8};
    workspace->normed = arena_take(arena, frames * w2v2_row(features));
    workspace->padded = arena_take(arena, (frames + 2 * margin) * w2v2_row(hidden));
    for (int turn = 0; turn < 2; turn++)
        workspace->hidden[turn] = arena_take(arena, frames * w2v2_row(hidden));
    workspace->layer_in = arena_take(arena, frames * w2v2_row(hidden));
    workspace->qkv = arena_take(arena, frames * w2v2_row(3 * hidden));
    workspace->context = arena_take(arena, frames * w2v2_row(hidden));
    workspace->inner = arena_take(arena, frames * w2v2_row(config->intermediate_size));
    workspace->logits = arena_take(arena, frames * w2v2_row(config->vocab_size));
    workspace->attention =
        arena_take(arena, attention_scratch_floats(w2v2->kernels, &shape, w2v2->threads));
}

void w2v2_lay_out_bytes(struct w2v2_workspace *workspace, const struct w2v2 *w2v2,
                        struct arena *arena)
{
    workspace->bytes = arena_take(arena, INT8_THREAD_FLOATS * w2v2->threads);
}

static void lay_out(struct w2v2_workspace *workspace, const struct w2v2 *w2v2, struct arena *arena)
{
    const struct model_config *config = &w2v2->config;
    int64_t frames = workspace->frames_max;
    int64_t features = config->conv_dim[config->conv_layers - 1];
    int64_t widest = larger(features, larger(config->hidden_size, config->vocab_size));
    workspace->features = arena_take(arena, frames * w2v2_row(features));
    workspace->watched = arena_take(arena, frames * widest);
    w2v2_lay_out_bytes(workspace, w2v2, arena);
    /* The extractor is done before the encoder begins, so that they may have the same memory. */
    struct arena encoder = *arena;
    lay_out_extractor(workspace, w2v2, arena);
    w2v2_lay_out_encoder(workspace, w2v2, frames, 0, &encoder);
    arena->used = larger(arena->used, encoder.used);
}

struct w2v2_workspace *w2v2_workspace_open(const struct w2v2 *w2v2, int64_t samples_max,
                                           struct utter_error *error)
{
    return w2v2_workspace_open_parts(w2v2, samples_max, config_frames(&w2v2->config, samples_max),
                                     error);
}

struct w2v2_workspace *w2v2_workspace_open_parts(const struct w2v2 *w2v2, int64_t samples_max,
                                                 int64_t frames_max, struct utter_error *error)
{
    struct w2v2_workspace *workspace = calloc(1, sizeof *workspace);
    if (!workspace)
        goto fail;
    workspace->samples_max = samples_max;
    workspace->frames_max = frames_max;
    struct arena arena = {0};
    lay_out(workspace, w2v2, &arena);
    workspace->memory = arena_allocate(arena.used);
    if (!workspace->memory)
        goto fail;
    arena = (struct arena){workspace->memory, 0};
    lay_out(workspace, w2v2, &arena);
    return workspace;
fail:
    error_memory(error, "a recogniser's workspace");
    w2v2_workspace_close(workspace);
    return NULL;
}

void w2v2_workspace_close(struct w2v2_workspace *workspace)
{
    if (!workspace)
        return;
    free(workspace->memory);
    free(workspace);
}

/* ---- passes ---------------------------------------------------------------------------------- */

void w2v2_multiply(const struct w2v2_product *product, struct pool *pool,
                   const struct gemm_input *input, const struct gemm_output *output, float *bytes)
{
    if (product->is_int8)
        int8_run(&product->int8, pool, input, output, bytes);
    else if (product->deferred)
        w2v2_deferred_run(product->deferred, pool, input, output);
    else
        gemm_run(&product->floats, pool, input, output);
}

enum activation w2v2_activation(enum activation activation, const struct w2v2_product *next)
{
    return activation == ACTIVATION_GELU && next->is_int8 ? ACTIVATION_GELU_COARSE : activation;
}

void w2v2_show(const struct w2v2_watcher *watcher, struct w2v2_workspace *workspace,
               enum w2v2_stage stage, int layer, const float *values, int64_t stride, int64_t rows,
               int64_t columns)
{
    if (!watcher || !watcher->see)
        return;
    for (int64_t i = 0; i < rows; i++)
        memcpy(workspace->watched + i * columns, values + i * stride,
               (size_t)columns * sizeof *values);
    watcher->see(watcher->user, stage, layer, workspace->watched, rows, columns);
}

void w2v2_tell(const struct w2v2_watcher *watcher, enum w2v2_work work)
{
    if (watcher && watcher->done)
        watcher->done(watcher->user, work);
}

void w2v2_features(const struct w2v2 *w2v2, struct pool *pool, struct w2v2_workspace *workspace,
                   const float *samples, int64_t count, float *features)
{
    int64_t columns = w2v2->config.conv_dim[w2v2->config.conv_layers - 1];
    w2v2_extract(w2v2, pool, workspace, samples, count, features, columns);
}

void w2v2_encode(const struct w2v2 *w2v2, struct pool *pool, struct w2v2_workspace *workspace,
                 const float *features, int64_t frames, const struct w2v2_wanted *wanted,
                 float *log_probs, const struct w2v2_watcher *watcher)
{
    int64_t columns = w2v2->config.conv_dim[w2v2->config.conv_layers - 1];
    w2v2_encode_rows(w2v2, pool, workspace, features, columns, frames, NULL, wanted, log_probs,
                     watcher);
}

void w2v2_log_probs(const struct w2v2 *w2v2, struct pool *pool, struct w2v2_workspace *workspace,
                    const float *samples, int64_t count, const struct w2v2_wanted *wanted,
                    float *log_probs, const struct w2v2_watcher *watcher)
{
    int64_t columns = w2v2->config.conv_dim[w2v2->config.conv_layers - 1];
    int64_t frames = config_frames(&w2v2->config, count), stride = w2v2_row(columns);
    w2v2_extract(w2v2, pool, workspace, samples, count, workspace->features, stride);
    w2v2_tell(watcher, W2V2_WORK_EXTRACTOR);
    w2v2_show(watcher, workspace, W2V2_STAGE_EXTRACTOR, 0, workspace->features, stride, frames,
              columns);
    w2v2_encode_rows(w2v2, pool, workspace, workspace->features, stride, frames, NULL, wanted,
                     log_probs, watcher);
}

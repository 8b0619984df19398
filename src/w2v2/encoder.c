/* SPDX-License-Identifier: MIT */
#include "w2v2/parts.h"

#include <string.h>

/* What every step of the encoder needs. */
struct pass {
    const struct w2v2 *w2v2;
    struct pool *pool;
    struct w2v2_workspace *workspace;
    const struct w2v2_past *past; /* NULL for a whole utterance */
    const struct w2v2_watcher *watcher;
    int64_t frames;
    struct w2v2_wanted rows; /* that a step computes: all, or in the last layer the wanted ones */
    int64_t hidden;          /* columns of the residual stream */
    int64_t row;             /* floats from one of its rows to the next */
};

static void norm(const struct pass *pass, const struct norm *norm, const float *in, float *out)
{
    int64_t skip = pass->rows.first * pass->row;
    w2v2_norm(pass->pool,
              &(struct row_norm){pass->w2v2->kernels, norm, in + skip, pass->row, out + skip,
                                 pass->row, pass->rows.count, pass->hidden});
    w2v2_tell(pass->watcher, W2V2_WORK_NORM);
}

/* out = activation(in Wᵀ + b) + residual, which may be NULL and has rows like the hidden ones */
static void linear(const struct pass *pass, enum w2v2_work work, const struct w2v2_product *product,
                   const float *in, float *out, enum activation activation, const float *residual)
{
    int64_t inputs = product->shape.inputs, first = pass->rows.first;
    int64_t in_row = w2v2_row(inputs), out_row = w2v2_row(product->shape.outputs);
    struct gemm_input input = gemm_rows(in + first * in_row, pass->rows.count, inputs, in_row);
    struct gemm_output output = {out + first * out_row, out_row, activation,
                                 residual ? residual + first * pass->row : NULL, pass->row};
    w2v2_multiply(product, pass->pool, &input, &output, pass->workspace->bytes);
    w2v2_tell(pass->watcher, work);
}

static void project(const struct pass *pass, const float *features, int64_t stride)
{
    const struct w2v2 *w2v2 = pass->w2v2;
    struct w2v2_workspace *workspace = pass->workspace;
    int64_t columns = w2v2->projection.shape.inputs;
    int64_t margin = w2v2->config.num_conv_pos_embeddings / 2 * pass->row;
    if (w2v2->projection_norm.gain) {
        w2v2_norm(pass->pool,
                  &(struct row_norm){w2v2->kernels, &w2v2->projection_norm, features, stride,
                                     workspace->normed, w2v2_row(columns), pass->frames, columns});
        features = workspace->normed;
        stride = w2v2_row(columns);
    }
    struct gemm_input input = gemm_rows(features, pass->frames, columns, stride);
    struct gemm_output output = {.values = workspace->padded + margin,
                                 .row_stride = pass->row,
                                 .activation = ACTIVATION_LINEAR};
    w2v2_multiply(&w2v2->projection, pass->pool, &input, &output, workspace->bytes);
    w2v2_tell(pass->watcher, W2V2_WORK_PROJECTION);
    if (!pass->past)
        memset(workspace->padded, 0, (size_t)margin * sizeof(float));
    memset(workspace->padded + margin + pass->frames * pass->row, 0,
           (size_t)margin * sizeof(float));
    w2v2_show(pass->watcher, workspace, W2V2_STAGE_PROJECTION, 0, output.values, pass->row,
              pass->frames, pass->hidden);
}

/* out = projection + activation(convolution over it). An even kernel's last frame is dropped. */
static void add_positions(const struct pass *pass, float *out)
{
    const struct w2v2 *w2v2 = pass->w2v2;
    struct w2v2_workspace *workspace = pass->workspace;
    int64_t kernel = w2v2->config.num_conv_pos_embeddings;
    struct gemm_input input = {
        .values = workspace->padded,
        .rows = pass->frames,
        .row_stride = pass->row,
        .taps = kernel,
        .tap_length = w2v2->position.shape.inputs / kernel,
        .tap_stride = pass->row,
    };
    struct gemm_output output = {out, pass->row, w2v2->config.feat_extract_activation, NULL,
                                 pass->row};
    if (pass->watcher && pass->watcher->see) {
        w2v2_multiply(&w2v2->position, pass->pool, &input, &output, workspace->bytes);
        w2v2_show(pass->watcher, workspace, W2V2_STAGE_POSITIONAL, 0, out, pass->row, pass->frames,
                  pass->hidden);
    }
    output.residual = workspace->padded + kernel / 2 * pass->row;
    w2v2_multiply(&w2v2->position, pass->pool, &input, &output, workspace->bytes);
    w2v2_tell(pass->watcher, W2V2_WORK_POSITIONAL);
}

/* The keys and values of this pass join those of the past. */
static void join_past(const struct pass *pass, int64_t layer, struct attention *attention)
{
    const struct w2v2_past *past = pass->past;
    float *keys = past->keys + layer * past->layer;
    for (int64_t i = 0; i < pass->frames; i++)
        memcpy(keys + (past->frames + i) * past->row, attention->key + i * attention->key_stride,
               (size_t)(2 * pass->hidden) * sizeof *keys);
    attention->key = keys;
    attention->value = keys + pass->hidden;
    attention->key_stride = past->row;
}

/* out = in's attention + residual, of the wanted rows; `whole` computes all, as keys and values. */
static void attend(const struct pass *whole, const struct pass *pass,
                   const struct w2v2_layer *layer, const float *in, const float *residual,
                   float *out)
{
    struct w2v2_workspace *workspace = pass->workspace;
    int64_t heads = pass->w2v2->config.num_attention_heads;
    int64_t keys = pass->frames + (pass->past ? pass->past->frames : 0);
    struct attention_shape shape = {pass->rows.count, keys, heads, pass->hidden / heads,
                                    layer->qkv.is_int8};
    struct attention attention = {
        .query = workspace->qkv + pass->rows.first * w2v2_row(3 * pass->hidden),
        .query_stride = w2v2_row(3 * pass->hidden),
        .key = workspace->qkv + pass->hidden,
        .value = workspace->qkv + 2 * pass->hidden,
        .key_stride = w2v2_row(3 * pass->hidden),
        .context = workspace->context + pass->rows.first * pass->row,
        .context_stride = pass->row,
        .scratch = workspace->attention,
    };
    linear(whole, W2V2_WORK_QKV, &layer->qkv, in, workspace->qkv, ACTIVATION_LINEAR, NULL);
    if (pass->past)
        join_past(pass, layer - pass->w2v2->layers, &attention);
    attention_run(pass->w2v2->kernels, pass->pool, &shape, &attention);
    w2v2_tell(pass->watcher, W2V2_WORK_ATTENTION);
    linear(pass, W2V2_WORK_OUT, &layer->out, workspace->context, out, ACTIVATION_LINEAR, residual);
}

/* out = in's feed-forward + residual */
static void feed_forward(const struct pass *pass, const struct w2v2_layer *layer, const float *in,
                         const float *residual, float *out)
{
    float *inner = pass->workspace->inner;
    enum activation activation = w2v2_activation(pass->w2v2->config.hidden_act, &layer->down);
    linear(pass, W2V2_WORK_UP, &layer->up, in, inner, activation, NULL);
    linear(pass, W2V2_WORK_DOWN, &layer->down, inner, out, ACTIVATION_LINEAR, residual);
}

/* x and y are the two buffers of the residual stream; the result is in x's wanted rows. */
static void run_layer(const struct pass *whole, const struct pass *pass,
                      const struct w2v2_layer *layer, float *x, float *y)
{
    float *in = pass->workspace->layer_in;
    if (pass->w2v2->config.do_stable_layer_norm) {
        norm(whole, &layer->attention_norm, x, in);
        attend(whole, pass, layer, in, x, y);
        norm(pass, &layer->final_norm, y, in);
        feed_forward(pass, layer, in, y, x);
    } else {
        attend(whole, pass, layer, x, x, y);
        norm(pass, &layer->attention_norm, y, y);
        feed_forward(pass, layer, y, y, x);
        norm(pass, &layer->final_norm, x, x);
    }
}

/* log_probs = log-softmax of the wanted rows' logits */
static void predict(const struct pass *pass, const float *x, float *log_probs)
{
    const struct w2v2 *w2v2 = pass->w2v2;
    float *logits = pass->workspace->logits;
    int64_t vocab = w2v2->config.vocab_size, row = w2v2_row(vocab);
    linear(pass, W2V2_WORK_HEAD, &w2v2->head, x, logits, ACTIVATION_LINEAR, NULL);
    w2v2_show(pass->watcher, pass->workspace, W2V2_STAGE_LOGITS, 0, logits, row, pass->frames,
              vocab);
    for (int64_t i = 0; i < pass->rows.count; i++)
        w2v2->kernels->log_softmax(logits + (pass->rows.first + i) * row, log_probs + i * vocab,
                                   vocab);
    w2v2_tell(pass->watcher, W2V2_WORK_HEAD);
}

void w2v2_encode_rows(const struct w2v2 *w2v2, struct pool *pool, struct w2v2_workspace *workspace,
                      const float *features, int64_t stride, int64_t frames,
                      const struct w2v2_past *past, const struct w2v2_wanted *wanted,
                      float *log_probs, const struct w2v2_watcher *watcher)
{
    const struct model_config *config = &w2v2->config;
    struct pass pass = {
        .w2v2 = w2v2,
        .pool = pool,
        .workspace = workspace,
        .past = past,
        .watcher = watcher,
        .frames = frames,
        .rows = {0, frames},
        .hidden = config->hidden_size,
        .row = w2v2_row(config->hidden_size),
    };
    if (frames < 1)
        return;
    struct pass last = pass;
    if (wanted)
        last.rows = *wanted;
    float *x = workspace->hidden[0];
    project(&pass, features, stride);
    add_positions(&pass, x);
    if (!config->do_stable_layer_norm)
        norm(&pass, &w2v2->encoder_norm, x, x);
    for (int i = 0; i < config->num_hidden_layers; i++) {
        bool is_last = i == config->num_hidden_layers - 1;
        run_layer(&pass, is_last ? &last : &pass, &w2v2->layers[i], x, workspace->hidden[1]);
        w2v2_show(watcher, workspace, W2V2_STAGE_LAYER, i, x, pass.row, frames, pass.hidden);
    }
    if (config->do_stable_layer_norm)
        norm(&last, &w2v2->encoder_norm, x, x);
    predict(&last, x, log_probs);
}

/* SPDX-License-Identifier: MIT */
#include "w2v2/parts.h"

#include <math.h>
#include <string.h>

enum { PIECE = 1024 /* floats that are widened at a time, on the stack */ };

static float *pack_vector(struct arena *arena, const struct tensor *tensor, int64_t count)
{
    if (!tensor->data)
        return NULL;
    float *values = arena_take(arena, count);
    if (values)
        tensor_to_float(tensor, 0, count, values);
    return values;
}

static struct norm pack_norm(struct arena *arena, const struct tensor_pair *pair, int64_t count,
                             float epsilon)
{
    struct norm norm = {.epsilon = epsilon, .activation = ACTIVATION_LINEAR};
    norm.gain = pack_vector(arena, &pair->weight, count);
    norm.offset = pack_vector(arena, &pair->bias, count);
    return norm;
}

struct packer {
    const struct w2v2 *w2v2;
    struct arena *arena;
    struct pool *pool;
    float *scratch;
};

static struct gemm_weights pack_product(const struct packer *packer, struct gemm_shape shape,
                                        gemm_source *source, const void *context, const float *bias)
{
    const struct kernels *kernels = packer->w2v2->kernels;
    float *memory = arena_take(packer->arena, gemm_packed_floats(kernels, &shape));
    if (!memory)
        return (struct gemm_weights){kernels, shape, NULL, bias};
    return gemm_pack(kernels, &shape, source, context, bias, memory, packer->scratch, packer->pool);
}

/* ---- linear layers --------------------------------------------------------------------------- */

static void linear_source(const void *context, int64_t output, float *weights)
{
    const struct tensor *tensor = context;
    tensor_to_float(tensor, output * tensor->shape[1], tensor->shape[1], weights);
}

static struct gemm_weights pack_linear(const struct packer *packer, const struct tensor_pair *pair)
{
    struct gemm_shape shape = {pair->weight.shape[0], pair->weight.shape[1], 1};
    const float *bias = pack_vector(packer->arena, &pair->bias, shape.outputs);
    return pack_product(packer, shape, linear_source, &pair->weight, bias);
}

struct qkv_source {
    const struct layer_tensors *layer;
    int64_t hidden;
    float scale; /* of the query */
};

static void qkv_source(const void *context, int64_t output, float *weights)
{
    const struct qkv_source *source = context;
    const struct layer_tensors *layer = source->layer;
    const struct tensor *tensors[] = {&layer->query.weight, &layer->key.weight,
                                      &layer->value.weight};
    int64_t hidden = source->hidden;
    tensor_to_float(tensors[output / hidden], output % hidden * hidden, hidden, weights);
    for (int64_t i = 0; output < hidden && i < hidden; i++)
        weights[i] *= source->scale;
}

static struct gemm_weights pack_qkv(const struct packer *packer, const struct layer_tensors *layer)
{
    const struct model_config *config = &packer->w2v2->config;
    int64_t hidden = config->hidden_size;
    struct qkv_source source = {layer, hidden, 0};
    source.scale = 1.0f / sqrtf((float)(hidden / config->num_attention_heads));
    float *bias = arena_take(packer->arena, 3 * hidden);
    if (bias) {
        tensor_to_float(&layer->query.bias, 0, hidden, bias);
        tensor_to_float(&layer->key.bias, 0, hidden, bias + hidden);
        tensor_to_float(&layer->value.bias, 0, hidden, bias + 2 * hidden);
        for (int64_t i = 0; i < hidden; i++)
            bias[i] *= source.scale;
    }
    return pack_product(packer, (struct gemm_shape){3 * hidden, hidden, 1}, qkv_source, &source,
                        bias);
}

/* ---- convolutions ---------------------------------------------------------------------------- */

/* One output's weights, [channels, kernel], become [kernel, channels]. */
static void conv_source(const void *context, int64_t output, float *weights)
{
    const struct tensor *tensor = context;
    int64_t channels = tensor->shape[1], kernel = tensor->shape[2], count = channels * kernel;
    float piece[PIECE];
    for (int64_t from = 0; from < count; from += PIECE) {
        int64_t length = count - from < PIECE ? count - from : PIECE;
        tensor_to_float(tensor, output * count + from, length, piece);
        for (int64_t i = 0; i < length; i++)
            weights[(from + i) % kernel * channels + (from + i) / kernel] = piece[i];
    }
}

static void pack_conv(const struct packer *packer, struct w2v2_conv *conv, int layer,
                      const struct conv_tensors *tensors)
{
    const struct model_config *config = &packer->w2v2->config;
    const struct tensor *weight = &tensors->weight;
    struct gemm_shape shape = {weight->shape[0], weight->shape[1] * weight->shape[2], 1};
    const float *bias = pack_vector(packer->arena, &tensors->bias, shape.outputs);
    conv->product = pack_product(packer, shape, conv_source, weight, bias);
    if (layer == 0 || config->feat_extract_norm == EXTRACTOR_NORM_LAYER)
        conv->norm = pack_norm(packer->arena, &tensors->norm, shape.outputs, 1e-5f);
    conv->norm.activation = config->feat_extract_activation;
}

/* ---- the positional convolution -------------------------------------------------------------- */

struct position_source {
    const struct tensor *direction;
    const float *scale; /* [kernel], or NULL without weight norm */
};

static void position_source(const void *context, int64_t output, float *weights)
{
    const struct position_source *source = context;
    int64_t channels = source->direction->shape[1], kernel = source->direction->shape[2];
    conv_source(source->direction, output, weights);
    for (int64_t tap = 0; source->scale && tap < kernel; tap++) {
        for (int64_t i = 0; i < channels; i++)
            weights[tap * channels + i] *= source->scale[tap];
    }
}

/* Weight norm over dim 2: a tap's gain over the length of all its weights together. */
static void measure_taps(const struct tensor *direction, const struct tensor *gain, float *scale,
                         double *squares)
{
    int64_t kernel = direction->shape[2];
    int64_t count = direction->shape[0] * direction->shape[1] * kernel;
    float piece[PIECE];
    memset(squares, 0, (size_t)kernel * sizeof *squares);
    int64_t tap = 0;
    for (int64_t from = 0; from < count; from += PIECE) {
        int64_t length = count - from < PIECE ? count - from : PIECE;
        tensor_to_float(direction, from, length, piece);
        for (int64_t i = 0; i < length; i++) {
            squares[tap] += (double)piece[i] * piece[i];
            tap = tap + 1 < kernel ? tap + 1 : 0;
        }
    }
    tensor_to_float(gain, 0, kernel, scale);
    for (tap = 0; tap < kernel; tap++)
        scale[tap] = (float)(scale[tap] / sqrt(squares[tap]));
}

static struct gemm_weights pack_position(const struct packer *packer, const struct weights *weights)
{
    const struct model_config *config = &packer->w2v2->config;
    const struct tensor *direction = &weights->position_direction;
    int64_t kernel = direction->shape[2];
    const float *bias = pack_vector(packer->arena, &weights->position_bias, direction->shape[0]);
    struct position_source source = {direction, NULL};
    if (weights->position_gain.data) {
        float *scale = arena_take(packer->arena, kernel);
        double *squares = (double *)arena_take(packer->arena, 2 * kernel);
        source.scale = scale;
        if (scale)
            measure_taps(direction, &weights->position_gain, scale, squares);
    }
    struct gemm_shape shape = {direction->shape[0], direction->shape[1] * kernel,
                               config->num_conv_pos_embedding_groups};
    return pack_product(packer, shape, position_source, &source, bias);
}

/* ---- all ------------------------------------------------------------------------------------- */

static void pack_layer(const struct packer *packer, struct w2v2_layer *layer,
                       const struct layer_tensors *tensors)
{
    const struct model_config *config = &packer->w2v2->config;
    int64_t hidden = config->hidden_size;
    layer->attention_norm =
        pack_norm(packer->arena, &tensors->attention_norm, hidden, config->layer_norm_eps);
    layer->qkv = pack_qkv(packer, tensors);
    layer->out = pack_linear(packer, &tensors->out);
    layer->final_norm =
        pack_norm(packer->arena, &tensors->final_norm, hidden, config->layer_norm_eps);
    layer->up = pack_linear(packer, &tensors->up);
    layer->down = pack_linear(packer, &tensors->down);
}

void w2v2_pack(struct w2v2 *w2v2, const struct checkpoint *checkpoint, struct arena *arena,
               struct pool *pool, float *scratch)
{
    const struct model_config *config = &w2v2->config;
    const struct weights *weights = &checkpoint->weights;
    struct packer packer = {w2v2, arena, pool, scratch};
    for (int i = 0; i < config->conv_layers; i++)
        pack_conv(&packer, &w2v2->conv[i], i, &weights->conv[i]);
    w2v2->first_weights = pack_vector(arena, &weights->conv[0].weight,
                                      (int64_t)config->conv_dim[0] * config->conv_kernel[0]);
    w2v2->projection_norm =
        pack_norm(arena, &weights->projection_norm, config->conv_dim[config->conv_layers - 1],
                  config->layer_norm_eps);
    w2v2->projection = pack_linear(&packer, &weights->projection);
    w2v2->position = pack_position(&packer, weights);
    w2v2->encoder_norm =
        pack_norm(arena, &weights->encoder_norm, config->hidden_size, config->layer_norm_eps);
    for (int i = 0; i < config->num_hidden_layers; i++)
        pack_layer(&packer, &w2v2->layers[i], &weights->layers[i]);
    w2v2->head = pack_linear(&packer, &weights->head);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t w2v2_pack_scratch(const struct model_config *config)
{
    int64_t hidden = config->hidden_size;
    int64_t most = larger(hidden, config->intermediate_size);
    most = larger(most,
                  hidden / config->num_conv_pos_embedding_groups * config->num_conv_pos_embeddings);
    int64_t channels = 1;
    for (int i = 0; i < config->conv_layers; i++) {
        most = larger(most, channels * config->conv_kernel[i]);
        channels = config->conv_dim[i];
    }
    return larger(most, channels);
}

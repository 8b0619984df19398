/* SPDX-License-Identifier: MIT */
#include "model/weight_norm.h"
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
    const struct checkpoint *checkpoint;
    enum w2v2_precision precision;
    struct arena *arena;
    struct pool *pool;
    float *scratch;
};

/* ---- products -------------------------------------------------------------------------------- */

/* Where the weights of a product come from. */
struct source {
    const struct tensor *tensors[3]; /* one below the other, [outputs, channels, taps] of each; a
                                        linear layer has no taps. NULL: no more */
    float factor;                    /* of the first tensor */
    const float *taps;               /* factors of each tap, or NULL */
};

static struct source source_of(const struct tensor *tensor)
{
    return (struct source){{tensor}, 1.0f, NULL};
}

/* One output's weights, [channels, taps], become [taps, channels]. */
static void read_output(const struct tensor *tensor, int64_t output, float *weights)
{
    int64_t channels = tensor->shape[1], taps = tensor->rank > 2 ? tensor->shape[2] : 1;
    int64_t count = channels * taps;
    if (taps == 1) {
        tensor_to_float(tensor, output * count, count, weights);
        return;
    }
    float piece[PIECE];
    int64_t tap = 0, channel = 0;
    for (int64_t from = 0; from < count; from += PIECE) {
        int64_t length = count - from < PIECE ? count - from : PIECE;
        tensor_to_float(tensor, output * count + from, length, piece);
        for (int64_t i = 0; i < length; i++) {
            weights[tap * channels + channel] = piece[i];
            if (++tap == taps) {
                tap = 0;
                channel++;
            }
        }
    }
}

/* The tensor that an output lies in; *output then counts within it. */
static const struct tensor *find_output(const struct source *source, int64_t *output)
{
    int64_t rows = source->tensors[0]->shape[0];
    const struct tensor *tensor = source->tensors[*output / rows];
    *output %= rows;
    return tensor;
}

static float factor_of(const struct source *source, const struct tensor *tensor)
{
    return tensor == source->tensors[0] ? source->factor : 1;
}

static void scale_taps(const struct source *source, float *weights)
{
    int64_t channels = source->tensors[0]->shape[1], taps = source->tensors[0]->shape[2];
    for (int64_t i = 0; i < taps; i++)
        for (int64_t j = 0; j < channels; j++)
            weights[i * channels + j] *= source->taps[i];
}

static int64_t inputs_of(const struct tensor *tensor)
{
    return tensor->shape[1] * (tensor->rank > 2 ? tensor->shape[2] : 1);
}

/* An output's weights, but for the tensor's factor; in `room` where they had to be made. */
static const float *read_floats(const struct source *source, const struct tensor *tensor,
                                int64_t output, float *room)
{
    if (tensor->dtype == DTYPE_F32 && tensor->rank == 2)
        return (const float *)tensor->data + output * inputs_of(tensor);
    read_output(tensor, output, room);
    if (source->taps)
        scale_taps(source, room);
    return room;
}

static const float *float_source(const void *context, int64_t output, float *room)
{
    const struct source *source = context;
    const struct tensor *tensor = find_output(source, &output);
    const float factor = factor_of(source, tensor);
    const float *weights = read_floats(source, tensor, output, room);
    if (factor == 1)
        return weights;
    for (int64_t i = 0; i < inputs_of(tensor); i++)
        room[i] = weights[i] * factor;
    return room;
}

/* The same of a tensor of bytes, as they are. */
static void read_bytes(const struct tensor *tensor, int64_t output, int8_t *bytes)
{
    int64_t channels = tensor->shape[1], taps = tensor->rank > 2 ? tensor->shape[2] : 1;
    const int8_t *from = (const int8_t *)tensor->data + output * channels * taps;
    if (taps == 1) {
        memcpy(bytes, from, (size_t)channels);
        return;
    }
    for (int64_t i = 0; i < taps; i++)
        for (int64_t j = 0; j < channels; j++)
            bytes[i * channels + j] = from[j * taps + i];
}

/* Where bytes come from, and what rounds floats to them. */
struct rounding {
    const struct source *source;
    const struct kernels *kernels;
};

static float byte_source(const void *context, int64_t output, int8_t *bytes, float *floats)
{
    const struct rounding *rounding = context;
    const struct source *source = rounding->source;
    const struct tensor *tensor = find_output(source, &output);
    const float factor = factor_of(source, tensor);
    if (tensor->dtype == DTYPE_I8 && !source->taps) {
        read_bytes(tensor, output, bytes);
        return tensor->steps[output] * factor;
    }
    const float *weights = read_floats(source, tensor, output, floats);
    return rounding->kernels->int8_round(weights, inputs_of(tensor), bytes) * factor;
}

/* `bias` has a value for each output, or is NULL. */
static struct w2v2_product pack_product(const struct packer *packer, struct gemm_shape shape,
                                        const struct source *source, const float *bias, bool bytes)
{
    const struct kernels *kernels = packer->w2v2->kernels;
    struct w2v2_product product = {.shape = shape, .is_int8 = bytes};
    int64_t floats =
        bytes ? int8_packed_floats(kernels, &shape) : gemm_packed_floats(kernels, &shape);
    float *memory = arena_take(packer->arena, floats);
    if (memory && bytes)
        product.int8 = int8_pack(kernels, &shape, byte_source, &(struct rounding){source, kernels},
                                 bias, memory, packer->scratch, packer->pool);
    else if (memory)
        product.floats = gemm_pack(kernels, &shape, float_source, source, bias, memory,
                                   packer->scratch, packer->pool);
    return product;
}

/* In bytes when that is asked for, or when the checkpoint has them in bytes and nothing is. */
static bool in_bytes(const struct packer *packer, const struct tensor *weight, int64_t inputs)
{
    if (inputs > INT8_INPUTS_MAX || packer->precision == W2V2_PRECISION_FLOAT32)
        return false;
    return packer->precision == W2V2_PRECISION_INT8 || weight->dtype == DTYPE_I8;
}

static struct w2v2_product pack_linear(const struct packer *packer, const struct tensor_pair *pair)
{
    const struct tensor *weight = &pair->weight;
    struct gemm_shape shape = {weight->shape[0], weight->shape[1], 1};
    struct source source = source_of(weight);
    const float *bias = pack_vector(packer->arena, &pair->bias, shape.outputs);
    return pack_product(packer, shape, &source, bias, in_bytes(packer, weight, shape.inputs));
}

static struct w2v2_product pack_qkv(const struct packer *packer, const struct layer_tensors *layer)
{
    const struct model_config *config = &packer->w2v2->config;
    int64_t hidden = config->hidden_size;
    float scale = 1.0f / sqrtf((float)(hidden / config->num_attention_heads));
    struct source source = {
        {&layer->query.weight, &layer->key.weight, &layer->value.weight}, scale, NULL};
    float *bias = arena_take(packer->arena, 3 * hidden);
    if (bias) {
        tensor_to_float(&layer->query.bias, 0, hidden, bias);
        tensor_to_float(&layer->key.bias, 0, hidden, bias + hidden);
        tensor_to_float(&layer->value.bias, 0, hidden, bias + 2 * hidden);
        for (int64_t i = 0; i < hidden; i++)
            bias[i] *= scale;
    }
    return pack_product(packer, (struct gemm_shape){3 * hidden, hidden, 1}, &source, bias,
                        in_bytes(packer, &layer->query.weight, hidden));
}

/* Layer 0 has so few inputs that bytes would save nothing, and its norm becomes part of it. */
static void pack_conv(const struct packer *packer, struct w2v2_conv *conv, int layer,
                      const struct conv_tensors *tensors)
{
    const struct model_config *config = &packer->w2v2->config;
    const struct tensor *weight = &tensors->weight;
    struct gemm_shape shape = {weight->shape[0], weight->shape[1] * weight->shape[2], 1};
    struct source source = source_of(weight);
    const float *bias = pack_vector(packer->arena, &tensors->bias, shape.outputs);
    conv->product = pack_product(packer, shape, &source, bias,
                                 layer > 0 && in_bytes(packer, weight, shape.inputs));
    if (layer == 0 || config->feat_extract_norm == EXTRACTOR_NORM_LAYER)
        conv->norm = pack_norm(packer->arena, &tensors->norm, shape.outputs, 1e-5f);
    conv->norm.activation = config->feat_extract_activation;
}

/* ---- the positional convolution -------------------------------------------------------------- */

static struct w2v2_product pack_position(const struct packer *packer, const struct weights *weights)
{
    const struct model_config *config = &packer->w2v2->config;
    const struct tensor *direction = &weights->position_direction;
    int64_t kernel = direction->shape[2];
    const float *bias = pack_vector(packer->arena, &weights->position_bias, direction->shape[0]);
    struct source source = source_of(direction);
    if (weights->position_gain.data) {
        float *scale = arena_take(packer->arena, kernel);
        double *squares = (double *)arena_take(packer->arena, 2 * kernel);
        source.taps = scale;
        if (scale)
            weight_norm_measure(direction, &weights->position_gain, scale, squares);
    }
    struct gemm_shape shape = {direction->shape[0], direction->shape[1] * kernel,
                               config->num_conv_pos_embedding_groups};
    return pack_product(packer, shape, &source, bias, in_bytes(packer, direction, shape.inputs));
}

/* ---- all ------------------------------------------------------------------------------------- */

/* The logits are small and all depends on them: never in bytes. */
static struct w2v2_product pack_head(const struct packer *packer, const struct tensor_pair *head)
{
    struct packer exact = *packer;
    exact.precision = W2V2_PRECISION_FLOAT32;
    return pack_linear(&exact, head);
}

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

/* What is packed need not be in memory as it was: no more than a layer is there twice. */
static void release_source(const struct packer *packer)
{
    if (packer->arena->memory)
        checkpoint_release_pages(packer->checkpoint);
}

void w2v2_pack(struct w2v2 *w2v2, const struct checkpoint *checkpoint,
               enum w2v2_precision precision, struct arena *arena, struct pool *pool,
               float *scratch)
{
    const struct model_config *config = &w2v2->config;
    const struct weights *weights = &checkpoint->weights;
    struct packer packer = {w2v2, checkpoint, precision, arena, pool, scratch};
    for (int i = 0; i < config->conv_layers; i++)
        pack_conv(&packer, &w2v2->conv[i], i, &weights->conv[i]);
    w2v2->first_weights = pack_vector(arena, &weights->conv[0].weight,
                                      (int64_t)config->conv_dim[0] * config->conv_kernel[0]);
    w2v2->projection_norm =
        pack_norm(arena, &weights->projection_norm, config->conv_dim[config->conv_layers - 1],
                  config->layer_norm_eps);
    w2v2->projection = pack_linear(&packer, &weights->projection);
    w2v2->position = pack_position(&packer, weights);
    release_source(&packer);
    w2v2->encoder_norm =
        pack_norm(arena, &weights->encoder_norm, config->hidden_size, config->layer_norm_eps);
    for (int i = 0; i < config->num_hidden_layers; i++) {
        pack_layer(&packer, &w2v2->layers[i], &weights->layers[i]);
        release_source(&packer);
    }
    w2v2->head = pack_head(&packer, &weights->head);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t w2v2_pack_scratch(const struct kernels *kernels, const struct model_config *config)
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
    most = larger(most, channels);
    return larger(gemm_pack_floats(most), int8_pack_floats(kernels, most));
}

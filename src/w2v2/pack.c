/* SPDX-License-Identifier: MIT */
#include "model/weight_norm.h"
#include "w2v2/parts.h"

#include <math.h>

enum { DEFERRED_PASSES = 4 /* after the first one; each packs its share of the layers */ };

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
    int deferred_uses; /* for which products in floats are not packed; 0: they are at once */
};

/* ---- products -------------------------------------------------------------------------------- */

static struct w2v2_product defer_product(const struct packer *packer, struct gemm_shape shape,
                                         const struct w2v2_source *source, const float *bias,
                                         float *memory)
{
    struct gemm_weights weights = {packer->w2v2->kernels, shape, memory, bias};
    return (struct w2v2_product){
        .shape = shape,
        .deferred = w2v2_deferral_add(packer->w2v2->deferral, &weights, memory, source,
                                      packer->deferred_uses),
    };
}

/* `bias` has a value for each output, or is NULL. */
static struct w2v2_product pack_product(const struct packer *packer, struct gemm_shape shape,
                                        const struct w2v2_source *source, const float *bias,
                                        bool bytes)
{
    const struct kernels *kernels = packer->w2v2->kernels;
    struct w2v2_product product = {.shape = shape, .is_int8 = bytes};
    int64_t floats =
        bytes ? int8_packed_floats(kernels, &shape) : gemm_packed_floats(kernels, &shape);
    float *memory = arena_take(packer->arena, floats);
    if (memory && bytes)
        product.int8 =
            int8_pack(kernels, &shape, w2v2_source_bytes, &(struct w2v2_rounding){source, kernels},
                      bias, memory, packer->scratch, packer->pool);
    else if (memory && packer->deferred_uses > 0)
        product = defer_product(packer, shape, source, bias, memory);
    else if (memory)
        product.floats = gemm_pack(kernels, &shape, w2v2_source_floats, source, bias, memory,
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
    struct w2v2_source source = w2v2_source_of(weight);
    const float *bias = pack_vector(packer->arena, &pair->bias, shape.outputs);
    return pack_product(packer, shape, &source, bias, in_bytes(packer, weight, shape.inputs));
}

static struct w2v2_product pack_qkv(const struct packer *packer, const struct layer_tensors *layer)
{
    const struct model_config *config = &packer->w2v2->config;
    int64_t hidden = config->hidden_size;
    float scale = 1.0f / sqrtf((float)(hidden / config->num_attention_heads));
    struct w2v2_source source = {
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
    struct w2v2_source source = w2v2_source_of(weight);
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
    struct w2v2_source source = w2v2_source_of(direction);
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

/* The layers' weights are nearly all that there is. */
static void pack_layer(const struct packer *whole, int number, const struct layer_tensors *tensors)
{
    struct packer copy = *whole, *packer = &copy;
    struct w2v2_layer *layer = &packer->w2v2->layers[number];
    const struct model_config *config = &packer->w2v2->config;
    packer->deferred_uses = 1 + number % DEFERRED_PASSES;
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
    struct packer packer = {w2v2, checkpoint, precision, arena, pool, scratch, 0};
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
        pack_layer(&packer, i, &weights->layers[i]);
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
    return larger(gemm_unpacked_floats(kernels, most), int8_pack_floats(kernels, most));
}

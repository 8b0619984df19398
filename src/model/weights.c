/* SPDX-License-Identifier: MIT */
#include "model/weights.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAME_BYTES = 160 };

/* After the first failure every bind does nothing, so one check at the end will do. */
struct binder {
    const struct model_config *config;
    struct shards *shards;
    const char *prefix; /* "wav2vec2.", "hubert." or "" */
    int64_t parameters;
    enum utter_code code;
    struct utter_error *error;
};

struct name {
    char text[NAME_BYTES];
};

/* "encoder.layers.", 3, ".attention.q_proj" behind the prefix; no number where it is negative. */
static struct name name_of(const struct binder *binder, const char *head, int number,
                           const char *tail)
{
    struct name name;
    if (number < 0)
        snprintf(name.text, sizeof name.text, "%s%s%s", binder->prefix, head, tail);
    else
        snprintf(name.text, sizeof name.text, "%s%s%d%s", binder->prefix, head, number, tail);
    return name;
}

static bool have(const struct binder *binder, const char *base, const char *suffix)
{
    char name[NAME_BYTES + 40];
    snprintf(name, sizeof name, "%s%s", base, suffix);
    return shards_have(binder->shards, name);
}

/* Binds base + suffix with the shape [a, b, c], or fewer dimensions where c or b is 0. */
static void bind(struct binder *binder, struct tensor *tensor, const char *base, const char *suffix,
                 int64_t a, int64_t b, int64_t c)
{
    char name[NAME_BYTES + 40];
    const int64_t shape[] = {a, b, c};
    const int rank = b == 0 ? 1 : c == 0 ? 2 : 3;
    if (binder->code != UTTER_OK)
        return;
    snprintf(name, sizeof name, "%s%s", base, suffix);
    binder->code = shards_tensor(binder->shards, name, rank, shape, tensor, binder->error);
    if (binder->code != UTTER_OK)
        return;
    int64_t elements = 1;
    for (int i = 0; i < rank; i++)
        elements *= shape[i];
    binder->parameters += elements;
}

static void bind_norm(struct binder *binder, struct tensor_pair *pair, struct name base,
                      int64_t size)
{
    bind(binder, &pair->weight, base.text, ".weight", size, 0, 0);
    bind(binder, &pair->bias, base.text, ".bias", size, 0, 0);
}

static void bind_linear(struct binder *binder, struct tensor_pair *pair, struct name base,
                        int64_t out, int64_t in)
{
    bind(binder, &pair->weight, base.text, ".weight", out, in, 0);
    bind(binder, &pair->bias, base.text, ".bias", out, 0, 0);
}

static void bind_extractor(struct binder *binder, struct weights *weights)
{
    const struct model_config *config = binder->config;
    for (int i = 0; i < config->conv_layers; i++) {
        struct conv_tensors *conv = &weights->conv[i];
        const struct name base = name_of(binder, "feature_extractor.conv_layers.", i, ".conv");
        bind(binder, &conv->weight, base.text, ".weight", config->conv_dim[i],
             i == 0 ? 1 : config->conv_dim[i - 1], config->conv_kernel[i]);
        if (config->conv_bias)
            bind(binder, &conv->bias, base.text, ".bias", config->conv_dim[i], 0, 0);
        if (i == 0 || config->feat_extract_norm == EXTRACTOR_NORM_LAYER)
            bind_norm(binder, &conv->norm,
                      name_of(binder, "feature_extractor.conv_layers.", i, ".layer_norm"),
                      config->conv_dim[i]);
    }
}

static void bind_projection(struct binder *binder, struct weights *weights)
{
    const struct model_config *config = binder->config;
    const int channels = config->conv_dim[config->conv_layers - 1];
    if (config->feat_proj_layer_norm)
        bind_norm(binder, &weights->projection_norm,
                  name_of(binder, "feature_projection.layer_norm", -1, ""), channels);
    bind_linear(binder, &weights->projection,
                name_of(binder, "feature_projection.projection", -1, ""), config->hidden_size,
                channels);
}

/* Weight norm under PyTorch's old names or its new ones, or already multiplied out. */
static void bind_position(struct binder *binder, struct weights *weights)
{
    const struct model_config *config = binder->config;
    const int64_t hidden = config->hidden_size, kernel = config->num_conv_pos_embeddings;
    const int64_t in = hidden / config->num_conv_pos_embedding_groups;
    const struct name base = name_of(binder, "encoder.pos_conv_embed.conv", -1, "");
    const char *direction = ".parametrizations.weight.original1";
    const char *gain = ".parametrizations.weight.original0";
    if (have(binder, base.text, ".weight_v")) {
        direction = ".weight_v";
        gain = ".weight_g";
    } else if (!have(binder, base.text, direction) && have(binder, base.text, ".weight")) {
        direction = ".weight";
        gain = NULL;
    }
    bind(binder, &weights->position_direction, base.text, direction, hidden, in, kernel);
    if (gain)
        bind(binder, &weights->position_gain, base.text, gain, 1, 1, kernel);
    bind(binder, &weights->position_bias, base.text, ".bias", hidden, 0, 0);
}

static void bind_layer(struct binder *binder, struct layer_tensors *layer, int i)
{
    static const char head[] = "encoder.layers.";
    const int hidden = binder->config->hidden_size, inner = binder->config->intermediate_size;
    bind_linear(binder, &layer->query, name_of(binder, head, i, ".attention.q_proj"), hidden,
                hidden);
    bind_linear(binder, &layer->key, name_of(binder, head, i, ".attention.k_proj"), hidden, hidden);
    bind_linear(binder, &layer->value, name_of(binder, head, i, ".attention.v_proj"), hidden,
                hidden);
    bind_linear(binder, &layer->out, name_of(binder, head, i, ".attention.out_proj"), hidden,
                hidden);
    bind_norm(binder, &layer->attention_norm, name_of(binder, head, i, ".layer_norm"), hidden);
    bind_linear(binder, &layer->up, name_of(binder, head, i, ".feed_forward.intermediate_dense"),
                inner, hidden);
    bind_linear(binder, &layer->down, name_of(binder, head, i, ".feed_forward.output_dense"),
                hidden, inner);
    bind_norm(binder, &layer->final_norm, name_of(binder, head, i, ".final_layer_norm"), hidden);
}

static void bind_head(struct binder *binder, struct weights *weights)
{
    const struct name base = {"lm_head"};
    if (binder->code == UTTER_OK && !have(binder, base.text, ".weight"))
        binder->code = error_set(binder->error, UTTER_ERROR_FORMAT,
                                 "%s: tensor lm_head.weight is missing: the checkpoint has no CTC "
                                 "head (was it pretrained only, and not fine-tuned to recognise?)",
                                 error_path(shards_name(binder->shards)));
    bind_linear(binder, &weights->head, base, binder->config->vocab_size,
                binder->config->hidden_size);
}

/* As ForCTC models are saved, or the bare encoder with a head beside it. */
static const char *find_prefix(const struct shards *shards)
{
    static const char *const prefixes[] = {"wav2vec2.", "hubert.", ""};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        char name[NAME_BYTES];
        snprintf(name, sizeof name, "%sencoder.layer_norm.weight", prefixes[i]);
        if (shards_have(shards, name))
            return prefixes[i];
    }
    return prefixes[0];
}

enum utter_code weights_bind(struct weights *weights, const struct model_config *config,
                             struct shards *shards, int64_t *parameter_count,
                             struct utter_error *error)
{
    struct binder binder = {config, shards, find_prefix(shards), 0, UTTER_OK, error};
    weights->layers = calloc((size_t)config->num_hidden_layers, sizeof *weights->layers);
    if (!weights->layers)
        return error_memory(error, "the model's layers");
    bind_extractor(&binder, weights);
    bind_projection(&binder, weights);
    bind_position(&binder, weights);
    bind_norm(&binder, &weights->encoder_norm, name_of(&binder, "encoder.layer_norm", -1, ""),
              config->hidden_size);
    for (int i = 0; i < config->num_hidden_layers; i++)
        bind_layer(&binder, &weights->layers[i], i);
    bind_head(&binder, weights);
    *parameter_count = binder.parameters;
    return binder.code;
}

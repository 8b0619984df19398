/* SPDX-License-Identifier: MIT */
#include "model/weights.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 160 };
static const char POSITION[] = "encoder.pos_conv_embed.conv";
static const float STEP_MAX = 1e30f; /* times 127 it is still a number */

struct name {
    char text[NAME_BYTES];
};

/* After the first failure every visit does nothing, so one check at the end will do. */
struct walk {
    const struct model_config *config;
    const struct weights_names *names;
    weights_visitor *visit;
    void *context;
    enum utter_code code;
};

/* "encoder.layers.", 3, ".attention.q_proj" behind the prefix; no number where it is negative. */
static struct name name_of(const struct walk *walk, const char *head, int number, const char *tail)
{
    struct name name;
    if (number < 0)
        snprintf(name.text, sizeof name.text, "%s%s%s", walk->names->prefix, head, tail);
    else
        snprintf(name.text, sizeof name.text, "%s%s%d%s", walk->names->prefix, head, number, tail);
    return name;
}

/* Visits base + suffix with the shape [a, b, c], or fewer dimensions where c or b is 0. */
static void visit(struct walk *walk, struct tensor *tensor, const char *base, const char *suffix,
                  int64_t a, int64_t b, int64_t c)
{
    char name[NAME_BYTES + 40];
    const int64_t shape[] = {a, b, c};
    const int rank = b == 0 ? 1 : c == 0 ? 2 : 3;
    if (walk->code != UTTER_OK)
        return;
    snprintf(name, sizeof name, "%s%s", base, suffix);
    walk->code = walk->visit(walk->context, name, tensor, rank, shape);
}

static void visit_norm(struct walk *walk, struct tensor_pair *pair, struct name base, int64_t size)
{
    visit(walk, &pair->weight, base.text, ".weight", size, 0, 0);
    visit(walk, &pair->bias, base.text, ".bias", size, 0, 0);
}

static void visit_linear(struct walk *walk, struct tensor_pair *pair, struct name base, int64_t out,
                         int64_t in)
{
    visit(walk, &pair->weight, base.text, ".weight", out, in, 0);
    visit(walk, &pair->bias, base.text, ".bias", out, 0, 0);
}

static void visit_extractor(struct walk *walk, struct weights *weights)
{
    const struct model_config *config = walk->config;
    for (int i = 0; i < config->conv_layers; i++) {
        struct conv_tensors *conv = &weights->conv[i];
        const struct name base = name_of(walk, "feature_extractor.conv_layers.", i, ".conv");
        visit(walk, &conv->weight, base.text, ".weight", config->conv_dim[i],
              i == 0 ? 1 : config->conv_dim[i - 1], config->conv_kernel[i]);
        if (config->conv_bias)
            visit(walk, &conv->bias, base.text, ".bias", config->conv_dim[i], 0, 0);
        if (i == 0 || config->feat_extract_norm == EXTRACTOR_NORM_LAYER)
            visit_norm(walk, &conv->norm,
                       name_of(walk, "feature_extractor.conv_layers.", i, ".layer_norm"),
                       config->conv_dim[i]);
    }
}

static void visit_projection(struct walk *walk, struct weights *weights)
{
    const struct model_config *config = walk->config;
    const int channels = config->conv_dim[config->conv_layers - 1];
    if (config->feat_proj_layer_norm)
        visit_norm(walk, &weights->projection_norm,
                   name_of(walk, "feature_projection.layer_norm", -1, ""), channels);
    visit_linear(walk, &weights->projection, name_of(walk, "feature_projection.projection", -1, ""),
                 config->hidden_size, channels);
}

static void visit_position(struct walk *walk, struct weights *weights)
{
    const struct model_config *config = walk->config;
    const struct weights_names *names = walk->names;
    const int64_t hidden = config->hidden_size, kernel = config->num_conv_pos_embeddings;
    const int64_t in = hidden / config->num_conv_pos_embedding_groups;
    const struct name base = name_of(walk, POSITION, -1, "");
    visit(walk, &weights->position_direction, base.text, names->position_direction, hidden, in,
          kernel);
    if (names->position_gain)
        visit(walk, &weights->position_gain, base.text, names->position_gain, 1, 1, kernel);
    visit(walk, &weights->position_bias, base.text, ".bias", hidden, 0, 0);
}

static void visit_layer(struct walk *walk, struct layer_tensors *layer, int i)
{
    static const char head[] = "encoder.layers.";
    const int hidden = walk->config->hidden_size, inner = walk->config->intermediate_size;
    visit_linear(walk, &layer->query, name_of(walk, head, i, ".attention.q_proj"), hidden, hidden);
    visit_linear(walk, &layer->key, name_of(walk, head, i, ".attention.k_proj"), hidden, hidden);
    visit_linear(walk, &layer->value, name_of(walk, head, i, ".attention.v_proj"), hidden, hidden);
    visit_linear(walk, &layer->out, name_of(walk, head, i, ".attention.out_proj"), hidden, hidden);
    visit_norm(walk, &layer->attention_norm, name_of(walk, head, i, ".layer_norm"), hidden);
    visit_linear(walk, &layer->up, name_of(walk, head, i, ".feed_forward.intermediate_dense"),
                 inner, hidden);
    visit_linear(walk, &layer->down, name_of(walk, head, i, ".feed_forward.output_dense"), hidden,
                 inner);
    visit_norm(walk, &layer->final_norm, name_of(walk, head, i, ".final_layer_norm"), hidden);
}

enum utter_code weights_walk(struct weights *weights, const struct model_config *config,
                             const struct weights_names *names, weights_visitor *visitor,
                             void *context)
{
    struct walk walk = {config, names, visitor, context, UTTER_OK};
    visit_extractor(&walk, weights);
    visit_projection(&walk, weights);
    visit_position(&walk, weights);
    visit_norm(&walk, &weights->encoder_norm, name_of(&walk, "encoder.layer_norm", -1, ""),
               config->hidden_size);
    for (int i = 0; i < config->num_hidden_layers; i++)
        visit_layer(&walk, &weights->layers[i], i);
    visit_linear(&walk, &weights->head, (struct name){"lm_head"}, config->vocab_size,
                 config->hidden_size);
    return walk.code;
}

/* ---- binding --------------------------------------------------------------------------------- */

struct binder {
    struct shards *shards;
    int64_t parameters;
    struct utter_error *error;
};

/* Bytes have a step for each output, [outputs], beside them: <name>_scale. */
static enum utter_code bind_steps(const struct binder *binder, struct tensor *tensor,
                                  const char *weight)
{
    char name[NAME_BYTES + 60];
    struct tensor steps = {0};
    snprintf(name, sizeof name, "%s" WEIGHTS_STEPS, weight);
    enum utter_code code =
        shards_tensor(binder->shards, name, 1, tensor->shape, &steps, binder->error);
    if (code != UTTER_OK)
        return code;
    const char *path = error_path(shards_name(binder->shards));
    if (steps.dtype != DTYPE_F32)
        return error_set(binder->error, UTTER_ERROR_FORMAT, "%s: tensor %s must have dtype F32",
                         path, name);
    tensor->steps = steps.data;
    for (int64_t i = 0; i < tensor->shape[0]; i++)
        if (!(tensor->steps[i] >= 0 && tensor->steps[i] <= STEP_MAX))
            return error_set(binder->error, UTTER_ERROR_FORMAT,
                             "%s: tensor %s: value %" PRId64 ", %g, is not a number from 0 to %g",
                             path, name, i, (double)tensor->steps[i], (double)STEP_MAX);
    return UTTER_OK;
}

static enum utter_code bind(void *context, const char *name, struct tensor *tensor, int rank,
                            const int64_t *shape)
{
    struct binder *binder = context;
    if (strcmp(name, "lm_head.weight") == 0 && !shards_have(binder->shards, name))
        return error_set(
            binder->error, UTTER_ERROR_FORMAT,
            "%s: tensor lm_head.weight is missing: the checkpoint has no CTC head (was "
            "it pretrained only, and not fine-tuned to recognise?)",
            error_path(shards_name(binder->shards)));
    enum utter_code code = shards_tensor(binder->shards, name, rank, shape, tensor, binder->error);
    if (code != UTTER_OK)
        return code;
    int64_t elements = 1;
    for (int i = 0; i < rank; i++)
        elements *= shape[i];
    binder->parameters += elements;
    return tensor->dtype == DTYPE_I8 ? bind_steps(binder, tensor, name) : UTTER_OK;
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

/* Weight norm under PyTorch's old names or its new ones, or already multiplied out. */
static void find_position(const struct shards *shards, struct weights_names *names)
{
    static const struct {
        const char *direction, *gain;
    } pairs[] = {{".weight_v", ".weight_g"},
                 {".parametrizations.weight.original1", ".parametrizations.weight.original0"},
                 {".weight", NULL}};
    names->position_direction = pairs[1].direction;
    names->position_gain = pairs[1].gain;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char name[NAME_BYTES + 40];
        snprintf(name, sizeof name, "%s%s%s", names->prefix, POSITION, pairs[i].direction);
        if (!shards_have(shards, name))
            continue;
        names->position_direction = pairs[i].direction;
        names->position_gain = pairs[i].gain;
        return;
    }
}

enum utter_code weights_bind(struct weights *weights, const struct model_config *config,
                             struct shards *shards, int64_t *parameter_count,
                             struct utter_error *error)
{
    struct binder binder = {shards, 0, error};
    struct weights_names names = {.prefix = find_prefix(shards)};
    find_position(shards, &names);
    weights->layers = calloc((size_t)config->num_hidden_layers, sizeof *weights->layers);
    if (!weights->layers)
        return error_memory(error, "the model's layers");
    enum utter_code code = weights_walk(weights, config, &names, bind, &binder);
    *parameter_count = binder.parameters;
    return code;
}

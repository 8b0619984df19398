/* SPDX-License-Identifier: MIT */
#include "model/config.h"

#include "base/error.h"
#include "model/config_json.h"

#include <stdio.h>
#include <string.h>

/* Far beyond every real model, and small enough that no product of a few of them overflows. */
enum {
    DIMENSION_MAX = 65536,
    LAYERS_MAX = 256,
    FRAME_SAMPLES_MAX = 65536,
    RECEPTIVE_FIELD_MAX = 1 << 20,
    RATE_MIN = 1000,
    RATE_MAX = 384000,
};

static const struct {
    const char *name;
    enum activation activation;
} activations[] = {
    {"gelu", ACTIVATION_GELU},
    {"gelu_python", ACTIVATION_GELU},
    {"gelu_new", ACTIVATION_GELU_TANH},
    {"gelu_fast", ACTIVATION_GELU_TANH},
    {"gelu_accurate", ACTIVATION_GELU_TANH},
    {"gelu_pytorch_tanh", ACTIVATION_GELU_TANH},
    {"gelu_python_tanh", ACTIVATION_GELU_TANH},
    {"gelu_10", ACTIVATION_GELU_CLIPPED},
    {"quick_gelu", ACTIVATION_QUICK_GELU},
    {"relu", ACTIVATION_RELU},
    {"relu6", ACTIVATION_RELU6},
    {"relu2", ACTIVATION_RELU_SQUARED},
    {"leaky_relu", ACTIVATION_LEAKY_RELU},
    {"silu", ACTIVATION_SILU},
    {"swish", ACTIVATION_SILU},
    {"mish", ACTIVATION_MISH},
    {"hardswish", ACTIVATION_HARDSWISH},
    {"laplace", ACTIVATION_LAPLACE},
    {"sqrtsoftplus", ACTIVATION_SQRT_SOFTPLUS},
    {"tanh", ACTIVATION_TANH},
    {"sigmoid", ACTIVATION_SIGMOID},
    {"linear", ACTIVATION_LINEAR},
};

static void refuse(struct json_fields *fields, const char *key, const char *cause)
{
    if (fields->code == UTTER_OK)
        fields->code = error_set(fields->error, UTTER_ERROR_FORMAT, "%s: %s %s",
                                 error_path(fields->path), key, cause);
}

static enum activation read_activation(struct json_fields *fields, const char *key)
{
    const char *name = json_fields_string(fields, key, "gelu");
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++)
        if (strcmp(name, activations[i].name) == 0)
            return activations[i].activation;
    if (fields->code == UTTER_OK)
        fields->code =
            error_set(fields->error, UTTER_ERROR_UNSUPPORTED,
                      "%s: %s \"%s\" is no activation that utter knows (gelu, relu, silu, ...)",
                      error_path(fields->path), key, name);
    return ACTIVATION_GELU;
}

/* Reads `key` into values[] and returns its length; `fallback` has `fallback_length` entries. */
static int read_list(struct json_fields *fields, const char *key, int values[],
                     const int fallback[], int fallback_length)
{
    const json_t *list = json_object_get(fields->object, key);
    if (!list || json_is_null(list)) {
        memcpy(values, fallback, (size_t)fallback_length * sizeof *values);
        return fallback_length;
    }
    size_t length = json_array_size(list);
    if (!json_is_array(list) || length < 1 || length > CONFIG_CONV_LAYERS_MAX) {
        refuse(fields, key, "must be a list of 1 to 16 numbers");
        return 0;
    }
    for (size_t i = 0; i < length; i++)
        if (!json_is_whole(json_array_get(list, i), 1, DIMENSION_MAX, &values[i])) {
            refuse(fields, key, "holds something other than whole numbers of 1 to 65536");
            return 0;
        }
    return (int)length;
}

static void read_extractor(struct model_config *config, struct json_fields *fields)
{
    static const int dims[] = {512, 512, 512, 512, 512, 512, 512};
    static const int kernels[] = {10, 3, 3, 3, 3, 2, 2};
    static const int strides[] = {5, 2, 2, 2, 2, 2, 2};
    config->conv_layers = read_list(fields, "conv_dim", config->conv_dim, dims, 7);
    if (read_list(fields, "conv_kernel", config->conv_kernel, kernels, 7) != config->conv_layers)
        refuse(fields, "conv_kernel", "and conv_dim differ in length");
    if (read_list(fields, "conv_stride", config->conv_stride, strides, 7) != config->conv_layers)
        refuse(fields, "conv_stride", "and conv_dim differ in length");
    config->conv_bias = json_fields_bool(fields, "conv_bias", false);
    const char *norm = json_fields_string(fields, "feat_extract_norm", "group");
    config->feat_extract_norm =
        strcmp(norm, "layer") == 0 ? EXTRACTOR_NORM_LAYER : EXTRACTOR_NORM_GROUP;
    if (strcmp(norm, "layer") != 0 && strcmp(norm, "group") != 0)
        refuse(fields, "feat_extract_norm", "must be \"group\" or \"layer\"");
    config->feat_extract_activation = read_activation(fields, "feat_extract_activation");
}

static void read_encoder(struct model_config *config, struct json_fields *fields)
{
    config->hidden_size = json_fields_int(fields, "hidden_size", 768, 1, DIMENSION_MAX);
    config->num_hidden_layers = json_fields_int(fields, "num_hidden_layers", 12, 1, LAYERS_MAX);
    config->num_attention_heads =
        json_fields_int(fields, "num_attention_heads", 12, 1, DIMENSION_MAX);
    config->intermediate_size =
        json_fields_int(fields, "intermediate_size", 3072, 1, DIMENSION_MAX);
    config->hidden_act = read_activation(fields, "hidden_act");
    config->do_stable_layer_norm = json_fields_bool(fields, "do_stable_layer_norm", false);
    config->layer_norm_eps = (float)json_fields_real(fields, "layer_norm_eps", 1e-5, 1e-20, 1);
    config->num_conv_pos_embeddings =
        json_fields_int(fields, "num_conv_pos_embeddings", 128, 1, DIMENSION_MAX);
    config->num_conv_pos_embedding_groups =
        json_fields_int(fields, "num_conv_pos_embedding_groups", 16, 1, DIMENSION_MAX);
    config->vocab_size = json_fields_int(fields, "vocab_size", 32, 1, DIMENSION_MAX);
    config->pad_token_id = json_fields_int(fields, "pad_token_id", -1, -1, DIMENSION_MAX);
    if (config->hidden_size % config->num_attention_heads != 0)
        refuse(fields, "hidden_size", "is not a multiple of num_attention_heads");
    if (config->hidden_size % config->num_conv_pos_embedding_groups != 0)
        refuse(fields, "hidden_size", "is not a multiple of num_conv_pos_embedding_groups");
}

/* What would change the computation and is not done here is refused by its name. */
static void refuse_unsupported(const struct model_config *config, struct json_fields *fields)
{
    const char *key = NULL;
    const json_t *adapter = json_object_get(fields->object, "adapter_attn_dim");
    if (json_fields_bool(fields, "add_adapter", false))
        key = "add_adapter";
    if (adapter && !json_is_null(adapter))
        key = "adapter_attn_dim (language adapters, as in MMS)";
    if (strcmp(config->model_type, "hubert") == 0 &&
        json_fields_bool(fields, "conv_pos_batch_norm", false))
        key = "conv_pos_batch_norm";
    if (key && fields->code == UTTER_OK)
        fields->code =
            error_set(fields->error, UTTER_ERROR_UNSUPPORTED,
                      "%s: %s is set, which utter does not support", error_path(fields->path), key);
}

static void read_model_type(struct model_config *config, struct json_fields *fields)
{
    const char *type = json_fields_string(fields, "model_type", NULL);
    if (fields->code != UTTER_OK)
        return;
    if (!type) {
        refuse(fields, "model_type", "is missing: not the config.json of a model");
    } else if (strcmp(type, "wav2vec2") != 0 && strcmp(type, "hubert") != 0) {
        fields->code = error_set(fields->error, UTTER_ERROR_UNSUPPORTED,
                                 "%s: model_type \"%s\" is not supported; utter runs wav2vec2 and "
                                 "hubert models with a CTC head",
                                 error_path(fields->path), type);
    } else {
        snprintf(config->model_type, sizeof config->model_type, "%s", type);
    }
}

static void derive(struct model_config *config, struct json_fields *fields)
{
    int64_t step = 1, field = 1;
    for (int i = 0; i < config->conv_layers; i++) {
        field += (config->conv_kernel[i] - 1) * step;
        step *= config->conv_stride[i];
        if (step > FRAME_SAMPLES_MAX || field > RECEPTIVE_FIELD_MAX) {
            refuse(fields, "conv_stride and conv_kernel", "make frames absurdly long");
            return;
        }
    }
    config->frame_samples = (int)step;
    config->receptive_field = (int)field;
}

enum utter_code config_parse_model(struct model_config *config, const json_t *json,
                                   const char *path, struct utter_error *error)
{
    struct json_fields fields = {json, path, UTTER_OK, error};
    read_model_type(config, &fields);
    if (fields.code != UTTER_OK)
        return fields.code;
    refuse_unsupported(config, &fields);
    read_extractor(config, &fields);
    read_encoder(config, &fields);
    config->feat_proj_layer_norm = true;
    if (strcmp(config->model_type, "hubert") == 0)
        config->feat_proj_layer_norm = json_fields_bool(&fields, "feat_proj_layer_norm", true);
    derive(config, &fields);
    return fields.code;
}

enum utter_code config_parse_preprocessor(struct model_config *config, const json_t *json,
                                          const char *path, struct utter_error *error)
{
    static const char extractor[] = "Wav2Vec2FeatureExtractor";
    struct json_fields fields = {json, path, UTTER_OK, error};
    if (json && !json_is_object(json))
        refuse(&fields, "feature_extractor", "is not an object");
    const char *type = json_fields_string(&fields, "feature_extractor_type", extractor);
    if (strcmp(type, extractor) != 0)
        refuse(&fields, "feature_extractor_type", "must be \"Wav2Vec2FeatureExtractor\"");
    json_fields_int(&fields, "feature_size", 1, 1, 1);
    config->sampling_rate = json_fields_int(&fields, "sampling_rate", 16000, RATE_MIN, RATE_MAX);
    config->do_normalize = json_fields_bool(&fields, "do_normalize", true);
    return fields.code;
}

/* Newer checkpoints keep the extractor's settings inside processor_config.json, which then wins. */
static enum utter_code read_preprocessor(struct model_config *config, const char *directory,
                                         struct utter_error *error)
{
    struct json_file file;
    enum utter_code code =
        json_file_read_optional(&file, directory, "processor_config.json", error);
    const json_t *extractor = json_object_get(file.json, "feature_extractor");
    if (code == UTTER_OK && (!extractor || json_is_null(extractor))) {
        json_file_close(&file);
        code = json_file_read_optional(&file, directory, "preprocessor_config.json", error);
        extractor = file.json;
    }
    if (code == UTTER_OK)
        code = config_parse_preprocessor(config, extractor, file.path.text, error);
    json_file_close(&file);
    return code;
}

enum utter_code config_read(struct model_config *config, const char *directory,
                            struct utter_error *error)
{
    struct json_file file;
    *config = (struct model_config){0};
    enum utter_code code = json_file_read(&file, directory, "config.json", error);
    if (code == UTTER_OK)
        code = config_parse_model(config, file.json, file.path.text, error);
    json_file_close(&file);
    return code == UTTER_OK ? read_preprocessor(config, directory, error) : code;
}

int64_t config_frames(const struct model_config *config, int64_t samples)
{
    int64_t frames = samples;
    for (int i = 0; i < config->conv_layers; i++) {
        if (frames < config->conv_kernel[i])
            return 0;
        frames = (frames - config->conv_kernel[i]) / config->conv_stride[i] + 1;
    }
    return frames;
}

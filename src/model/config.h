/* SPDX-License-Identifier: MIT */
/**
 * config.json and preprocessor_config.json, read and checked. Immutable after opening; any thread.
 * Field names are those of Hugging Face's Wav2Vec2Config.
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include "utter.h"

enum { CONFIG_CONV_LAYERS_MAX = 16 };

/* Every function of transformers' ACT2FN that has no parameters of its own. */
enum activation {
    ACTIVATION_GELU,         /* by erf */
    ACTIVATION_GELU_TANH,    /* gelu_new, gelu_fast, gelu_accurate, gelu_pytorch_tanh */
    ACTIVATION_GELU_CLIPPED, /* gelu_10: by erf, then clipped to ±10 */
    ACTIVATION_QUICK_GELU,   /* x sigmoid(1.702 x) */
    ACTIVATION_RELU,
    ACTIVATION_RELU6,        /* min(max(x, 0), 6) */
    ACTIVATION_RELU_SQUARED, /* relu2: max(x, 0)² */
    ACTIVATION_LEAKY_RELU,   /* slope 0.01 below zero */
    ACTIVATION_SILU,         /* silu, swish: x sigmoid(x) */
    ACTIVATION_MISH,         /* x tanh(softplus(x)) */
    ACTIVATION_HARDSWISH,    /* x min(max(x + 3, 0), 6) / 6 */
    ACTIVATION_LAPLACE,      /* (1 + erf((x - 0.707107) / (0.282095 √2))) / 2 */
    ACTIVATION_SQRT_SOFTPLUS,
    ACTIVATION_TANH,
    ACTIVATION_SIGMOID,
    ACTIVATION_LINEAR,
};

enum extractor_norm {
    EXTRACTOR_NORM_GROUP, /* layer 0 alone, per channel over time */
    EXTRACTOR_NORM_LAYER, /* every layer, per frame over channels */
};

struct model_config {
    char model_type[32]; /* "wav2vec2", "hubert" */

    /* feature extractor; every array has conv_layers entries */
    int conv_layers;
    int conv_dim[CONFIG_CONV_LAYERS_MAX];
    int conv_kernel[CONFIG_CONV_LAYERS_MAX];
    int conv_stride[CONFIG_CONV_LAYERS_MAX];
    bool conv_bias;
    enum extractor_norm feat_extract_norm;
    enum activation feat_extract_activation;
    bool feat_proj_layer_norm; /* HuBERT may do without; always true for wav2vec2 */

    /* encoder */
    int hidden_size;
    int num_hidden_layers;
    int num_attention_heads;
    int intermediate_size;
    enum activation hidden_act;
    bool do_stable_layer_norm;
    float layer_norm_eps;
    int num_conv_pos_embeddings;
    int num_conv_pos_embedding_groups;

    int vocab_size;
    int pad_token_id; /* -1 when config.json does not say */

    /* preprocessor_config.json, or processor_config.json of newer checkpoints */
    int sampling_rate; /* Hz */
    bool do_normalize; /* zero mean, unit population variance, eps 1e-7 */

    /* derived */
    int frame_samples;   /* product of conv_stride */
    int receptive_field; /* samples that one frame of features sees */
};

/** Reads both files of `directory`. What utter cannot run is refused by name. */
enum utter_code config_read(struct model_config *config, const char *directory,
                            struct utter_error *error);

/** Frames of features for `samples` samples: floor((n - kernel) / stride) + 1 through every layer.
 */
int64_t config_frames(const struct model_config *config, int64_t samples);

#endif

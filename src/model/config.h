/* SPDX-License-Identifier: MIT */
/**
 * config.json and preprocessor_config.json, read and checked. Immutable after opening; any thread.
 * Field names are those of Hugging Face's Wav2Vec2Config.
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include "nn/activation.h"
#include "utter.h"

enum { CONFIG_CONV_LAYERS_MAX = 16 };

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

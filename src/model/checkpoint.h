/* SPDX-License-Identifier: MIT */
/**
 * A checkpoint directory opened: its configuration, vocabulary, and every tensor of the model bound
 * by name and by shape. Tensors stay in their file's precision, memory-mapped where they are
 * aligned; those of 8-bit integers have their steps beside them. Immutable after opening; any
 * thread.
 *
 * The files must not be cut short while the checkpoint is open: reading a mapped page behind a
 * file's new end kills the process (SIGBUS). So pack the weights and close it soon.
 */
#ifndef MODEL_CHECKPOINT_H
#define MODEL_CHECKPOINT_H

#include "model/config.h"
#include "model/measured.h"
#include "model/tensor.h"
#include "model/vocabulary.h"

#include <stdatomic.h>

/** A linear layer, y = x Wᵀ + b, or a norm's gain and offset in the same two fields. */
struct tensor_pair {
    struct tensor weight;
    struct tensor bias;
};

struct conv_tensors {
    struct tensor weight;    /* [conv_dim[i], conv_dim[i-1] or 1, conv_kernel[i]] */
    struct tensor bias;      /* [conv_dim[i]], absent unless conv_bias */
    struct tensor_pair norm; /* [conv_dim[i]]; group: layer 0 alone, layer: every layer */
};

struct layer_tensors {
    struct tensor_pair query, key, value, out; /* [hidden, hidden], [hidden] */
    struct tensor_pair attention_norm;         /* layer_norm: [hidden] */
    struct tensor_pair up;                     /* intermediate_dense: [intermediate, hidden] */
    struct tensor_pair down;                   /* output_dense: [hidden, intermediate] */
    struct tensor_pair final_norm;             /* final_layer_norm: [hidden] */
};

struct weights {
    struct conv_tensors conv[CONFIG_CONV_LAYERS_MAX];
    struct tensor_pair projection_norm; /* [conv_dim[last]], absent unless feat_proj_layer_norm */
    struct tensor_pair projection;      /* [hidden, conv_dim[last]] */
    struct tensor position_direction;   /* weight_v: [hidden, hidden / groups, kernel] */
    struct tensor position_gain;     /* weight_g: [1, 1, kernel], or absent when no weight norm */
    struct tensor position_bias;     /* [hidden] */
    struct tensor_pair encoder_norm; /* [hidden] */
    struct layer_tensors *layers;    /* [num_hidden_layers] */
    struct tensor_pair head;         /* lm_head: [vocab, hidden] */
};

struct checkpoint {
    struct model_config config;
    struct measured measured;
    struct vocabulary vocabulary;
    struct weights weights;
    int64_t parameter_count; /* of the bound tensors */
    int64_t mapped_bytes;
    struct shards *shards; /* private: the files that the tensors lie in */
    atomic_int holders;    /* private */
};

/** The pointer is owned by the caller; NULL on failure. */
struct checkpoint *checkpoint_open(const char *directory, struct utter_error *error);
/** For another one who closes it: the last to do so closes the files. */
struct checkpoint *checkpoint_hold(struct checkpoint *checkpoint);
void checkpoint_close(struct checkpoint *checkpoint);

/**
 * Tells the system that the mapped pages are not needed for now, after the weights were repacked.
 * They stay readable.
 */
void checkpoint_release_pages(const struct checkpoint *checkpoint);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * Every tensor of the model by name and shape. Binding them belongs to checkpoint.c.
 */
#ifndef MODEL_WEIGHTS_H
#define MODEL_WEIGHTS_H

#include "model/checkpoint.h"
#include "model/shards.h"

/** Behind the name of a tensor of bytes: the name of its outputs' steps. */
#define WEIGHTS_STEPS "_scale"

/** What differs in tensors' names from checkpoint to checkpoint. */
struct weights_names {
    const char *prefix;             /* "wav2vec2.", "hubert." or "" */
    const char *position_direction; /* ".weight_v", or another suffix */
    const char *position_gain;      /* ".weight_g"; NULL without weight norm */
};

typedef enum utter_code weights_visitor(void *context, const char *name, struct tensor *tensor,
                                        int rank, const int64_t *shape);

/** Visits every tensor that a model of this configuration has, until a visit fails. */
enum utter_code weights_walk(struct weights *weights, const struct model_config *config,
                             const struct weights_names *names, weights_visitor *visitor,
                             void *context);

/** Allocates weights->layers, which the caller frees, on failure too. */
enum utter_code weights_bind(struct weights *weights, const struct model_config *config,
                             struct shards *shards, int64_t *parameter_count,
                             struct utter_error *error);

#endif

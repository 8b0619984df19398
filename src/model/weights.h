/* SPDX-License-Identifier: MIT */
/**
 * Binds every tensor of the model by name and shape. Belongs to checkpoint.c.
 */
#ifndef MODEL_WEIGHTS_H
#define MODEL_WEIGHTS_H

#include "model/checkpoint.h"
#include "model/shards.h"

/** Allocates weights->layers, which the caller frees, on failure too. */
enum utter_code weights_bind(struct weights *weights, const struct model_config *config,
                             struct shards *shards, int64_t *parameter_count,
                             struct utter_error *error);

#endif

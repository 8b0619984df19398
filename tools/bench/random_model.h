/* SPDX-License-Identifier: MIT */
/**
 * Checkpoints of the usual shapes with random weights, in Hugging Face layout: config.json,
 * vocab.json, preprocessor_config.json and model.safetensors, as any implementation reads them. The
 * same name and storage give the same bytes on every machine.
 */
#ifndef BENCH_RANDOM_MODEL_H
#define BENCH_RANDOM_MODEL_H

#include "utter.h"

struct random_shape;

/** NULL when there is no shape of that name. */
const struct random_shape *random_shape_find(const char *name);

enum random_storage { RANDOM_F32, RANDOM_F16, RANDOM_BF16 };

/** Writes the four files into a directory that exists. */
enum utter_code random_model_write(const struct random_shape *shape, enum random_storage storage,
                                   const char *directory, struct utter_error *error);

/** Removes those files and the directory. */
void random_model_remove(const char *directory);

#endif

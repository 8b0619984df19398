/* SPDX-License-Identifier: MIT */
/**
 * The safetensors files of a checkpoint, one or many, mapped read-only. Opening and closing belong
 * to one thread; between them any thread may read.
 */
#ifndef MODEL_SHARDS_H
#define MODEL_SHARDS_H

#include "model/tensor.h"

#include "utter.h"

struct shards;

/** Maps model.safetensors, or else every file of model.safetensors.index.json. NULL on failure. */
struct shards *shards_open(const char *directory, struct utter_error *error);
void shards_close(struct shards *shards);

/** The file, or of many the directory, for messages. */
const char *shards_name(const struct shards *shards);

/** Whether there is a tensor of this name. */
bool shards_have(const struct shards *shards, const char *name);

/**
 * Finds a tensor and checks that it has this shape and one of the dtypes that utter reads. Its data
 * lies in the mapping, or in a copy of the shards' own where the file has it misaligned.
 */
enum utter_code shards_tensor(struct shards *shards, const char *name, int rank,
                              const int64_t *shape, struct tensor *tensor,
                              struct utter_error *error);

/** Bytes mapped, and bytes of copies. */
int64_t shards_bytes(const struct shards *shards);
void shards_release_pages(const struct shards *shards);

#endif

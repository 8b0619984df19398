/* SPDX-License-Identifier: MIT */
#include "model/checkpoint.h"

#include "base/error.h"
#include "model/file.h"
#include "model/shards.h"
#include "model/weights.h"

#include <stdlib.h>
#include <sys/stat.h>

static enum utter_code check_directory(const char *directory, struct utter_error *error)
{
    struct stat status;
    if (!directory || !*directory)
        return error_set(error, UTTER_ERROR_ARGUMENT, "no model directory was given");
    if (stat(directory, &status) != 0)
        return error_set(error, UTTER_ERROR_FILE, "%s: %m", error_path(directory));
    if (!S_ISDIR(status.st_mode))
        return error_set(error, UTTER_ERROR_FILE,
                         "%s: not a directory; a model is a directory with config.json, vocab.json "
                         "and model.safetensors",
                         error_path(directory));
    struct file_path config;
    enum utter_code code = file_path_set(&config, directory, "config.json", error);
    if (code == UTTER_OK && !file_exists(config.text))
        return error_set(error, UTTER_ERROR_FILE,
                         "%s: no config.json in it: not a model in Hugging Face layout",
                         error_path(directory));
    return code;
}

static enum utter_code open_parts(struct checkpoint *checkpoint, const char *directory,
                                  struct utter_error *error)
{
    struct model_config *config = &checkpoint->config;
    enum utter_code code = check_directory(directory, error);
    if (code == UTTER_OK)
        code = config_read(config, directory, error);
    if (code == UTTER_OK)
        code = measured_read(&checkpoint->measured, directory, error);
    if (code == UTTER_OK)
        code = vocabulary_open(&checkpoint->vocabulary, directory, config->vocab_size,
                               config->pad_token_id, error);
    if (code != UTTER_OK)
        return code;
    checkpoint->shards = shards_open(directory, error);
    if (!checkpoint->shards)
        return UTTER_ERROR_FILE;
    code = weights_bind(&checkpoint->weights, config, checkpoint->shards,
                        &checkpoint->parameter_count, error);
    checkpoint->mapped_bytes = shards_bytes(checkpoint->shards);
    return code;
}

struct checkpoint *checkpoint_open(const char *directory, struct utter_error *error)
{
    struct checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
    if (!checkpoint) {
        error_memory(error, "the model");
        return NULL;
    }
    atomic_init(&checkpoint->holders, 1);
    if (open_parts(checkpoint, directory, error) != UTTER_OK) {
        checkpoint_close(checkpoint);
        return NULL;
    }
    return checkpoint;
}

struct checkpoint *checkpoint_hold(struct checkpoint *checkpoint)
{
    atomic_fetch_add(&checkpoint->holders, 1);
    return checkpoint;
}

void checkpoint_close(struct checkpoint *checkpoint)
{
    if (!checkpoint || atomic_fetch_sub(&checkpoint->holders, 1) > 1)
        return;
    vocabulary_close(&checkpoint->vocabulary);
    shards_close(checkpoint->shards);
    free(checkpoint->weights.layers);
    free(checkpoint);
}

void checkpoint_release_pages(const struct checkpoint *checkpoint)
{
    shards_release_pages(checkpoint->shards);
}

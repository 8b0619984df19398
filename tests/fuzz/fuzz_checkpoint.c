/* SPDX-License-Identifier: MIT */
/*
 * A checkpoint whose config.json and weights are the input: binding refuses it in one line or gives
 * tensors of the configuration's shapes, which pack and decode without a wrong access. The input is
 * config.json, a zero byte, model.safetensors.
 */
#include "model/checkpoint.h"
#include "w2v2/w2v2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAMPLES_MAX = 4096, FRAMES = 3, PATH_BYTES = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void write_file(const char *directory, const char *name, const void *bytes, size_t size)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "we");
    require(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static void remove_file(const char *directory, const char *name)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    require(unlink(path) == 0);
}

/* A mapping outlives its file's name, so nothing is left behind where a later step stops. */
static struct checkpoint *open_checkpoint(const uint8_t *bytes, size_t size, size_t config,
                                          struct utter_error *error)
{
    static const char vocabulary[] = "{\"<pad>\": 0, \"|\": 1, \"a\": 2}";
    char directory[] = "/dev/shm/fuzz-checkpoint-XXXXXX";
    require(mkdtemp(directory));
    write_file(directory, "config.json", bytes, config);
    write_file(directory, "vocab.json", vocabulary, sizeof vocabulary - 1);
    write_file(directory, "model.safetensors", bytes + config + 1, size - config - 1);
    struct checkpoint *checkpoint = checkpoint_open(directory, error);
    remove_file(directory, "config.json");
    remove_file(directory, "vocab.json");
    remove_file(directory, "model.safetensors");
    require(rmdir(directory) == 0);
    return checkpoint;
}

/* Weights may be anything, so the numbers that come out may, too. */
static void decode(struct checkpoint *checkpoint, enum w2v2_precision precision)
{
    const struct model_config *config = &checkpoint->config;
    int64_t count = config->receptive_field + (FRAMES - 1) * (int64_t)config->frame_samples;
    struct pool *pool = pool_open(1, NULL);
    struct w2v2 *w2v2 = w2v2_open(checkpoint, pool, precision, NULL);
    require(pool && w2v2);
    if (count <= SAMPLES_MAX) {
        struct w2v2_workspace *workspace = w2v2_workspace_open(w2v2, count, NULL);
        float samples[SAMPLES_MAX] = {0.5f, -0.25f};
        float *log_probs = malloc((size_t)(FRAMES * config->vocab_size) * sizeof *log_probs);
        require(workspace && log_probs);
        w2v2_log_probs(w2v2, pool, workspace, samples, count, NULL, log_probs, NULL);
        free(log_probs);
        w2v2_workspace_close(workspace);
    }
    w2v2_close(w2v2);
    pool_close(pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const uint8_t *end = memchr(bytes, 0, size);
    if (!end)
        return 0;
    struct utter_error error = {0};
    struct checkpoint *checkpoint = open_checkpoint(bytes, size, (size_t)(end - bytes), &error);
    if (!checkpoint) {
        require(error.code < 0 && error.message[0] && !strchr(error.message, '\n'));
        return 0;
    }
    decode(checkpoint, W2V2_PRECISION_FLOAT32);
    decode(checkpoint, W2V2_PRECISION_INT8);
    checkpoint_close(checkpoint);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "model/shards.h"

#include "base/error.h"
#include "model/file.h"
#include "model/index.h"
#include "model/json_file.h"
#include "model/safetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shard {
    struct file_path path;
    struct file file;
    struct safetensors tensors;
};

/* A misaligned tensor's data. */
struct copy {
    struct copy *next;
    size_t size;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct shards {
    struct file_path directory;
    struct index index; /* of a sharded checkpoint, else empty */
    struct shard *items;
    int count;
    struct copy *copies;
};

static enum utter_code open_shard(struct shard *shard, const char *directory, const char *name,
                                  struct utter_error *error)
{
    enum utter_code code = file_path_set(&shard->path, directory, name, error);
    if (code == UTTER_OK)
        code = file_map(&shard->file, shard->path.text, error);
    if (code == UTTER_OK)
        code = safetensors_open(&shard->tensors, shard->file.bytes, shard->file.size,
                                shard->path.text, error);
    return code;
}

static bool is_there(const char *directory, const char *name)
{
    struct file_path path;
    return file_path_set(&path, directory, name, NULL) == UTTER_OK && file_exists(path.text);
}

/* Neither model.safetensors nor an index: says which of the usual reasons it is. */
static enum utter_code explain_missing(const char *directory, struct utter_error *error)
{
    if (is_there(directory, "pytorch_model.bin") ||
        is_there(directory, "pytorch_model.bin.index.json"))
        return error_set(error, UTTER_ERROR_FILE,
                         "%s: has pytorch_model.bin but no model.safetensors; convert it with "
                         "tools/convert",
                         error_path(directory));
    return error_set(error, UTTER_ERROR_FILE, "%s/model.safetensors: no such file",
                     error_path(directory));
}

static enum utter_code open_all(struct shards *shards, const char *directory,
                                struct utter_error *error)
{
    static const char single[] = "model.safetensors";
    struct json_file file = {0};
    const bool sharded = !is_there(directory, single);
    enum utter_code code = UTTER_OK;
    if (sharded && !is_there(directory, INDEX_NAME))
        return explain_missing(directory, error);
    if (sharded)
        code = json_file_read(&file, directory, INDEX_NAME, error);
    if (sharded && code == UTTER_OK)
        code = index_open(&shards->index, &file, error);
    json_file_close(&file);
    if (code != UTTER_OK)
        return code;
    const int count = sharded ? shards->index.file_count : 1;
    shards->items = calloc((size_t)count, sizeof *shards->items);
    if (!shards->items)
        return error_memory(error, error_path(directory));
    while (shards->count < count && code == UTTER_OK) {
        const char *name = sharded ? shards->index.files[shards->count] : single;
        code = open_shard(&shards->items[shards->count++], directory, name, error);
    }
    return code;
}

struct shards *shards_open(const char *directory, struct utter_error *error)
{
    struct shards *shards = calloc(1, sizeof *shards);
    if (!shards) {
        error_memory(error, error_path(directory));
        return NULL;
    }
    snprintf(shards->directory.text, sizeof shards->directory.text, "%s", directory);
    if (open_all(shards, directory, error) != UTTER_OK) {
        shards_close(shards);
        return NULL;
    }
    return shards;
}

void shards_close(struct shards *shards)
{
    if (!shards)
        return;
    for (int i = 0; i < shards->count; i++) {
        safetensors_close(&shards->items[i].tensors);
        file_unmap(&shards->items[i].file);
    }
    while (shards->copies) {
        struct copy *copy = shards->copies;
        shards->copies = copy->next;
        free(copy);
    }
    index_close(&shards->index);
    free(shards->items);
    free(shards);
}

/* The shard that holds `name`, and the tensor in it. */
static const struct safetensors_tensor *find(const struct shards *shards, const char *name,
                                             const struct shard **shard)
{
    int place = shards->index.file_count == 0 ? 0 : index_find(&shards->index, name);
    if (place < 0)
        return NULL;
    *shard = &shards->items[place];
    return safetensors_find(&(*shard)->tensors, name);
}

const char *shards_name(const struct shards *shards)
{
    return shards->count == 1 ? shards->items[0].path.text : shards->directory.text;
}

bool shards_have(const struct shards *shards, const char *name)
{
    const struct shard *shard;
    return find(shards, name, &shard) != NULL;
}

/* "[2, 3]" */
static void print_shape(char *text, size_t size, int rank, const int64_t *shape)
{
    size_t length = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < rank && length < size; i++)
        length +=
            (size_t)snprintf(text + length, size - length, "%s%" PRId64, i ? ", " : "", shape[i]);
    if (length < size)
        snprintf(text + length, size - length, "]");
}

static enum utter_code check_shape(const struct safetensors_tensor *found, int rank,
                                   const int64_t *shape, const char *path,
                                   struct utter_error *error)
{
    if (found->rank == rank && memcmp(found->shape, shape, (size_t)rank * sizeof *shape) == 0)
        return UTTER_OK;
    char expected[100], actual[200];
    print_shape(expected, sizeof expected, rank, shape);
    print_shape(actual, sizeof actual, found->rank, found->shape);
    return error_set(error, UTTER_ERROR_FORMAT,
                     "%s: tensor %s has shape %s, but config.json makes it %s", error_path(path),
                     found->name, actual, expected);
}

static enum utter_code check_dtype(const struct safetensors_tensor *found, struct tensor *tensor,
                                   size_t *element, const char *path, struct utter_error *error)
{
    static const struct {
        const char *name;
        enum dtype dtype;
        size_t element;
    } dtypes[] = {
        {"F32", DTYPE_F32, 4}, {"F16", DTYPE_F16, 2}, {"BF16", DTYPE_BF16, 2}, {"I8", DTYPE_I8, 1}};
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (strcmp(found->dtype, dtypes[i].name) == 0) {
            tensor->dtype = dtypes[i].dtype;
            *element = dtypes[i].element;
            return UTTER_OK;
        }
    }
    return error_set(error, UTTER_ERROR_UNSUPPORTED,
                     "%s: tensor %s has dtype %s; utter reads F32, F16, BF16 and I8",
                     error_path(path), found->name, found->dtype);
}

/* `bytes` themselves where they are aligned to `element`, else a copy. NULL: out of memory. */
static const void *aligned(struct shards *shards, const uint8_t *bytes, size_t size, size_t element)
{
    if ((uintptr_t)bytes % element == 0)
        return bytes;
    struct copy *copy = malloc(sizeof *copy + size);
    if (!copy)
        return NULL;
    copy->next = shards->copies;
    copy->size = size;
    shards->copies = copy;
    return memcpy(copy->bytes, bytes, size);
}

enum utter_code shards_tensor(struct shards *shards, const char *name, int rank,
                              const int64_t *shape, struct tensor *tensor,
                              struct utter_error *error)
{
    const struct shard *shard;
    size_t element = 1;
    const struct safetensors_tensor *found = find(shards, name, &shard);
    if (!found)
        return error_set(error, UTTER_ERROR_FORMAT, "%s: tensor %s is missing",
                         error_path(shards_name(shards)), name);
    const char *path = shard->path.text;
    enum utter_code code = check_dtype(found, tensor, &element, path, error);
    if (code == UTTER_OK)
        code = check_shape(found, rank, shape, path, error);
    if (code != UTTER_OK)
        return code;
    tensor->rank = rank;
    memcpy(tensor->shape, shape, (size_t)rank * sizeof *shape);
    tensor->data = aligned(shards, shard->tensors.data + found->begin,
                           (size_t)(found->end - found->begin), element);
    return tensor->data ? UTTER_OK : error_memory(error, name);
}

int64_t shards_bytes(const struct shards *shards)
{
    int64_t bytes = 0;
    for (int i = 0; i < shards->count; i++)
        bytes += (int64_t)shards->items[i].file.size;
    for (const struct copy *copy = shards->copies; copy; copy = copy->next)
        bytes += (int64_t)copy->size;
    return bytes;
}

void shards_release_pages(const struct shards *shards)
{
    for (int i = 0; i < shards->count; i++)
        file_release_pages(&shards->items[i].file);
}

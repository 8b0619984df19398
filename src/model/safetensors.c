/* SPDX-License-Identifier: MIT */
#include "model/safetensors.h"

#include "base/error.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, HEADER_BYTES_MAX = 100000000 }; /* both as the format says */

/* What one tensor's parsing knows about where it is. */
struct place {
    const char *path;
    const char *name; /* of the tensor */
    struct utter_error *error;
};

static enum utter_code refuse(const struct place *place, const char *cause)
{
    return error_set(place->error, UTTER_ERROR_FORMAT, "%s: tensor %s: %s", error_path(place->path),
                     place->name, cause);
}

/* 0 when there is no such dtype. */
static unsigned dtype_bits(const char *dtype)
{
    static const struct {
        const char *name;
        unsigned bits;
    } dtypes[] = {
        {"F32", 32},    {"F16", 16},    {"BF16", 16},   {"F64", 64},    {"I64", 64},
        {"I32", 32},    {"I16", 16},    {"I8", 8},      {"U64", 64},    {"U32", 32},
        {"U16", 16},    {"U8", 8},      {"BOOL", 8},    {"F8_E4M3", 8}, {"F8_E5M2", 8},
        {"F8_E8M0", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},      {"C64", 64},
    };
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(dtype, dtypes[i].name) == 0)
            return dtypes[i].bits;
    return 0;
}

static enum utter_code parse_shape(struct safetensors_tensor *tensor, const json_t *json,
                                   const struct place *place)
{
    size_t rank = json_array_size(json);
    if (!json_is_array(json))
        return refuse(place, "shape is not an array");
    if (rank > SAFETENSORS_RANK_MAX)
        return refuse(place, "more than 8 dimensions");
    tensor->rank = (int)rank;
    for (size_t i = 0; i < rank; i++) {
        const json_t *size = json_array_get(json, i);
        if (!json_is_integer(size) || json_integer_value(size) < 0)
            return refuse(place, "shape holds something that is not a whole number");
        tensor->shape[i] = json_integer_value(size);
    }
    return UTTER_OK;
}

/* Bytes that the shape asks for; false when they overflow or end inside a byte. */
static bool shape_bytes(const struct safetensors_tensor *tensor, uint64_t *bytes)
{
    uint64_t bits = dtype_bits(tensor->dtype);
    for (int i = 0; i < tensor->rank; i++)
        if (__builtin_mul_overflow(bits, (uint64_t)tensor->shape[i], &bits))
            return false;
    *bytes = bits / 8;
    return bits % 8 == 0;
}

static enum utter_code parse_offsets(struct safetensors_tensor *tensor, const json_t *json,
                                     size_t data_size, const struct place *place)
{
    const json_t *begin = json_array_get(json, 0);
    const json_t *end = json_array_get(json, 1);
    if (json_array_size(json) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin))
        return refuse(place, "data_offsets is not a pair of rising offsets");
    tensor->begin = (uint64_t)json_integer_value(begin);
    tensor->end = (uint64_t)json_integer_value(end);
    if (tensor->end > data_size)
        return error_set(place->error, UTTER_ERROR_FORMAT,
                         "%s: tensor %s ends at byte %" PRIu64
                         " of %zu: the file is cut short; fetch it again",
                         error_path(place->path), place->name, tensor->end, data_size);
    return UTTER_OK;
}

static enum utter_code parse_tensor(struct safetensors_tensor *tensor, const json_t *json,
                                    size_t data_size, const struct place *place)
{
    uint64_t bytes;
    const char *dtype = json_string_value(json_object_get(json, "dtype"));
    if (!dtype || dtype_bits(dtype) == 0)
        return refuse(place, "unknown dtype");
    tensor->name = place->name;
    tensor->dtype = dtype;
    enum utter_code code = parse_shape(tensor, json_object_get(json, "shape"), place);
    if (code == UTTER_OK)
        code = parse_offsets(tensor, json_object_get(json, "data_offsets"), data_size, place);
    if (code != UTTER_OK)
        return code;
    if (!shape_bytes(tensor, &bytes) || bytes != tensor->end - tensor->begin)
        return refuse(place, "shape and data_offsets disagree");
    return UTTER_OK;
}

static int by_offset(const void *a, const void *b)
{
    const struct safetensors_tensor *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static int by_name(const void *a, const void *b)
{
    const struct safetensors_tensor *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* Sorts by offset and looks for overlaps, holes and bytes left over at the end. */
static enum utter_code check_cover(struct safetensors *file, const char *path,
                                   struct utter_error *error)
{
    uint64_t covered = 0;
    qsort(file->tensors, file->count, sizeof *file->tensors, by_offset);
    for (size_t i = 0; i < file->count; i++) {
        const struct place place = {path, file->tensors[i].name, error};
        if (file->tensors[i].begin < covered)
            return refuse(&place, "its data overlaps another tensor's");
        if (file->tensors[i].begin > covered)
            return refuse(&place, "there is a hole before its data");
        covered = file->tensors[i].end;
    }
    if (covered != file->data_size)
        return error_set(error, UTTER_ERROR_FORMAT, "%s: %" PRIu64 " bytes behind the last tensor",
                         error_path(path), file->data_size - covered);
    return UTTER_OK;
}

static enum utter_code parse_tensors(struct safetensors *file, json_t *header, const char *path,
                                     struct utter_error *error)
{
    const char *name;
    json_t *json;
    file->tensors = calloc(json_object_size(header) + 1, sizeof *file->tensors);
    if (!file->tensors)
        return error_memory(error, error_path(path));
    json_object_foreach(header, name, json)
    {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        const struct place place = {path, name, error};
        enum utter_code code =
            parse_tensor(&file->tensors[file->count++], json, file->data_size, &place);
        if (code != UTTER_OK)
            return code;
    }
    enum utter_code code = check_cover(file, path, error);
    if (code == UTTER_OK)
        qsort(file->tensors, file->count, sizeof *file->tensors, by_name);
    return code;
}

/* Finds the JSON header: *length bytes behind the length field. */
static enum utter_code find_header(const uint8_t *bytes, size_t size, size_t *length,
                                   const char *path, struct utter_error *error)
{
    static const char pointer[] = "version https://git-lfs";
    uint64_t claimed;
    if (size >= sizeof pointer && memcmp(bytes, pointer, sizeof pointer - 1) == 0)
        return error_set(error, UTTER_ERROR_FORMAT,
                         "%s: a Git LFS pointer, not the file itself; fetch it with git lfs pull",
                         error_path(path));
    if (size < LENGTH_BYTES)
        return error_set(error, UTTER_ERROR_FORMAT,
                         "%s: %zu bytes are too few for a safetensors file; fetch it again",
                         error_path(path), size);
    memcpy(&claimed, bytes, sizeof claimed);
    if (claimed > HEADER_BYTES_MAX)
        return error_set(error, UTTER_ERROR_FORMAT,
                         "%s: not a safetensors file: its header would be %" PRIu64 " bytes long",
                         error_path(path), claimed);
    if (claimed > size - LENGTH_BYTES)
        return error_set(error, UTTER_ERROR_FORMAT,
                         "%s: the file is cut short inside its header; fetch it again",
                         error_path(path));
    if (claimed == 0 || bytes[LENGTH_BYTES] != '{')
        return error_set(error, UTTER_ERROR_FORMAT,
                         "%s: not a safetensors file: its header is no JSON object",
                         error_path(path));
    *length = (size_t)claimed;
    return UTTER_OK;
}

enum utter_code safetensors_open(struct safetensors *file, const void *bytes, size_t size,
                                 const char *path, struct utter_error *error)
{
    size_t length = 0;
    json_error_t cause;
    *file = (struct safetensors){0};
    enum utter_code code = find_header(bytes, size, &length, path, error);
    if (code != UTTER_OK)
        return code;
    const char *text = (const char *)bytes + LENGTH_BYTES;
    json_t *header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &cause);
    if (!header)
        return error_set(error, UTTER_ERROR_FORMAT, "%s: the header is not valid JSON: %s",
                         error_path(path), cause.text);
    file->header = header;
    file->data = (const uint8_t *)text + length;
    file->data_size = size - LENGTH_BYTES - length;
    code = parse_tensors(file, header, path, error);
    if (code != UTTER_OK)
        safetensors_close(file);
    return code;
}

void safetensors_close(struct safetensors *file)
{
    free(file->tensors);
    json_decref(file->header);
    *file = (struct safetensors){0};
}

const struct safetensors_tensor *safetensors_find(const struct safetensors *file, const char *name)
{
    const struct safetensors_tensor key = {.name = name};
    if (file->count == 0)
        return NULL;
    return bsearch(&key, file->tensors, file->count, sizeof key, by_name);
}

/* SPDX-License-Identifier: MIT */
#include "model/index.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* A name cannot lead out of the checkpoint's directory. */
static bool is_plain_name(const char *name)
{
    return name && *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* The number of the file, new or known; NULL when out of memory. */
static json_t *number_file(struct index *index, const char *name)
{
    json_t *number = json_object_get(index->names, name);
    if (number)
        return number;
    if (json_object_set_new(index->names, name, json_integer(index->file_count)) != 0)
        return NULL;
    index->file_count++;
    return json_object_get(index->names, name);
}

static enum utter_code fill(struct index *index, const struct json_file *file,
                            struct utter_error *error)
{
    const char *path = error_path(file->path.text);
    json_t *map = json_object_get(file->json, "weight_map");
    const char *tensor;
    json_t *value;
    if (json_object_size(map) == 0)
        return error_set(error, UTTER_ERROR_FORMAT, "%s: has no weight_map", path);
    json_object_foreach(map, tensor, value)
    {
        const char *name = json_string_value(value);
        if (!is_plain_name(name))
            return error_set(error, UTTER_ERROR_FORMAT,
                             "%s: tensor %s lies in \"%s\", which is no file beside the index",
                             path, tensor, name ? name : "");
        json_t *number = number_file(index, name);
        if (!number || json_object_set(index->places, tensor, number) != 0)
            return error_memory(error, path);
        if (index->file_count > INDEX_FILES_MAX)
            return error_set(error, UTTER_ERROR_FORMAT, "%s: names more than %d files", path,
                             INDEX_FILES_MAX);
    }
    return UTTER_OK;
}

enum utter_code index_open(struct index *index, const struct json_file *file,
                           struct utter_error *error)
{
    const char *name;
    json_t *number;
    *index = (struct index){.places = json_object(), .names = json_object()};
    enum utter_code code =
        index->places && index->names ? fill(index, file, error) : error_memory(error, INDEX_NAME);
    if (code == UTTER_OK) {
        index->files = calloc((size_t)index->file_count, sizeof *index->files);
        if (!index->files)
            code = error_memory(error, INDEX_NAME);
    }
    if (code != UTTER_OK) {
        index_close(index);
        return code;
    }
    json_object_foreach(index->names, name, number) index->files[json_integer_value(number)] = name;
    return UTTER_OK;
}

void index_close(struct index *index)
{
    free(index->files);
    json_decref(index->places);
    json_decref(index->names);
    *index = (struct index){0};
}

int index_find(const struct index *index, const char *tensor)
{
    const json_t *number = json_object_get(index->places, tensor);
    return number ? (int)json_integer_value(number) : -1;
}

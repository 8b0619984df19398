/* SPDX-License-Identifier: MIT */
#include "model/json_file.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>

/* The largest of these files is a vocabulary of some megabytes. */
enum { JSON_FILE_BYTES_MAX = 16 << 20 };

enum utter_code json_file_parse(struct json_file *file, const void *bytes, size_t size,
                                struct utter_error *error)
{
    json_error_t cause;
    const char *path = error_path(file->path.text);
    file->json = json_loadb(bytes, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &cause);
    if (!file->json)
        return error_set(error, UTTER_ERROR_FORMAT, "%s: not valid JSON: line %d: %s", path,
                         cause.line, cause.text);
    if (!json_is_object(file->json)) {
        json_file_close(file);
        return error_set(error, UTTER_ERROR_FORMAT, "%s: holds no JSON object", path);
    }
    return UTTER_OK;
}

enum utter_code json_file_read(struct json_file *file, const char *directory, const char *name,
                               struct utter_error *error)
{
    struct file bytes;
    file->json = NULL;
    enum utter_code code = file_path_set(&file->path, directory, name, error);
    if (code == UTTER_OK)
        code = file_read(&bytes, file->path.text, JSON_FILE_BYTES_MAX, error);
    if (code != UTTER_OK)
        return code;
    code = json_file_parse(file, bytes.bytes, bytes.size, error);
    free((void *)bytes.bytes);
    return code;
}

enum utter_code json_file_read_optional(struct json_file *file, const char *directory,
                                        const char *name, struct utter_error *error)
{
    file->json = NULL;
    enum utter_code code = file_path_set(&file->path, directory, name, error);
    if (code != UTTER_OK || !file_exists(file->path.text))
        return code;
    return json_file_read(file, directory, name, error);
}

void json_file_close(struct json_file *file)
{
    json_decref(file->json);
    file->json = NULL;
}

static const json_t *get(const struct json_fields *fields, const char *key)
{
    const json_t *value = json_object_get(fields->object, key);
    return fields->code != UTTER_OK || json_is_null(value) ? NULL : value;
}

bool json_is_whole(const json_t *json, int least, int most, int *value)
{
    double number = json_is_number(json) ? json_number_value(json) : NAN;
    if (!(number >= least && number <= most) || number != floor(number))
        return false;
    *value = (int)number;
    return true;
}

int json_fields_int(struct json_fields *fields, const char *key, int fallback, int least, int most)
{
    const json_t *json = get(fields, key);
    int value = fallback;
    if (json && !json_is_whole(json, least, most, &value))
        fields->code = error_set(fields->error, UTTER_ERROR_FORMAT,
                                 "%s: %s must be a whole number of %d to %d",
                                 error_path(fields->path), key, least, most);
    return value;
}

double json_fields_real(struct json_fields *fields, const char *key, double fallback, double least,
                        double most)
{
    const json_t *json = get(fields, key);
    if (!json)
        return fallback;
    double value = json_is_number(json) ? json_number_value(json) : NAN;
    if (value >= least && value <= most)
        return value;
    fields->code =
        error_set(fields->error, UTTER_ERROR_FORMAT, "%s: %s must be a number of %g to %g",
                  error_path(fields->path), key, least, most);
    return fallback;
}

bool json_fields_bool(struct json_fields *fields, const char *key, bool fallback)
{
    const json_t *json = get(fields, key);
    if (!json)
        return fallback;
    if (!json_is_boolean(json))
        fields->code = error_set(fields->error, UTTER_ERROR_FORMAT, "%s: %s must be true or false",
                                 error_path(fields->path), key);
    return json_is_true(json);
}

const char *json_fields_string(struct json_fields *fields, const char *key, const char *fallback)
{
    const json_t *json = get(fields, key);
    if (!json)
        return fallback;
    if (json_is_string(json))
        return json_string_value(json);
    fields->code = error_set(fields->error, UTTER_ERROR_FORMAT, "%s: %s must be a string",
                             error_path(fields->path), key);
    return fallback;
}

/* SPDX-License-Identifier: MIT */
/**
 * The JSON files of a checkpoint: read, and their fields fetched with checks. Any thread.
 *
 * Every number is read as a real: Python writes integers beyond 64 bits into these files.
 */
#ifndef MODEL_JSON_FILE_H
#define MODEL_JSON_FILE_H

#include "model/file.h"

#include <jansson.h>

/** A file's object and, for messages, where it was. */
struct json_file {
    json_t *json; /* owned; NULL: no such file */
    struct file_path path;
};

/** Reads directory/name, which must hold an object. On failure file->json is NULL. */
enum utter_code json_file_read(struct json_file *file, const char *directory, const char *name,
                               struct utter_error *error);
/** The same, but a file that does not exist is no failure. */
enum utter_code json_file_read_optional(struct json_file *file, const char *directory,
                                        const char *name, struct utter_error *error);
/** From memory, to be closed like the others; file->path must be set. */
enum utter_code json_file_parse(struct json_file *file, const void *bytes, size_t size,
                                struct utter_error *error);
void json_file_close(struct json_file *file);

/**
 * An object whose fields are being fetched. The first failure is kept in `code` and `error`; after
 * it every fetch gives the fallback, so one check at the end will do. A null counts as absent.
 */
struct json_fields {
    const json_t *object;
    const char *path; /* of the file, for messages */
    enum utter_code code;
    struct utter_error *error;
};

int json_fields_int(struct json_fields *fields, const char *key, int fallback, int least, int most);
double json_fields_real(struct json_fields *fields, const char *key, double fallback, double least,
                        double most);
bool json_fields_bool(struct json_fields *fields, const char *key, bool fallback);
/** Belongs to the JSON value. */
const char *json_fields_string(struct json_fields *fields, const char *key, const char *fallback);

/** Whether `json` is a whole number of least..most, and which. */
bool json_is_whole(const json_t *json, int least, int most, int *value);

#endif

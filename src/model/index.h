/* SPDX-License-Identifier: MIT */
/**
 * model.safetensors.index.json: which file of a sharded checkpoint holds which tensor. Any thread.
 */
#ifndef MODEL_INDEX_H
#define MODEL_INDEX_H

#include "model/json_file.h"

#define INDEX_NAME "model.safetensors.index.json"

enum { INDEX_FILES_MAX = 1024 };

struct index {
    const char **files; /* [file_count] names within the directory, in no particular order */
    int file_count;
    json_t *places; /* private: tensor → number of its file */
    json_t *names;  /* private: file → its number */
};

/** Checks that every file is a plain name, no path. On failure nothing is held. */
enum utter_code index_open(struct index *index, const struct json_file *file,
                           struct utter_error *error);
void index_close(struct index *index);

/** The number of the file that holds `tensor`, or -1. */
int index_find(const struct index *index, const char *tensor);

#endif

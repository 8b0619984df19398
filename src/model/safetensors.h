/* SPDX-License-Identifier: MIT */
/**
 * One safetensors file in memory: an 8-byte little-endian header length, a JSON header, tensor
 * data. Everything the format demands is checked at opening: header size, known dtypes, byte counts
 * that follow from the shapes, offsets that cover the data without overlap or hole. Any thread.
 */
#ifndef MODEL_SAFETENSORS_H
#define MODEL_SAFETENSORS_H

#include "utter.h"

enum { SAFETENSORS_RANK_MAX = 8 };

struct safetensors_tensor {
    const char *name;
    const char *dtype; /* as spelt in the header: "F32" */
    int rank;
    int64_t shape[SAFETENSORS_RANK_MAX];
    uint64_t begin, end; /* bytes from the start of the data */
};

struct safetensors {
    const uint8_t *data; /* behind the header; belongs to the caller of safetensors_open() */
    size_t data_size;
    struct safetensors_tensor *tensors; /* [count] by name */
    size_t count;
    void *header; /* private: owns the strings */
};

/** `bytes` must outlive `file`; `path` is for messages. On failure nothing is held. */
enum utter_code safetensors_open(struct safetensors *file, const void *bytes, size_t size,
                                 const char *path, struct utter_error *error);
void safetensors_close(struct safetensors *file);

/** NULL when there is none of that name. */
const struct safetensors_tensor *safetensors_find(const struct safetensors *file, const char *name);

#endif

/* SPDX-License-Identifier: MIT */
/** The golden checkpoints' cases (tests/golden/README.md) for tests of what comes after the engine.
 */
#ifndef GOLDEN_CASE_H
#define GOLDEN_CASE_H

#include "model/file.h"
#include "model/safetensors.h"

#include <jansson.h>

struct golden {
    char directory[512];
    json_t *root;
    json_t *cases;
    struct file file;
    struct safetensors expected;
};

/** All of them, NULL at the end. */
extern const char *const golden_names[];

/** Fails the test when the files are not there. */
void golden_open(struct golden *golden, const char *name);
void golden_close(struct golden *golden);

/** Tensor NAME.STAGE as an own copy, with its count of numbers. */
float *golden_tensor(const struct golden *golden, const char *name, const char *stage,
                     int64_t *count);
/** The case's input, which chunked cases share. */
float *golden_input(const struct golden *golden, const json_t *test, int64_t *count);
/** Logits to log-probabilities, in place. */
void golden_log_softmax(float *rows, int64_t count, int columns);

const char *golden_text(const json_t *object, const char *key);
int64_t golden_number(const json_t *object, const char *key);

#endif

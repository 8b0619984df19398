/* SPDX-License-Identifier: MIT */
/**
 * A golden checkpoint copied into a folder of its own, to be damaged. One thread.
 */
#ifndef UNIT_CHECKPOINT_COPY_H
#define UNIT_CHECKPOINT_COPY_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct checkpoint_copy {
    char directory[PATH_MAX];
};

/** Stops the test where something fails, like all that follow. */
void copy_open(struct checkpoint_copy *copy, const char *golden);
void copy_close(struct checkpoint_copy *copy);

/** The file's bytes, with a zero behind them; the caller frees them. */
char *copy_read(const struct checkpoint_copy *copy, const char *name, size_t *size);
void copy_write(const struct checkpoint_copy *copy, const char *name, const void *bytes,
                size_t size);
void copy_write_text(const struct checkpoint_copy *copy, const char *name, const char *text);
void copy_remove(const struct checkpoint_copy *copy, const char *name);
/** directory/name; the caller frees it. */
char *copy_path(const struct checkpoint_copy *copy, const char *name);

/** Sets one field of a JSON file; steals `value`. */
void copy_set_json(const struct checkpoint_copy *copy, const char *name, const char *key,
                   json_t *value);

/** The header of a safetensors file; json_decref() it. */
json_t *copy_header(const struct checkpoint_copy *copy, const char *name);
/** Replaces it, with so many spaces behind it; the data stays. */
void copy_set_header(const struct checkpoint_copy *copy, const char *name, const json_t *header,
                     size_t spaces);

/**
 * Opens the checkpoint. Where that fails, stops the test unless the message is one printable line
 * that names the directory, `file` and `cause` (each may be NULL). Returns whether it opened.
 */
bool copy_opens(const struct checkpoint_copy *copy, const char *file, const char *cause);
/** The same, but opening stops the test. */
void copy_refused(const struct checkpoint_copy *copy, const char *file, const char *cause);

#endif

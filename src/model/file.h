/* SPDX-License-Identifier: MIT */
/**
 * The files of a checkpoint directory: found, read whole or mapped read-only. Any thread.
 */
#ifndef MODEL_FILE_H
#define MODEL_FILE_H

#include "utter.h"

#include <limits.h>

struct file_path {
    char text[PATH_MAX];
};

/** directory/name */
enum utter_code file_path_set(struct file_path *path, const char *directory, const char *name,
                              struct utter_error *error);

/** Whether something of that name is there, readable or not. */
bool file_exists(const char *path);

/** A regular file in memory; the bytes are owned by it. */
struct file {
    const void *bytes;
    size_t size;
};

/** Maps a file that is not empty. Cutting it short afterwards makes reading its end a SIGBUS. */
enum utter_code file_map(struct file *file, const char *path, struct utter_error *error);
/** The mapped pages may leave memory; they come back when they are read. */
void file_release_pages(const struct file *file);
void file_unmap(struct file *file);

/** Reads a file of at most `limit` bytes that is not empty; the caller frees file->bytes. */
enum utter_code file_read(struct file *file, const char *path, size_t limit,
                          struct utter_error *error);

#endif

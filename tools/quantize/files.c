/* SPDX-License-Identifier: MIT */
#include "files.h"

#include "base/error.h"
#include "model/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 64 << 20 };

static const char *const NAMES[] = {
    "README.md",
    "LICENSE",
    "utter.json",
    "added_tokens.json",
    "special_tokens_map.json",
    "tokenizer_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "vocab.json",
    "config.json",
};
enum { COUNT = sizeof NAMES / sizeof *NAMES };

static enum utter_code write_file(const char *path, const struct file *file,
                                  struct utter_error *error)
{
    FILE *out = fopen(path, "wxe");
    if (!out)
        return error_set(error, UTTER_ERROR_FILE, "%s: %m", error_path(path));
    size_t written = fwrite(file->bytes, 1, file->size, out);
    if (fclose(out) == 0 && written == file->size)
        return UTTER_OK;
    return error_set(error, UTTER_ERROR_FILE, "%s: cannot be written: %m", error_path(path));
}

static enum utter_code copy_file(const char *from, const char *to, const char *name,
                                 struct utter_error *error)
{
    struct file_path source, target;
    struct file file;
    enum utter_code code = file_path_set(&source, from, name, error);
    if (code == UTTER_OK)
        code = file_path_set(&target, to, name, error);
    if (code != UTTER_OK || !file_exists(source.text))
        return code;
    code = file_read(&file, source.text, FILE_BYTES_MAX, error);
    if (code != UTTER_OK)
        return code;
    code = write_file(target.text, &file, error);
    free((void *)file.bytes);
    return code;
}

enum utter_code files_copy(const char *from, const char *to, struct utter_error *error)
{
    enum utter_code code = UTTER_OK;
    for (int i = 0; i < COUNT && code == UTTER_OK; i++)
        code = copy_file(from, to, NAMES[i], error);
    return code;
}

void files_remove(const char *directory)
{
    struct file_path path;
    for (int i = 0; i < COUNT; i++)
        if (file_path_set(&path, directory, NAMES[i], NULL) == UTTER_OK)
            unlink(path.text);
    if (file_path_set(&path, directory, "model.safetensors", NULL) == UTTER_OK)
        unlink(path.text);
    rmdir(directory);
}

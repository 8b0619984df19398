/* SPDX-License-Identifier: MIT */
#include "checkpoint_copy.h"

#include "model/checkpoint.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void read_path(const char *path, char **bytes, size_t *size)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &status), 0);
    *size = (size_t)status.st_size;
    *bytes = calloc(1, *size + 1);
    assert_non_null(*bytes);
    assert_int_equal(fread(*bytes, 1, *size, file), *size);
    fclose(file);
}

/* Not the checkpoint's own: what it should compute. */
static bool is_expectation(const char *name)
{
    return strcmp(name, "cases.json") == 0 || strcmp(name, "expected.safetensors") == 0;
}

void copy_open(struct checkpoint_copy *copy, const char *golden)
{
    char source[PATH_MAX], path[PATH_MAX + 256];
    const char *parent = getenv("TMPDIR");
    snprintf(copy->directory, sizeof copy->directory, "%s/utter-test-XXXXXX",
             parent ? parent : "/tmp");
    assert_non_null(mkdtemp(copy->directory));
    snprintf(source, sizeof source, "%s/%s", GOLDEN_DIRECTORY, golden);
    DIR *directory = opendir(source);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        char *bytes;
        size_t size;
        if (entry->d_name[0] == '.' || is_expectation(entry->d_name))
            continue;
        snprintf(path, sizeof path, "%s/%s", source, entry->d_name);
        read_path(path, &bytes, &size);
        copy_write(copy, entry->d_name, bytes, size);
        free(bytes);
    }
    closedir(directory);
}

void copy_close(struct checkpoint_copy *copy)
{
    DIR *directory = opendir(copy->directory);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            copy_remove(copy, entry->d_name);
    closedir(directory);
    assert_int_equal(rmdir(copy->directory), 0);
}

char *copy_path(const struct checkpoint_copy *copy, const char *name)
{
    char *path;
    assert_true(asprintf(&path, "%s/%s", copy->directory, name) > 0);
    return path;
}

char *copy_read(const struct checkpoint_copy *copy, const char *name, size_t *size)
{
    char *bytes, *path = copy_path(copy, name);
    read_path(path, &bytes, size);
    free(path);
    return bytes;
}

void copy_write(const struct checkpoint_copy *copy, const char *name, const void *bytes,
                size_t size)
{
    char *path = copy_path(copy, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    free(path);
}

void copy_write_text(const struct checkpoint_copy *copy, const char *name, const char *text)
{
    copy_write(copy, name, text, strlen(text));
}

void copy_remove(const struct checkpoint_copy *copy, const char *name)
{
    char *path = copy_path(copy, name);
    assert_int_equal(remove(path), 0);
    free(path);
}

void copy_set_json(const struct checkpoint_copy *copy, const char *name, const char *key,
                   json_t *value)
{
    size_t size;
    char *text = copy_read(copy, name, &size);
    json_t *json = json_loadb(text, size, JSON_DECODE_INT_AS_REAL, NULL);
    assert_non_null(json);
    json_object_set_new(json, key, value);
    char *edited = json_dumps(json, JSON_REAL_PRECISION(15));
    copy_write_text(copy, name, edited);
    json_decref(json);
    free(edited);
    free(text);
}

json_t *copy_header(const struct checkpoint_copy *copy, const char *name)
{
    size_t size;
    uint64_t length;
    char *bytes = copy_read(copy, name, &size);
    memcpy(&length, bytes, sizeof length);
    json_t *header = json_loadb(bytes + 8, (size_t)length, 0, NULL);
    assert_non_null(header);
    free(bytes);
    return header;
}

void copy_set_header(const struct checkpoint_copy *copy, const char *name, const json_t *header,
                     size_t spaces)
{
    size_t size;
    uint64_t old;
    char *bytes = copy_read(copy, name, &size);
    memcpy(&old, bytes, sizeof old);
    char *text = json_dumps(header, JSON_COMPACT);
    const size_t data_size = size - 8 - (size_t)old, text_size = strlen(text);
    const uint64_t length = text_size + spaces;
    char *file = malloc(8 + (size_t)length + data_size);
    assert_non_null(file);
    memcpy(file, &length, 8);
    memcpy(file + 8, text, text_size);
    memset(file + 8 + text_size, ' ', spaces);
    memcpy(file + 8 + (size_t)length, bytes + 8 + (size_t)old, data_size);
    copy_write(copy, name, file, 8 + (size_t)length + data_size);
    free(file);
    free(text);
    free(bytes);
}

static void check_message(const struct checkpoint_copy *copy, const struct utter_error *error,
                          const char *file, const char *cause)
{
    const char *message = error->message;
    assert_true(error->code < 0);
    for (const char *c = message; *c; c++)
        assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
    if (!strstr(message, copy->directory) || (file && !strstr(message, file)) ||
        (cause && !strstr(message, cause)))
        fail_msg("\"%s\" does not name %s, %s and \"%s\"", message, copy->directory, file, cause);
}

bool copy_opens(const struct checkpoint_copy *copy, const char *file, const char *cause)
{
    struct utter_error error = {0};
    struct checkpoint *checkpoint = checkpoint_open(copy->directory, &error);
    if (!checkpoint)
        check_message(copy, &error, file, cause);
    checkpoint_close(checkpoint);
    return checkpoint != NULL;
}

void copy_refused(const struct checkpoint_copy *copy, const char *file, const char *cause)
{
    if (copy_opens(copy, file, cause))
        fail_msg("opened in spite of \"%s\"", cause);
}

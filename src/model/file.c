/* SPDX-License-Identifier: MIT */
#include "model/file.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum utter_code file_path_set(struct file_path *path, const char *directory, const char *name,
                              struct utter_error *error)
{
    int length = snprintf(path->text, sizeof path->text, "%s/%s", directory, name);
    if (length < 0 || (size_t)length >= sizeof path->text)
        return error_set(error, UTTER_ERROR_FILE, "%s: the path is too long",
                         error_path(directory));
    return UTTER_OK;
}

bool file_exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

/* Opens without waiting for a pipe's other end, so that no odd kind of file can hang the caller. */
static enum utter_code open_regular(int *descriptor, size_t *size, const char *path,
                                    struct utter_error *error)
{
    enum utter_code code;
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set(error, UTTER_ERROR_FILE, "%s: %m", error_path(path));
    if (fstat(fd, &status) != 0)
        code = error_set(error, UTTER_ERROR_FILE, "%s: %m", error_path(path));
    else if (S_ISDIR(status.st_mode))
        code =
            error_set(error, UTTER_ERROR_FILE, "%s: is a directory, not a file", error_path(path));
    else if (!S_ISREG(status.st_mode))
        code = error_set(error, UTTER_ERROR_FILE, "%s: not a regular file", error_path(path));
    else if (status.st_size == 0)
        code = error_set(error, UTTER_ERROR_FORMAT, "%s: the file is empty", error_path(path));
    else if ((uintmax_t)status.st_size > SIZE_MAX / 2)
        code = error_set(error, UTTER_ERROR_FILE, "%s: the file is too large", error_path(path));
    else {
        *descriptor = fd;
        *size = (size_t)status.st_size;
        return UTTER_OK;
    }
    close(fd);
    return code;
}

enum utter_code file_map(struct file *file, const char *path, struct utter_error *error)
{
    int fd = -1;
    size_t size = 0;
    *file = (struct file){0};
    enum utter_code code = open_regular(&fd, &size, path, error);
    if (code != UTTER_OK)
        return code;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        code = error_set(error, UTTER_ERROR_FILE, "%s: cannot be mapped: %m", error_path(path));
    } else {
        file->bytes = bytes;
        file->size = size;
    }
    close(fd);
    return code;
}

void file_release_pages(const struct file *file)
{
    if (file->bytes)
        madvise((void *)file->bytes, file->size, MADV_DONTNEED);
}

void file_unmap(struct file *file)
{
    if (file->bytes)
        munmap((void *)file->bytes, file->size);
    *file = (struct file){0};
}

/* Returns how many bytes were there, up to `size`, or -1. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = read(fd, bytes + done, size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        done += (size_t)count;
    }
    return (ssize_t)done;
}

enum utter_code file_read(struct file *file, const char *path, size_t limit,
                          struct utter_error *error)
{
    int fd = -1;
    size_t size = 0;
    char *bytes = NULL;
    *file = (struct file){0};
    enum utter_code code = open_regular(&fd, &size, path, error);
    if (code != UTTER_OK)
        return code;
    if (size > limit) {
        code = error_set(error, UTTER_ERROR_FORMAT, "%s: %zu bytes, more than the %zu allowed",
                         error_path(path), size, limit);
        goto done;
    }
    bytes = malloc(size);
    if (!bytes) {
        code = error_memory(error, error_path(path));
        goto done;
    }
    ssize_t count = read_all(fd, bytes, size);
    if (count < 0) {
        code = error_set(error, UTTER_ERROR_FILE, "%s: %m", error_path(path));
        goto done;
    }
    file->bytes = bytes;
    file->size = (size_t)count;
    bytes = NULL;
done:
    free(bytes);
    close(fd);
    return code;
}

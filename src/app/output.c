/* SPDX-License-Identifier: MIT */
#include "app/output.h"

#include "app/disk_writer.h"
#include "app/fault.h"
#include "app/text.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct output {
    char *name;
    int descriptor;
    char *target; /* where `temporary` goes in the end; both NULL when written directly */
    char *temporary;
    char *pending; /* bytes that the system has not taken yet */
    size_t pending_count;
    struct disk_writer *writer; /* has what is pending in its stead; NULL: nobody does */
    bool settled;               /* as of the last write */
};

static bool refuse(struct output *output, int number, struct utter_error *error)
{
    return fault_set(error, UTTER_ERROR_FILE, "%s: cannot write: %s", output->name,
                     strerror(number));
}

/* The file that `path` means, symbolic links followed; it need not exist. The caller frees it. */
static char *real_target(const char *path)
{
    char *real = realpath(path, NULL);
    return real != NULL ? real : strdup(path);
}

static bool is_direct(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

/* The permissions of the file that is replaced, or those of a new one. */
static mode_t target_mode(const char *target)
{
    struct stat status;
    if (stat(target, &status) == 0)
        return status.st_mode & 07777;
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static bool open_temporary(struct output *output, const char *path, struct utter_error *error)
{
    output->target = real_target(path);
    if (output->target == NULL)
        return fault_memory(error);
    if (access(output->target, F_OK) == 0 && access(output->target, W_OK) != 0)
        return refuse(output, errno, error);
    char *copy = strdup(output->target);
    if (copy == NULL || asprintf(&output->temporary, "%s/.utter-XXXXXX", dirname(copy)) < 0) {
        free(copy);
        output->temporary = NULL;
        return fault_memory(error);
    }
    free(copy);
    output->descriptor = mkostemp(output->temporary, O_CLOEXEC);
    if (output->descriptor < 0) {
        int number = errno;
        free(output->temporary);
        output->temporary = NULL;
        return refuse(output, number, error);
    }
    if (fchmod(output->descriptor, target_mode(output->target)) != 0)
        return refuse(output, errno, error);
    return true;
}

static bool open_direct(struct output *output, const char *path, enum output_mode mode,
                        struct utter_error *error)
{
    output->descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    struct stat status;
    if (output->descriptor < 0 || fstat(output->descriptor, &status) != 0)
        return refuse(output, errno, error);
    if (mode == OUTPUT_CREATE && S_ISREG(status.st_mode) && status.st_size > 0)
        return fault_set(error, UTTER_ERROR_FILE,
                         "%s: exists already, and this format cannot be appended to; choose "
                         "another name",
                         output->name);
    return true;
}

struct output *output_open(const char *path, enum output_mode mode, struct utter_error *error)
{
    bool standard = path == NULL || strcmp(path, "-") == 0;
    struct output *output = calloc(1, sizeof *output);
    if (output != NULL) {
        output->descriptor = -1;
        output->name = text_clean(standard ? "standard output" : path);
    }
    if (output == NULL || output->name == NULL) {
        fault_memory(error);
        goto fail;
    }
    if (standard) {
        output->descriptor = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        if (output->descriptor < 0) {
            refuse(output, errno, error);
            goto fail;
        }
        return output;
    }
    if (mode == OUTPUT_REPLACE && !is_direct(path) ? open_temporary(output, path, error)
                                                   : open_direct(output, path, mode, error))
        return output;
fail:
    output_abandon(output);
    return NULL;
}

struct output *output_adopt(int descriptor, const char *name, struct utter_error *error)
{
    struct output *output = calloc(1, sizeof *output);
    char *clean = text_clean(name);
    if (output == NULL || clean == NULL) {
        fault_memory(error);
        free(output);
        free(clean);
        close(descriptor);
        return NULL;
    }
    output->descriptor = descriptor;
    output->name = clean;
    return output;
}

void output_background(struct output *output)
{
    output->writer = disk_writer_start(output->descriptor);
}

static bool judge(struct output *output, enum disk_state state, int number,
                  struct utter_error *error)
{
    output->settled = state == DISK_WRITTEN;
    switch (state) {
    case DISK_WRITTEN:
    case DISK_BUSY:
        return true;
    case DISK_HANGS:
        return fault_set(error, UTTER_ERROR_SYSTEM, "%s: the disk does not answer", output->name);
    case DISK_REFUSES:
        return refuse(output, number, error);
    default:
        return fault_memory(error);
    }
}

bool output_write(struct output *output, const char *bytes, size_t count, struct utter_error *error)
{
    if (output->writer != NULL) {
        int number = 0;
        enum disk_state state = disk_writer_give(output->writer, bytes, count, &number);
        return judge(output, state, number, error);
    }
    if (count > 0) {
        char *pending = realloc(output->pending, output->pending_count + count);
        if (pending == NULL)
            return fault_memory(error);
        memcpy(pending + output->pending_count, bytes, count);
        output->pending = pending;
        output->pending_count += count;
    }
    size_t done = disk_writer_through(output->descriptor, output->pending, output->pending_count);
    int number = errno;
    output->pending_count -= done;
    output->settled = output->pending_count == 0;
    if (output->settled)
        return true;
    memmove(output->pending, output->pending + done, output->pending_count);
    return refuse(output, number, error);
}

bool output_settled(const struct output *output)
{
    return output->settled;
}

bool output_drain(struct output *output, struct utter_error *error)
{
    if (output->writer == NULL)
        return output_write(output, NULL, 0, error);
    int number = 0;
    enum disk_state state = disk_writer_stop(output->writer, &number);
    output->writer = NULL;
    return judge(output, state, number, error);
}

bool output_close(struct output *output, struct utter_error *error)
{
    bool ok = output_drain(output, error);
    if (ok && output->temporary != NULL && fsync(output->descriptor) != 0)
        ok = refuse(output, errno, error);
    /* Some file systems report a failed write only here. */
    int closed = close(output->descriptor);
    output->descriptor = -1;
    if (ok && closed != 0)
        ok = refuse(output, errno, error);
    if (ok && output->temporary != NULL) {
        if (rename(output->temporary, output->target) != 0) {
            ok = refuse(output, errno, error);
        } else {
            free(output->temporary);
            output->temporary = NULL;
        }
    }
    output_abandon(output);
    return ok;
}

void output_abandon(struct output *output)
{
    if (output == NULL)
        return;
    if (output->writer != NULL)
        disk_writer_stop(output->writer, &(int){0});
    if (output->descriptor >= 0)
        close(output->descriptor);
    if (output->temporary != NULL)
        unlink(output->temporary);
    free(output->temporary);
    free(output->target);
    free(output->pending);
    free(output->name);
    free(output);
}

bool output_check(const char *path, struct utter_error *error)
{
    if (is_direct(path)) {
        /* Not opened: for the reader of a pipe, closing it again would be the end. */
        if (access(path, W_OK) == 0)
            return true;
        return fault_set(error, UTTER_ERROR_FILE, "%s: cannot write: %s", path, strerror(errno));
    }
    /* The temporary file is made and removed. */
    struct output *output = output_open(path, OUTPUT_REPLACE, error);
    output_abandon(output);
    return output != NULL;
}

const char *output_name(const struct output *output)
{
    return output->name;
}

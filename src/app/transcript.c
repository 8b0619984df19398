/* SPDX-License-Identifier: MIT */
#include "app/transcript.h"
#include "app/fault.h"
#include "app/state_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct transcript {
    char *directory;
    char *path; /* NULL until there is a file */
    int file;
    off_t base;   /* of the file, what will not change any more */
    size_t first; /* caption that begins there */
    char *tail;   /* what follows in the file; NULL: unknown */
    uint64_t revision;
};

struct transcript *transcript_open(struct utter_error *error)
{
    struct transcript *transcript = calloc(1, sizeof *transcript);
    if (transcript == NULL) {
        fault_memory(error);
        return NULL;
    }
    transcript->file = -1;
    transcript->directory = state_directory_open(error);
    if (transcript->directory == NULL) {
        free(transcript);
        return NULL;
    }
    return transcript;
}

/* Named after this moment; never a file that is there already. */
static bool create_file(struct transcript *transcript, struct utter_error *error)
{
    char moment[32];
    time_t now = time(NULL);
    struct tm local;
    strftime(moment, sizeof moment, "%Y-%m-%d_%H%M%S", localtime_r(&now, &local));
    for (int i = 1; i < 100 && transcript->file < 0; i++) {
        char number[8] = "";
        free(transcript->path);
        if (i > 1)
            snprintf(number, sizeof number, "-%d", i);
        if (asprintf(&transcript->path, "%s/%s%s.txt", transcript->directory, moment, number) < 0) {
            transcript->path = NULL;
            return fault_memory(error);
        }
        transcript->file =
            open(transcript->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (transcript->file < 0 && errno != EEXIST)
            break;
    }
    if (transcript->file >= 0)
        return true;
    fault_set(error, UTTER_ERROR_FILE, "%s: %s", transcript->path, strerror(errno));
    free(transcript->path);
    transcript->path = NULL;
    return false;
}

/* The firm text of the captions from `first` on; NULL when out of memory. */
static char *make_tail(const struct transcript *transcript, const struct captions *captions)
{
    char *tail = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&tail, &size);
    if (out == NULL)
        return NULL;
    for (size_t i = transcript->first; i < captions_count(captions); i++) {
        const struct caption *caption = captions_at(captions, i);
        if (caption->firm > 0)
            fprintf(out, "%.*s\n", (int)caption->firm, caption->text);
    }
    bool failed = ferror(out);
    if (fclose(out) == 0 && !failed)
        return tail;
    free(tail);
    return NULL;
}

/* Only what differs from what is in the file; a shorter tail is cut after it is written. */
static bool write_tail(struct transcript *transcript, const char *tail, struct utter_error *error)
{
    size_t length = strlen(tail);
    size_t same = 0;
    if (transcript->tail != NULL)
        while (tail[same] != '\0' && tail[same] == transcript->tail[same])
            same++;
    free(transcript->tail);
    transcript->tail = NULL;
    while (same < length) {
        ssize_t written =
            pwrite(transcript->file, tail + same, length - same, transcript->base + (off_t)same);
        if (written <= 0 && errno != EINTR)
            return fault_set(error, UTTER_ERROR_FILE, "%s: %s", transcript->path, strerror(errno));
        if (written > 0)
            same += (size_t)written;
    }
    if (ftruncate(transcript->file, transcript->base + (off_t)length) != 0)
        return fault_set(error, UTTER_ERROR_FILE, "%s: %s", transcript->path, strerror(errno));
    return true;
}

bool transcript_update(struct transcript *transcript, const struct captions *captions,
                       struct utter_error *error)
{
    if (transcript->revision == captions_revision(captions) && transcript->tail != NULL)
        return true;
    char *tail = make_tail(transcript, captions);
    if (tail == NULL)
        return fault_memory(error);
    if (transcript->file < 0 && tail[0] == '\0') {
        free(tail);
        return true;
    }
    if ((transcript->file < 0 && !create_file(transcript, error)) ||
        !write_tail(transcript, tail, error)) {
        free(tail);
        return false;
    }
    transcript->revision = captions_revision(captions);
    size_t settled = 0;
    while (transcript->first < captions_count(captions) &&
           captions_at(captions, transcript->first)->settled) {
        size_t firm = captions_at(captions, transcript->first++)->firm;
        settled += firm > 0 ? firm + 1 : 0;
    }
    transcript->base += (off_t)settled;
    transcript->tail = strdup(tail + settled);
    free(tail);
    return true;
}

const char *transcript_path(const struct transcript *transcript)
{
    return transcript->path;
}

void transcript_close(struct transcript *transcript)
{
    if (transcript == NULL)
        return;
    if (transcript->file >= 0) {
        fdatasync(transcript->file);
        close(transcript->file);
    }
    free(transcript->directory);
    free(transcript->path);
    free(transcript->tail);
    free(transcript);
}

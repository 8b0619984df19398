/* SPDX-License-Identifier: MIT */
#include "app/history_writer.h"

#include "app/disk_sync.h"
#include "app/fault.h"
#include "app/history.h"
#include "app/output.h"
#include "app/sink_json.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

struct history_writer {
    int sample_rate;
    time_t began;
    char *path; /* both NULL until there is a file */
    char *name;
    struct output *output;  /* the same */
    int file;               /* the output's */
    struct disk_sync *sync; /* NULL also when its thread did not start */
    char *waiting;          /* lines for a file that could not be made yet */
    size_t waiting_count;
    int64_t end;   /* of the last event */
    int64_t words; /* of all FINALs */
    bool has_words;
    bool sync_due;    /* once all is written */
    bool failed_sync; /* has been said */
};

/* ---- the file ---- */

/* Opens a file of this name that nobody had, and keeps it locked; -1 and errno otherwise. */
static int create_locked(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file >= 0)
        flock(file, LOCK_EX); /* while we live, this session cannot be deleted */
    return file;
}

/* A file named after the session's beginning. Returns it; sets path and name. */
static int create_file(struct history_writer *writer, const char *directory,
                       struct utter_error *error)
{
    char moment[32], name[48];
    struct tm local;
    strftime(moment, sizeof moment, "%Y-%m-%d_%H%M%S", localtime_r(&writer->began, &local));
    for (int i = 1; i < 100; i++) {
        snprintf(name, sizeof name, i == 1 ? "%s" : "%s-%d", moment, i);
        char *path = history_path(directory, name);
        int file = path != NULL ? create_locked(path) : -1;
        int number = errno;
        if (file >= 0) {
            writer->path = path;
            writer->name = strdup(name);
            return file;
        }
        if (path == NULL)
            fault_memory(error);
        else if (number != EEXIST)
            fault_set(error, UTTER_ERROR_FILE, "%s: cannot write: %s", path, strerror(number));
        free(path);
        if (path == NULL || number != EEXIST)
            return -1;
    }
    fault_set(error, UTTER_ERROR_FILE, "%s/%s: exists already", directory, moment);
    return -1;
}

static bool make_file(struct history_writer *writer, struct utter_error *error)
{
    char *directory = history_directory(error);
    if (directory == NULL)
        return false;
    struct utter_error ignored; /* without the thread, nobody waits for the disk but the end */
    writer->file = create_file(writer, directory, error);
    if (writer->file >= 0)
        writer->output = output_adopt(writer->file, "the history", error);
    if (writer->output != NULL) {
        output_background(writer->output);
        writer->sync = disk_sync_start(writer->file, directory, &ignored);
    } else if (writer->file >= 0) {
        unlink(writer->path);
        free(writer->path);
        free(writer->name);
        writer->path = writer->name = NULL;
    }
    free(directory);
    return writer->output != NULL;
}

static bool refuse_sync(int failure, struct utter_error *error)
{
    return fault_set(error, UTTER_ERROR_FILE, "the history: is not kept: %s", strerror(failure));
}

bool history_writer_flush(struct history_writer *writer, struct utter_error *error)
{
    if (writer->output == NULL && !make_file(writer, error))
        return false;
    size_t count = writer->waiting_count;
    writer->waiting_count = 0; /* from here on the output has it, whatever the disk says */
    if (!output_write(writer->output, writer->waiting, count, error))
        return false;
    if (writer->sync_due && writer->sync != NULL && output_settled(writer->output)) {
        disk_sync_request(writer->sync);
        writer->sync_due = false;
    }
    int failure = writer->sync != NULL ? disk_sync_failure(writer->sync) : 0;
    bool new_failure = failure != 0 && !writer->failed_sync;
    writer->failed_sync = failure != 0;
    return !new_failure || refuse_sync(failure, error);
}

bool history_writer_settled(const struct history_writer *writer)
{
    return writer->output != NULL && output_settled(writer->output);
}

/* Takes `line` over. */
static bool write_line(struct history_writer *writer, char *line, struct utter_error *error)
{
    size_t length = line != NULL ? strlen(line) : 0;
    char *waiting = line != NULL ? realloc(writer->waiting, writer->waiting_count + length) : NULL;
    if (waiting == NULL) {
        free(line);
        return fault_memory(error);
    }
    memcpy(waiting + writer->waiting_count, line, length);
    writer->waiting = waiting;
    writer->waiting_count += length;
    free(line);
    return history_writer_flush(writer, error);
}

/* A line of JSON of `object`, which is taken over; NULL when out of memory. */
static char *make_line(json_t *object)
{
    char *line = NULL;
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(object);
    if (text == NULL || asprintf(&line, "%s\n", text) < 0)
        line = NULL;
    free(text);
    return line;
}

/* ---- a session ---- */

struct history_writer *history_writer_open(const struct history_about *about)
{
    struct history_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return NULL;
    writer->sample_rate = about->sample_rate;
    writer->began = time(NULL);
    char moment[32];
    struct tm local;
    strftime(moment, sizeof moment, "%Y-%m-%dT%H:%M:%S%z", localtime_r(&writer->began, &local));
    char *line = make_line(json_pack("{ss, si, ss, ss, ss, ss}", "type", "session", "version", 1,
                                     "utter", about->version, "began", moment, "source",
                                     about->source, "model", about->model));
    if (line == NULL) {
        free(writer);
        return NULL;
    }
    write_line(writer, line, NULL); /* what is wrong comes again with the next */
    return writer;
}

/* DRAFTs will be said again, and most STATEs are of interest only just now. */
static bool is_kept(const struct utter_event *event)
{
    return event->type == UTTER_EVENT_COMMIT || event->type == UTTER_EVENT_FINAL ||
           event->type == UTTER_EVENT_GAP ||
           (event->type == UTTER_EVENT_STATE && event->state == UTTER_STATE_FAILED);
}

bool history_writer_event(struct history_writer *writer, const struct utter_event *event,
                          int speaker, struct utter_error *error)
{
    const struct sink_options options = {.sample_rate = writer->sample_rate};
    bool sentence_start = true;
    if (!is_kept(event))
        return true;
    writer->end = event->end > writer->end ? event->end : writer->end;
    if (event->type == UTTER_EVENT_FINAL)
        writer->words += (int64_t)event->word_count;
    writer->has_words |= event->word_count > 0;
    writer->sync_due |= event->type == UTTER_EVENT_FINAL;
    return write_line(writer, sink_json_event(event, speaker, &options, &sentence_start), error);
}

bool history_writer_pause(struct history_writer *writer, struct utter_error *error)
{
    return write_line(writer, make_line(json_pack("{ss}", "type", "pause")), error);
}

bool history_writer_recorded(struct history_writer *writer, int number, int speaker, double start,
                             struct utter_error *error)
{
    json_t *object =
        json_pack("{ss, si, sf}", "type", "recording", "number", number, "start", start);
    if (object != NULL && speaker > 0)
        json_object_set_new(object, "speaker", json_integer(speaker));
    return write_line(writer, make_line(object), error);
}

char *history_writer_recording(struct history_writer *writer, int number, struct utter_error *error)
{
    if (!history_writer_flush(writer, error))
        return NULL;
    char *directory = history_directory(error);
    char *path = directory != NULL ? history_recording_path(directory, writer->name, number) : NULL;
    if (directory != NULL && path == NULL)
        fault_memory(error);
    free(directory);
    return path;
}

const char *history_writer_name(const struct history_writer *writer)
{
    return writer->name;
}

bool history_writer_has_words(const struct history_writer *writer)
{
    return writer->has_words;
}

/* Waits for the disk. */
static bool write_end(struct history_writer *writer, struct utter_error *error)
{
    double end = (double)writer->end / writer->sample_rate;
    json_t *object =
        json_pack("{ss, sf, sI}", "type", "end", "end", end, "words", (json_int_t)writer->words);
    bool ok = write_line(writer, make_line(object), error);
    if (writer->output != NULL && (ok || !output_settled(writer->output)))
        ok = output_drain(writer->output, error); /* and what waits before the line */
    if (ok && writer->sync != NULL)
        disk_sync_request(writer->sync);
    return ok;
}

bool history_writer_close(struct history_writer *writer, bool keep, struct utter_error *error)
{
    if (writer == NULL)
        return true;
    bool ok = true;
    keep |= writer->has_words;
    if (keep)
        ok = write_end(writer, error);
    int failure = disk_sync_stop(writer->sync);
    if (keep && writer->sync == NULL && writer->output != NULL)
        failure = disk_sync_now(writer->file);
    if (ok && keep && failure != 0)
        ok = refuse_sync(failure, error);
    if (!keep && writer->path != NULL)
        unlink(writer->path);
    if (ok && keep)
        ok = output_close(writer->output, error);
    else
        output_abandon(writer->output);
    free(writer->path);
    free(writer->name);
    free(writer->waiting);
    free(writer);
    return ok;
}

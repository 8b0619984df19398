/* SPDX-License-Identifier: MIT */
#include "app/transcripts.h"

#include "app/fault.h"
#include "app/interrupt.h"
#include "app/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

struct transcripts {
    const struct transcripts_options *options;
    bool directory; /* options->output is one */
    size_t added;
    /* Of a file that holds several transcripts: written when all are there. */
    char *text;
    size_t size;
    FILE *memory; /* writes to text */
};

enum sink_format transcripts_format_of(const char *output)
{
    static const enum sink_format formats[] = {SINK_JSON, SINK_SRT, SINK_VTT};
    const char *dot = output != NULL ? strrchr(output, '.') : NULL;
    for (size_t i = 0; dot != NULL && i < sizeof formats / sizeof formats[0]; i++)
        if (strcasecmp(dot + 1, sink_format_extension(formats[i])) == 0)
            return formats[i];
    return SINK_TEXT;
}

static bool to_standard_output(const struct transcripts *transcripts)
{
    const char *output = transcripts->options->output;
    return output == NULL || strcmp(output, "-") == 0;
}

static bool is_directory(const char *path)
{
    struct stat status;
    size_t length = strlen(path);
    return (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) ||
           (length > 0 && path[length - 1] == '/');
}

/* DIRECTORY/talk.srt for dir/talk.wav. The caller frees it; NULL when out of memory. */
static char *path_in_directory(const struct transcripts *transcripts, const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *name = strcmp(file, "-") == 0 ? "stdin" : slash != NULL ? slash + 1 : file;
    const char *dot = strrchr(name, '.');
    int length = dot != NULL && dot > name ? (int)(dot - name) : (int)strlen(name);
    const char *output = transcripts->options->output;
    const char *separator = output[strlen(output) - 1] == '/' ? "" : "/";
    char *path = NULL;
    if (asprintf(&path, "%s%s%.*s.%s", output, separator, length, name,
                 sink_format_extension(transcripts->options->format)) < 0)
        return NULL;
    return path;
}

/* Writing `path` must not destroy a recording. */
static bool spares_recordings(const struct transcripts_options *options, const char *path,
                              struct utter_error *error)
{
    struct stat output, file;
    if (stat(path, &output) != 0 || !S_ISREG(output.st_mode))
        return true;
    for (size_t i = 0; i < options->file_count; i++)
        if (stat(options->files[i], &file) == 0 && file.st_dev == output.st_dev &&
            file.st_ino == output.st_ino)
            return fault_set(error, UTTER_ERROR_ARGUMENT,
                             "%s: the transcript would overwrite a recording", path);
    return true;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Two recordings of one name in different directories would get one transcript. */
static bool check_distinct(char **paths, size_t count, struct utter_error *error)
{
    qsort(paths, count, sizeof *paths, compare_paths);
    for (size_t i = 1; i < count; i++)
        if (strcmp(paths[i - 1], paths[i]) == 0)
            return fault_set(error, UTTER_ERROR_ARGUMENT,
                             "%s: two recordings would be written there", paths[i]);
    return true;
}

static bool check_directory(const struct transcripts *transcripts, struct utter_error *error)
{
    const struct transcripts_options *options = transcripts->options;
    char **paths = calloc(options->file_count, sizeof *paths);
    if (paths == NULL)
        return fault_memory(error);
    bool ok = true;
    for (size_t i = 0; ok && i < options->file_count; i++) {
        paths[i] = path_in_directory(transcripts, options->files[i]);
        ok = paths[i] != NULL
                 ? spares_recordings(options, paths[i], error) && output_check(paths[i], error)
                 : fault_memory(error);
    }
    ok = ok && check_distinct(paths, options->file_count, error);
    for (size_t i = 0; i < options->file_count; i++)
        free(paths[i]);
    free(paths);
    return ok;
}

static bool check(struct transcripts *transcripts, struct utter_error *error)
{
    const struct transcripts_options *options = transcripts->options;
    if (transcripts->directory)
        return check_directory(transcripts, error);
    if (options->file_count > 1 && (options->format == SINK_SRT || options->format == SINK_VTT))
        return fault_set(error, UTTER_ERROR_ARGUMENT,
                         "subtitles of several files need a directory: -o DIRECTORY/");
    if (to_standard_output(transcripts))
        return true;
    return spares_recordings(options, options->output, error) &&
           output_check(options->output, error);
}

struct transcripts *transcripts_open(const struct transcripts_options *options,
                                     struct utter_error *error)
{
    struct transcripts *transcripts = calloc(1, sizeof *transcripts);
    if (transcripts == NULL) {
        fault_memory(error);
        return NULL;
    }
    transcripts->options = options;
    transcripts->directory = !to_standard_output(transcripts) && is_directory(options->output);
    if (!check(transcripts, error)) {
        transcripts_close(transcripts);
        return NULL;
    }
    return transcripts;
}

/* `path` NULL or "-" is standard output, which may block for as long as its reader likes. */
static bool write_whole(const char *path, const char *text, size_t size, struct utter_error *error)
{
    bool file = path != NULL && strcmp(path, "-") != 0;
    if (file)
        interrupt_hold();
    struct output *output = output_open(path, OUTPUT_REPLACE, error);
    bool ok = output != NULL && output_write(output, text, size, error);
    if (ok)
        ok = output_close(output, error);
    else
        output_abandon(output);
    if (file)
        interrupt_release();
    return ok;
}

/* Several recordings in one place: gathered, but for text to standard output, a line each. */
static bool gather(struct transcripts *transcripts, const char *text, struct utter_error *error)
{
    bool json = transcripts->options->format == SINK_JSON;
    if (!json && to_standard_output(transcripts))
        return write_whole(NULL, text, strlen(text), error);
    if (transcripts->memory == NULL)
        transcripts->memory = open_memstream(&transcripts->text, &transcripts->size);
    if (transcripts->memory == NULL)
        return fault_memory(error);
    if (json)
        fputs(transcripts->added == 0 ? "[\n" : ",\n", transcripts->memory);
    fputs(text, transcripts->memory);
    return true;
}

bool transcripts_add(struct transcripts *transcripts, const char *path,
                     const struct sink_recording *recording, struct utter_error *error)
{
    const struct transcripts_options *options = transcripts->options;
    bool several = options->file_count > 1 && !transcripts->directory;
    struct sink_recording prefixed = *recording;
    prefixed.prefix = several;
    char *text = sink_recording(options->format, options->letter_case, &prefixed);
    if (text == NULL)
        return fault_memory(error);

    bool ok;
    if (several) {
        ok = gather(transcripts, text, error);
    } else {
        char *in_directory = transcripts->directory ? path_in_directory(transcripts, path) : NULL;
        if (transcripts->directory && in_directory == NULL)
            ok = fault_memory(error);
        else
            ok = write_whole(in_directory != NULL ? in_directory : options->output, text,
                             strlen(text), error);
        free(in_directory);
    }
    free(text);
    transcripts->added += ok;
    return ok;
}

bool transcripts_finish(struct transcripts *transcripts, struct utter_error *error)
{
    if (transcripts->memory == NULL)
        return true;
    if (transcripts->options->format == SINK_JSON)
        fputs("]\n", transcripts->memory);
    bool ok = !ferror(transcripts->memory);
    ok = fclose(transcripts->memory) == 0 && ok;
    transcripts->memory = NULL;
    if (!ok)
        return fault_memory(error);
    return write_whole(transcripts->options->output, transcripts->text, transcripts->size, error);
}

void transcripts_close(struct transcripts *transcripts)
{
    if (transcripts == NULL)
        return;
    if (transcripts->memory != NULL)
        fclose(transcripts->memory);
    free(transcripts->text);
    free(transcripts);
}

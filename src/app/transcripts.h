/* SPDX-License-Identifier: MIT */
/**
 * Where `utter transcribe` puts the transcripts of its files: standard output, one file, or a
 * directory with one transcript per recording. Checked before the work begins; what appears under
 * its name is whole. Main thread.
 */
#ifndef APP_TRANSCRIPTS_H
#define APP_TRANSCRIPTS_H

#include "app/sink.h"

struct transcripts_options {
    enum sink_format format;
    enum letter_case letter_case;
    const char *output; /**< -o: a file, a directory, "-" or NULL */
    char **files;       /**< the recordings' paths */
    size_t file_count;
};

struct transcripts;

/** The format that the name of an output suggests; text when none. NULL is allowed. */
enum sink_format transcripts_format_of(const char *output);

/**
 * Checks that the output can be written and would overwrite none of the recordings. What is wrong
 * with the command line itself is UTTER_ERROR_ARGUMENT. `options` must outlive the transcripts.
 */
struct transcripts *transcripts_open(const struct transcripts_options *options,
                                     struct utter_error *error);

/** `recording->prefix` is decided here. */
bool transcripts_add(struct transcripts *transcripts, const char *path,
                     const struct sink_recording *recording, struct utter_error *error);

/** Completes what is common to all files. Nothing is written when no file gave a transcript. */
bool transcripts_finish(struct transcripts *transcripts, struct utter_error *error);
void transcripts_close(struct transcripts *transcripts);

#endif

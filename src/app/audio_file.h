/* SPDX-License-Identifier: MIT */
/**
 * Sound files by libsndfile: any format it reads, any rate, any number of channels; "-" is
 * standard input. Samples come out as 32-bit floats, full scale ±1, channels averaged into one.
 *
 * One thread at a time. Positions and counts are samples at the file's own rate.
 */
#ifndef APP_AUDIO_FILE_H
#define APP_AUDIO_FILE_H

#include "utter.h"

/** What headerless samples are: `--raw FORMAT:RATE:CHANNELS`. */
struct audio_raw {
    int format; /**< libsndfile's SF_FORMAT_RAW and subtype; 0: the file has a header */
    int rate;   /**< Hz */
    int channels;
};

/** Parses "s16le:16000:1"; u8, s8, and s16, s24, s32, f32, f64 with le or be. */
bool audio_raw_parse(const char *text, struct audio_raw *raw, struct utter_error *error);

struct audio_file;

/** `raw` is NULL for files that say themselves what they are. */
struct audio_file *audio_file_open(const char *path, const struct audio_raw *raw,
                                   struct utter_error *error);
void audio_file_close(struct audio_file *file);

/** For messages: the path, sanitised, or "standard input". Belongs to the file. */
const char *audio_file_name(const struct audio_file *file);
int audio_file_rate(const struct audio_file *file);
int audio_file_channels(const struct audio_file *file);
/** Samples that the header promises; -1 when nobody knows, as for a stream in a pipe. */
int64_t audio_file_length(const struct audio_file *file);

/** Reads up to `count` samples. Returns how many; 0 at the end, an enum utter_code on failure. */
int64_t audio_file_read(struct audio_file *file, float *samples, int64_t count,
                        struct utter_error *error);

/** After the end: samples that the header promised and that are not there. */
int64_t audio_file_missing(const struct audio_file *file);
/** After the end: false, and why, when some are missing. */
bool audio_file_complete(const struct audio_file *file, struct utter_error *error);
/** After the end: false, and why, when the sound is shorter than `samples` at `rate` Hz. */
bool audio_file_long_enough(const struct audio_file *file, int64_t samples, int rate,
                            struct utter_error *error);

/** All of what is left. The caller frees the samples; NULL on failure. */
float *audio_file_read_all(struct audio_file *file, int64_t *count, struct utter_error *error);

#endif

/* SPDX-License-Identifier: MIT */
#include "app/audio_file.h"

#include "app/fault.h"
#include "app/quiet.h"
#include "app/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BLOCK = 4096, /* samples per channel that are read at once */
    RATE_LIMIT = 1000000,
    CHANNEL_LIMIT = 1024, /* libsndfile's own */
};

/* Writers into a pipe cannot know the length: they put this much or more into the header. */
static const int64_t UNKNOWN_BYTES = 0x7FFFF000;

struct audio_file {
    char *name;
    SNDFILE *handle;
    SF_INFO info;
    int64_t length;   /* samples promised, or -1 */
    int64_t position; /* samples read */
    int damage;       /* libsndfile's error that the samples after `position` met, or 0 */
    float *block;     /* [BLOCK, channels] */
};

static const struct {
    const char *name;
    int format;
} RAW_FORMATS[] = {
    {"u8", SF_FORMAT_PCM_U8},
    {"s8", SF_FORMAT_PCM_S8},
    {"s16le", SF_FORMAT_PCM_16 | SF_ENDIAN_LITTLE},
    {"s16be", SF_FORMAT_PCM_16 | SF_ENDIAN_BIG},
    {"s24le", SF_FORMAT_PCM_24 | SF_ENDIAN_LITTLE},
    {"s24be", SF_FORMAT_PCM_24 | SF_ENDIAN_BIG},
    {"s32le", SF_FORMAT_PCM_32 | SF_ENDIAN_LITTLE},
    {"s32be", SF_FORMAT_PCM_32 | SF_ENDIAN_BIG},
    {"f32le", SF_FORMAT_FLOAT | SF_ENDIAN_LITTLE},
    {"f32be", SF_FORMAT_FLOAT | SF_ENDIAN_BIG},
    {"f64le", SF_FORMAT_DOUBLE | SF_ENDIAN_LITTLE},
    {"f64be", SF_FORMAT_DOUBLE | SF_ENDIAN_BIG},
};

bool audio_raw_parse(const char *text, struct audio_raw *raw, struct utter_error *error)
{
    char format[8];
    int rate, channels, end = -1;
    if (sscanf(text, "%7[a-z0-9]:%7d:%4d%n", format, &rate, &channels, &end) != 3 ||
        text[end] != '\0' || rate < 1 || rate > RATE_LIMIT || channels < 1 ||
        channels > CHANNEL_LIMIT)
        return fault_set(error, UTTER_ERROR_ARGUMENT,
                         "\"%s\" is not FORMAT:RATE:CHANNELS, as in s16le:16000:1", text);
    for (size_t i = 0; i < sizeof RAW_FORMATS / sizeof RAW_FORMATS[0]; i++) {
        if (strcmp(RAW_FORMATS[i].name, format) == 0) {
            *raw = (struct audio_raw){SF_FORMAT_RAW | RAW_FORMATS[i].format, rate, channels};
            return true;
        }
    }
    return fault_set(error, UTTER_ERROR_ARGUMENT,
                     "\"%s\" is no sample format: u8, s8, s16le, s24le, s32le, f32le, f64le or "
                     "the same with be",
                     format);
}

/* A descriptor that can be read, of anything but a directory; -1 on failure. */
static int open_descriptor(const char *path, struct utter_error *error)
{
    if (strcmp(path, "-") == 0) {
        if (!isatty(STDIN_FILENO))
            return dup(STDIN_FILENO);
        fault_set(error, UTTER_ERROR_FILE,
                  "standard input is a terminal: give a file, or pipe "
                  "sound into it");
        return -1;
    }
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status) != 0) {
        fault_set(error, UTTER_ERROR_FILE, "%s: %s", path, strerror(errno));
    } else if (S_ISDIR(status.st_mode)) {
        fault_set(error, UTTER_ERROR_FILE, "%s: is a directory, not a sound file", path);
    } else if (S_ISREG(status.st_mode) && status.st_size == 0) {
        fault_set(error, UTTER_ERROR_FORMAT, "%s: is empty, not a sound file", path);
    } else {
        return descriptor;
    }
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

/*
 * libsndfile corrects the length of a truncated WAV file without a word; what the header said
 * stands in its log: "data : 32000 (should be 19956)".
 */
static int64_t promised_samples(struct audio_file *file)
{
    const SF_INFO *info = &file->info;
    if (info->frames == SF_COUNT_MAX) /* FLAC that was cut short or went through a pipe */
        return -1;
    if ((info->format & SF_FORMAT_SUBMASK) >= SF_FORMAT_MPEG_LAYER_I &&
        (info->format & SF_FORMAT_SUBMASK) <= SF_FORMAT_MPEG_LAYER_III)
        return info->frames;

    char log[8192] = "";
    sf_command(file->handle, SFC_GET_LOG_INFO, log, sizeof log);
    long long header = 0, there = 0;
    const char *line = strstr(log, "\ndata : ");
    if (line != NULL && sscanf(line, " data : %lld (should be %lld)", &header, &there) == 2 &&
        there > 0 && header > there && header < UNKNOWN_BYTES)
        return (int64_t)((double)info->frames * (double)header / (double)there);

    int64_t bytes_per_sample = sf_current_byterate(file->handle) / info->samplerate;
    if (bytes_per_sample < info->channels)
        bytes_per_sample = info->channels;
    if (!info->seekable && info->frames >= UNKNOWN_BYTES / bytes_per_sample)
        return -1;
    return info->frames;
}

static bool open_handle(struct audio_file *file, int descriptor, const struct audio_raw *raw,
                        struct utter_error *error)
{
    if (raw != NULL && raw->format != 0) {
        file->info.format = raw->format;
        file->info.samplerate = raw->rate;
        file->info.channels = raw->channels;
    }
    /* The MPEG decoder prints warnings. */
    struct quiet quiet = quiet_begin();
    file->handle = sf_open_fd(descriptor, SFM_READ, &file->info, SF_TRUE);
    quiet_end(&quiet);
    if (file->handle == NULL && sf_error(NULL) == SF_ERR_UNRECOGNISED_FORMAT)
        return fault_set(
            error, UTTER_ERROR_FORMAT,
            "%s: not a sound file that can be read; perhaps ffmpeg can: ffmpeg -i FILE "
            "-f wav - | utter transcribe -",
            file->name);
    if (file->handle == NULL)
        return fault_set(error, UTTER_ERROR_FORMAT, "%s: not a sound file that can be read: %s",
                         file->name, sf_strerror(NULL));
    if (file->info.samplerate < 1 || file->info.samplerate > RATE_LIMIT ||
        file->info.channels < 1 || file->info.channels > CHANNEL_LIMIT)
        return fault_set(error, UTTER_ERROR_FORMAT, "%s: %d channels at %d Hz cannot be used",
                         file->name, file->info.channels, file->info.samplerate);
    file->length = promised_samples(file);
    return true;
}

struct audio_file *audio_file_open(const char *path, const struct audio_raw *raw,
                                   struct utter_error *error)
{
    int descriptor = open_descriptor(path, error);
    if (descriptor < 0)
        return NULL;
    struct audio_file *file = calloc(1, sizeof *file);
    if (file == NULL ||
        (file->name = text_clean(strcmp(path, "-") == 0 ? "standard input" : path)) == NULL) {
        close(descriptor);
        fault_memory(error);
        goto fail;
    }
    if (!open_handle(file, descriptor, raw, error))
        goto fail;
    file->block = calloc((size_t)BLOCK * (size_t)file->info.channels, sizeof *file->block);
    if (file->block == NULL) {
        fault_memory(error);
        goto fail;
    }
    return file;
fail:
    audio_file_close(file);
    return NULL;
}

void audio_file_close(struct audio_file *file)
{
    if (file == NULL)
        return;
    if (file->handle != NULL)
        sf_close(file->handle);
    free(file->block);
    free(file->name);
    free(file);
}

const char *audio_file_name(const struct audio_file *file)
{
    return file->name;
}

int audio_file_rate(const struct audio_file *file)
{
    return file->info.samplerate;
}

int audio_file_channels(const struct audio_file *file)
{
    return file->info.channels;
}

int64_t audio_file_length(const struct audio_file *file)
{
    return file->length;
}

int64_t audio_file_missing(const struct audio_file *file)
{
    /* The length of an MPEG file is often an estimate. */
    int subtype = file->info.format & SF_FORMAT_SUBMASK;
    if (file->length < 0 ||
        (subtype >= SF_FORMAT_MPEG_LAYER_I && subtype <= SF_FORMAT_MPEG_LAYER_III))
        return 0;
    return file->length > file->position ? file->length - file->position : 0;
}

bool audio_file_complete(const struct audio_file *file, struct utter_error *error)
{
    int64_t missing = audio_file_missing(file);
    double rate = file->info.samplerate;
    return missing == 0 ||
           fault_set(error, UTTER_ERROR_FORMAT,
                     "%s: cut off: ends %.2f s before the %.2f s that its header promises",
                     file->name, (double)missing / rate, (double)file->length / rate);
}

bool audio_file_long_enough(const struct audio_file *file, int64_t samples, int rate,
                            struct utter_error *error)
{
    int64_t needed = (samples * file->info.samplerate + rate - 1) / rate;
    if (file->position >= needed)
        return true;
    if (file->position == 0)
        return fault_set(error, UTTER_ERROR_FORMAT, "%s: holds no sound", file->name);
    return fault_set(error, UTTER_ERROR_FORMAT,
                     "%s: too short: %" PRId64 " sample%s, and the model needs %" PRId64,
                     file->name, file->position, file->position == 1 ? "" : "s", needed);
}

/* Averages `count` samples of all channels. False when one is not a finite number. */
static bool mix(const float *block, int channels, int64_t count, float *samples)
{
    bool finite = true;
    for (int64_t i = 0; i < count; i++) {
        float sum = 0;
        for (int channel = 0; channel < channels; channel++)
            sum += block[i * channels + channel];
        samples[i] = sum / (float)channels;
        finite = finite && isfinite(samples[i]);
    }
    return finite;
}

int64_t audio_file_read(struct audio_file *file, float *samples, int64_t count,
                        struct utter_error *error)
{
    int64_t done = 0;
    while (done < count) {
        int64_t wanted = count - done < BLOCK ? count - done : BLOCK;
        double seconds = (double)file->position / file->info.samplerate;
        int64_t got = 0;
        if (file->damage == SF_ERR_NO_ERROR) {
            got = sf_readf_float(file->handle, file->block, wanted);
            file->damage = sf_error(file->handle);
        }
        if (got <= 0 && (done > 0 || file->damage == SF_ERR_NO_ERROR))
            break;
        if (got <= 0) {
            fault_set(error, UTTER_ERROR_FORMAT, "%s: damaged at %.2f s: %s", file->name, seconds,
                      sf_error_number(file->damage));
            return UTTER_ERROR_FORMAT;
        }
        if (!mix(file->block, file->info.channels, got, samples + done)) {
            fault_set(error, UTTER_ERROR_FORMAT,
                      "%s: damaged at %.2f s: samples that are not finite numbers", file->name,
                      seconds);
            return UTTER_ERROR_FORMAT;
        }
        done += got;
        file->position += got;
    }
    return done;
}

float *audio_file_read_all(struct audio_file *file, int64_t *count, struct utter_error *error)
{
    /* Grows as samples arrive: a header may promise anything. */
    int64_t capacity = 1 << 20;
    float *samples = malloc((size_t)capacity * sizeof *samples);
    *count = 0;
    while (samples != NULL) {
        int64_t got = audio_file_read(file, samples + *count, capacity - *count, error);
        if (got == 0)
            return samples;
        if (got < 0) {
            free(samples);
            return NULL;
        }
        *count += got;
        if (*count == capacity) {
            capacity += capacity / 2;
            float *larger = realloc(samples, (size_t)capacity * sizeof *samples);
            if (larger == NULL)
                free(samples);
            samples = larger;
        }
    }
    fault_memory(error);
    return NULL;
}

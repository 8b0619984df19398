/* SPDX-License-Identifier: MIT */
/*
 * Sound files: the first byte chooses a file with a header or one of the raw formats, the rest is
 * the file. Whatever it is, it gives samples that are finite, or one line that says why not.
 */
#include "app/audio_file.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    READ_LIMIT = 1 << 20 /* a few bytes may promise hours of silence */
};

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void read_samples(struct audio_file *file)
{
    check(audio_file_rate(file) > 0 && audio_file_channels(file) > 0);
    check(audio_file_length(file) >= -1);
    float samples[1000];
    int64_t total = 0;
    while (total < READ_LIMIT) {
        struct utter_error error = {UTTER_OK, ""};
        int64_t got = audio_file_read(file, samples, 1000, &error);
        check(got <= 1000);
        check(got >= 0 || (error.code != UTTER_OK && error.message[0] != '\0'));
        if (got <= 0)
            break;
        for (int64_t i = 0; i < got; i++)
            check(isfinite(samples[i]));
        total += got;
    }
    check(audio_file_missing(file) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"u8:8000:1",     "s8:16000:2",    "s16le:16000:1",
                                          "s24be:44100:3", "s32le:48000:1", "f32le:16000:1",
                                          "f64be:96000:2"};
    enum { FORMATS = sizeof formats / sizeof formats[0] };
    if (size == 0)
        return 0;
    struct audio_raw raw = {0, 0, 0};
    if (data[0] < FORMATS)
        check(audio_raw_parse(formats[data[0]], &raw, NULL));

    int descriptor = memfd_create("sound", MFD_CLOEXEC);
    check(descriptor >= 0 && write(descriptor, data + 1, size - 1) == (ssize_t)(size - 1));
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    struct utter_error error = {UTTER_OK, ""};
    struct audio_file *file = audio_file_open(path, &raw, &error);
    check(file != NULL || (error.message[0] != '\0' && strchr(error.message, '\n') == NULL));
    if (file != NULL)
        read_samples(file);
    audio_file_close(file);
    close(descriptor);
    return 0;
}

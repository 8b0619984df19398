/* SPDX-License-Identifier: MIT */
#include "app/capture_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const PaDeviceInfo *input_info(PaDeviceIndex i)
{
    const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
    return info && info->maxInputChannels > 0 ? info : NULL;
}

static PaDeviceIndex find_number(struct capture_shared *shared, const char *wanted)
{
    char *end = NULL;
    long number = strtol(wanted, &end, 10);
    if (number < 0 || number >= Pa_GetDeviceCount() || !input_info((PaDeviceIndex)number)) {
        snprintf(shared->message, sizeof(shared->message),
                 "there is no input number %s: see `utter devices`", wanted);
        return paNoDevice;
    }
    return (PaDeviceIndex)number;
}

static PaDeviceIndex find_name(struct capture_shared *shared, const char *wanted)
{
    PaDeviceIndex found = paNoDevice;
    const char *other = NULL;
    for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); i++) {
        const PaDeviceInfo *info = input_info(i);
        if (!info)
            continue;
        if (strcmp(info->name, wanted) == 0)
            return i;
        if (!strcasestr(info->name, wanted))
            continue;
        if (found == paNoDevice)
            found = i;
        else if (!other && strcmp(info->name, input_info(found)->name) != 0)
            other = info->name;
    }
    if (found == paNoDevice) {
        snprintf(shared->message, sizeof(shared->message),
                 "no input is called \"%.100s\": see `utter devices`", wanted);
    } else if (other) {
        snprintf(shared->message, sizeof(shared->message),
                 "\"%.60s\" could be \"%.80s\" or \"%.80s\"", wanted, input_info(found)->name,
                 other);
        found = paNoDevice;
    }
    return found;
}

PaDeviceIndex capture_device_find(struct capture_shared *shared, const char *wanted)
{
    if (wanted[0] && strspn(wanted, "0123456789") == strlen(wanted))
        return find_number(shared, wanted);
    if (wanted[0])
        return find_name(shared, wanted);
    PaDeviceIndex device = Pa_GetDefaultInputDevice();
    if (device == paNoDevice)
        snprintf(shared->message, sizeof(shared->message), "this machine has no sound input");
    return device;
}

PaStream *capture_device_open(struct capture_shared *shared, PaDeviceIndex device, int rate,
                              PaStreamCallback *callback)
{
    const PaDeviceInfo *info = Pa_GetDeviceInfo(device);
    const int rates[] = {rate, (int)info->defaultSampleRate, 48000, 44100, 32000, 96000, 8000};
    const int channels[] = {1, 2, info->maxInputChannels < 32 ? info->maxInputChannels : 32};
    PaStreamParameters input = {.device = device,
                                .sampleFormat = paFloat32,
                                .suggestedLatency = info->defaultHighInputLatency};
    PaError error = paNoError;
    for (size_t r = 0; r < sizeof(rates) / sizeof(*rates); r++) {
        for (size_t c = 0; c < sizeof(channels) / sizeof(*channels); c++) {
            if (channels[c] > info->maxInputChannels || (c && channels[c] == channels[c - 1]))
                continue;
            PaStream *stream = NULL;
            input.channelCount = channels[c];
            error = Pa_OpenStream(&stream, &input, NULL, rates[r], (unsigned long)rates[r] / 50,
                                  paClipOff | paDitherOff, callback, shared);
            if (error != paNoError)
                continue;
            shared->sample_rate = rates[r];
            shared->channels = channels[c];
            snprintf(shared->device, sizeof(shared->device), "%s", info->name);
            return stream;
        }
    }
    snprintf(shared->message, sizeof(shared->message), "the input \"%.120s\" does not open: %s",
             info->name, Pa_GetErrorText(error));
    return NULL;
}

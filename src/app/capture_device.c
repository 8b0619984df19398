/* SPDX-License-Identifier: MIT */
#include "app/capture_device.h"
#include "app/input_match.h"

#include <pa_linux_alsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What ALSA keeps for us while a busy machine does not let us run; by itself PortAudio asks for
   60 ms. In so many periods samples come every 40 ms. */
static const double BUFFER_SECONDS = 0.4;
enum { BUFFER_PERIODS = 20 };

/* Every input: of PortAudio, then of PulseAudio. */
struct inputs {
    int portaudio_count;
    struct pulse_source pulse[PULSE_SOURCES_LIMIT];
    size_t pulse_count;
};

static const PaDeviceInfo *input_info(PaDeviceIndex i)
{
    const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
    return info && info->maxInputChannels > 0 ? info : NULL;
}

static PaDeviceIndex use_portaudio(struct capture_shared *shared, PaDeviceIndex device)
{
    const char *name = Pa_GetDeviceInfo(device)->name;
    snprintf(shared->device, sizeof(shared->device), "%s", name);
    snprintf(shared->title, sizeof(shared->title), "%s", name);
    return device;
}

/* A source of the sound server, through the device that is one of its clients. */
static PaDeviceIndex use_pulse(struct capture_shared *shared, const char *source, const char *name,
                               const char *title)
{
    PaDeviceIndex client = paNoDevice;
    for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); i++) {
        const PaDeviceInfo *info = input_info(i);
        if (info && strcmp(info->name, "pulse") == 0)
            client = i;
        else if (info && client == paNoDevice && strcmp(info->name, "default") == 0)
            client = i;
    }
    if (client == paNoDevice) {
        snprintf(shared->message, sizeof(shared->message),
                 "\"%.100s\" needs ALSA's plug-in for PulseAudio: libasound2-plugins", title);
        return paNoDevice;
    }
    setenv("PULSE_SOURCE", source, 1);
    snprintf(shared->device, sizeof(shared->device), "%s", name);
    snprintf(shared->title, sizeof(shared->title), "%s", title);
    return client;
}

static PaDeviceIndex use_input(struct capture_shared *shared, const struct inputs *inputs, int i)
{
    if (i < inputs->portaudio_count)
        return use_portaudio(shared, i);
    const struct pulse_source *source = &inputs->pulse[i - inputs->portaudio_count];
    return use_pulse(shared, source->name, source->name, source->description);
}

static PaDeviceIndex find_number(struct capture_shared *shared, const struct inputs *inputs,
                                 const char *wanted)
{
    long number = strtol(wanted, NULL, 10);
    bool portaudio = number >= 0 && number < inputs->portaudio_count;
    if (number < 0 || number >= inputs->portaudio_count + (long)inputs->pulse_count ||
        (portaudio && !input_info((PaDeviceIndex)number))) {
        snprintf(shared->message, sizeof(shared->message),
                 "there is no input number %.40s: see `utter devices`", wanted);
        return paNoDevice;
    }
    return use_input(shared, inputs, (int)number);
}

static PaDeviceIndex find_name(struct capture_shared *shared, const struct inputs *inputs,
                               const char *wanted)
{
    size_t count = (size_t)inputs->portaudio_count + inputs->pulse_count;
    const char *(*names)[2] = calloc(count + 1, sizeof(*names));
    int could_be[2], found = INPUT_NONE;
    PaDeviceIndex device = paNoDevice;
    if (!names)
        return paNoDevice;
    for (size_t i = 0; i < count; i++) {
        if (i < (size_t)inputs->portaudio_count) {
            const PaDeviceInfo *info = input_info((PaDeviceIndex)i);
            names[i][0] = info ? info->name : NULL;
        } else {
            names[i][0] = inputs->pulse[i - (size_t)inputs->portaudio_count].name;
            names[i][1] = inputs->pulse[i - (size_t)inputs->portaudio_count].description;
        }
    }
    found = input_match((const char *const(*)[2])names, count, wanted, could_be);
    if (found >= 0)
        device = use_input(shared, inputs, found);
    else if (found == INPUT_AMBIGUOUS)
        snprintf(shared->message, sizeof(shared->message),
                 "\"%.60s\" could be \"%.80s\" or \"%.80s\"", wanted, names[could_be[0]][0],
                 names[could_be[1]][0]);
    else
        snprintf(shared->message, sizeof(shared->message),
                 "no input is called \"%.100s\": see `utter devices`", wanted);
    free(names);
    return device;
}

static PaDeviceIndex find_default(struct capture_shared *shared)
{
    PaDeviceIndex device = Pa_GetDefaultInputDevice();
    if (device != paNoDevice)
        return use_portaudio(shared, device);
    snprintf(shared->message, sizeof(shared->message), "this machine has no sound input");
    return paNoDevice;
}

/* Asked for by its name: to PipeWire 0.3 "@DEFAULT_MONITOR@" is the default microphone. */
static PaDeviceIndex find_desktop(struct capture_shared *shared, const struct inputs *inputs)
{
    for (size_t i = 0; i < inputs->pulse_count; i++)
        if (inputs->pulse[i].is_desktop)
            return use_pulse(shared, inputs->pulse[i].name, PULSE_DESKTOP, "desktop sound");
    snprintf(shared->message, sizeof(shared->message),
             "there is no desktop sound: PulseAudio or PipeWire does not run, or has no output");
    return paNoDevice;
}

PaDeviceIndex capture_device_find(struct capture_shared *shared, const char *wanted)
{
    static struct inputs inputs; /* large, and of a process that does nothing else */
    if (!wanted[0])
        return find_default(shared);
    inputs.portaudio_count = Pa_GetDeviceCount() > 0 ? Pa_GetDeviceCount() : 0;
    inputs.pulse_count = pulse_sources_list(inputs.pulse);
    if (strcmp(wanted, PULSE_DESKTOP) == 0)
        return find_desktop(shared, &inputs);
    bool number = strspn(wanted, "0123456789") == strlen(wanted);
    return number ? find_number(shared, &inputs, wanted) : find_name(shared, &inputs, wanted);
}

PaStream *capture_device_open(struct capture_shared *shared, PaDeviceIndex device, int rate,
                              PaStreamCallback *callback)
{
    const PaDeviceInfo *info = Pa_GetDeviceInfo(device);
    const int rates[] = {rate, (int)info->defaultSampleRate, 48000, 44100, 32000, 96000, 8000};
    const int channels[] = {1, 2, info->maxInputChannels < 32 ? info->maxInputChannels : 32};
    PaStreamParameters input = {
        .device = device, .sampleFormat = paFloat32, .suggestedLatency = BUFFER_SECONDS};
    PaError error = paNoError;
    PaAlsa_SetNumPeriods(BUFFER_PERIODS);
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
            return stream;
        }
    }
    snprintf(shared->message, sizeof(shared->message), "the input \"%.120s\" does not open: %s",
             shared->title, Pa_GetErrorText(error));
    return NULL;
}

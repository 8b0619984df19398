/* SPDX-License-Identifier: MIT */
/**
 * capture_device: finding and opening an input. For the capture process and the one that lists
 * inputs only, on their main thread: every call here may hang.
 *
 * Inputs are numbered: first those of PortAudio, by its own numbers, then those of a PulseAudio
 * server (pulse_sources.h), which PortAudio reaches through ALSA's "pulse" when the environment's
 * PULSE_SOURCE, which counts for a whole process, names one.
 */
#ifndef APP_CAPTURE_DEVICE_H
#define APP_CAPTURE_DEVICE_H

#include "app/capture.h"
#include "app/pulse_sources.h"
#include <portaudio.h>

/**
 * The input called `wanted`: a number of `utter devices`, a name, or a part of one name; "desktop"
 * is what the default output plays; empty for the default input. PortAudio is initialised. Returns
 * paNoDevice with the reason in shared->message. Sets shared->device, by which it can be found
 * again, and shared->title.
 */
PaDeviceIndex capture_device_find(struct capture_shared *shared, const char *wanted);

/**
 * Opens the input for 32-bit float, with `rate` Hz and one channel if the device can, otherwise
 * with what it can. Sets sample_rate and channels, or the message and returns NULL.
 */
PaStream *capture_device_open(struct capture_shared *shared, PaDeviceIndex device, int rate,
                              PaStreamCallback *callback);

#endif

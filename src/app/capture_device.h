/* SPDX-License-Identifier: MIT */
/**
 * capture_device: finding and opening an input of PortAudio. For the capture process only, on its
 * main thread: every call here may hang.
 */
#ifndef APP_CAPTURE_DEVICE_H
#define APP_CAPTURE_DEVICE_H

#include "app/capture.h"
#include <portaudio.h>

/**
 * The input called `wanted`: a number of `utter devices`, a name, or a part of one name; empty for
 * the default. Returns paNoDevice with the reason in shared->message.
 */
PaDeviceIndex capture_device_find(struct capture_shared *shared, const char *wanted);

/**
 * Opens the input for 32-bit float, with `rate` Hz and one channel if the device can, otherwise
 * with what it can. Sets sample_rate, channels and device, or the message and returns NULL.
 */
PaStream *capture_device_open(struct capture_shared *shared, PaDeviceIndex device, int rate,
                              PaStreamCallback *callback);

#endif

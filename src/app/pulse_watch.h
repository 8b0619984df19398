/* SPDX-License-Identifier: MIT */
/**
 * Watches what a sound server does with this process's stream. PulseAudio leaves a stream that
 * hears the default output's monitor there when another output becomes the default one; it moves
 * streams to the new default source, also those that asked for the old one by name, and to any
 * source when theirs is pulled out; PipeWire moves monitors likewise. What of this the user has not
 * asked for makes the capture process say CAPTURE_MOVED, and it is started anew. The server is not
 * asked to move the stream back: it would remember that for the program's later ones.
 *
 * For the capture process.
 */
#ifndef APP_PULSE_WATCH_H
#define APP_PULSE_WATCH_H

#include "app/capture.h"

/**
 * Once shared->state is CAPTURE_OPEN: writes it from now on, and shared->heard, from a thread of
 * its own. The stream is one of the source that PULSE_SOURCE names, or of the default one;
 * shared->device tells whether the desktop is meant. Without a server, or when the stream is not
 * one of its, nothing happens.
 */
void pulse_watch_start(struct capture_shared *shared);

#endif

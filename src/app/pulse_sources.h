/* SPDX-License-Identifier: MIT */
/**
 * The inputs of a PulseAudio server, or of PipeWire, which answers as one: microphones, and for
 * each output a monitor, which hears what is played there. PortAudio knows only the server's
 * default one. For processes of their own: every call may hang when a server does.
 */
#ifndef APP_PULSE_SOURCES_H
#define APP_PULSE_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

/** What `--device` calls the monitor of the default output, whichever that is. */
#define PULSE_DESKTOP "desktop"

enum { PULSE_SOURCES_LIMIT = 64 };

/** Text that is not to be trusted. */
struct pulse_source {
    char name[256];        /**< the server's own */
    char description[256]; /**< for people */
    int sample_rate;       /**< of the hardware; the server converts */
    int channels;
    bool monitor;
    bool is_default;
    bool is_desktop; /**< the default output's monitor */
};

/** Returns how many there are, 0 without a server. */
size_t pulse_sources_list(struct pulse_source sources[PULSE_SOURCES_LIMIT]);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * Questions to a PulseAudio server, or to PipeWire, which answers as one. For processes of their
 * own: every call may hang when a server does. One thread at a time.
 */
#ifndef APP_PULSE_SERVER_H
#define APP_PULSE_SERVER_H

#include <pulse/pulseaudio.h>
#include <stdbool.h>

struct pulse_server {
    pa_mainloop *loop;
    pa_context *context;
};

/** False without a server. Either way pulse_server_close() is due. */
bool pulse_server_open(struct pulse_server *server);

/** Until the operation (NULL: none) is done; false when the server went away. */
bool pulse_server_finish(struct pulse_server *server, pa_operation *operation);

void pulse_server_close(struct pulse_server *server);

#endif

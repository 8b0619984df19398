/* SPDX-License-Identifier: MIT */
#include "app/pulse_server.h"

static bool connect_context(pa_mainloop *loop, pa_context *context)
{
    if (pa_context_connect(context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) < 0)
        return false;
    while (pa_context_get_state(context) != PA_CONTEXT_READY)
        if (!PA_CONTEXT_IS_GOOD(pa_context_get_state(context)) ||
            pa_mainloop_iterate(loop, 1, NULL) < 0)
            return false;
    return true;
}

bool pulse_server_open(struct pulse_server *server)
{
    *server = (struct pulse_server){.loop = pa_mainloop_new()};
    if (server->loop != NULL)
        server->context = pa_context_new(pa_mainloop_get_api(server->loop), "utter");
    return server->context != NULL && connect_context(server->loop, server->context);
}

bool pulse_server_finish(struct pulse_server *server, pa_operation *operation)
{
    if (operation == NULL)
        return false;
    while (pa_operation_get_state(operation) == PA_OPERATION_RUNNING)
        if (pa_mainloop_iterate(server->loop, 1, NULL) < 0)
            break;
    bool done = pa_operation_get_state(operation) == PA_OPERATION_DONE;
    pa_operation_unref(operation);
    return done;
}

void pulse_server_close(struct pulse_server *server)
{
    if (server->context != NULL) {
        pa_context_disconnect(server->context);
        pa_context_unref(server->context);
    }
    if (server->loop != NULL)
        pa_mainloop_free(server->loop);
    *server = (struct pulse_server){0};
}

/* SPDX-License-Identifier: MIT */
#include "app/pulse_sources.h"

#include <pulse/pulseaudio.h>
#include <stdio.h>
#include <string.h>

struct listing {
    struct pulse_source *sources;
    size_t count;
    char default_name[256];
};

static void take_source(pa_context *context, const pa_source_info *info, int end, void *user)
{
    (void)context;
    struct listing *listing = user;
    if (end != 0 || listing->count == PULSE_SOURCES_LIMIT)
        return;
    struct pulse_source *source = &listing->sources[listing->count++];
    *source = (struct pulse_source){
        .sample_rate = (int)info->sample_spec.rate,
        .channels = info->sample_spec.channels,
        .monitor = info->monitor_of_sink != PA_INVALID_INDEX,
    };
    snprintf(source->name, sizeof source->name, "%s", info->name);
    snprintf(source->description, sizeof source->description, "%s",
             info->description != NULL ? info->description : info->name);
}

static void take_server(pa_context *context, const pa_server_info *info, void *user)
{
    (void)context;
    struct listing *listing = user;
    snprintf(listing->default_name, sizeof listing->default_name, "%s",
             info->default_source_name != NULL ? info->default_source_name : "");
}

/* Until the operation is done; false when the server went away. */
static bool finish(pa_mainloop *loop, pa_operation *operation)
{
    if (operation == NULL)
        return false;
    while (pa_operation_get_state(operation) == PA_OPERATION_RUNNING)
        if (pa_mainloop_iterate(loop, 1, NULL) < 0)
            break;
    bool done = pa_operation_get_state(operation) == PA_OPERATION_DONE;
    pa_operation_unref(operation);
    return done;
}

static bool connect_server(pa_mainloop *loop, pa_context *context)
{
    if (pa_context_connect(context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) < 0)
        return false;
    while (pa_context_get_state(context) != PA_CONTEXT_READY)
        if (!PA_CONTEXT_IS_GOOD(pa_context_get_state(context)) ||
            pa_mainloop_iterate(loop, 1, NULL) < 0)
            return false;
    return true;
}

size_t pulse_sources_list(struct pulse_source sources[PULSE_SOURCES_LIMIT])
{
    struct listing listing = {.sources = sources};
    pa_mainloop *loop = pa_mainloop_new();
    pa_context *context = loop != NULL ? pa_context_new(pa_mainloop_get_api(loop), "utter") : NULL;
    if (context != NULL && connect_server(loop, context) &&
        finish(loop, pa_context_get_server_info(context, take_server, &listing)))
        finish(loop, pa_context_get_source_info_list(context, take_source, &listing));
    for (size_t i = 0; i < listing.count; i++)
        sources[i].is_default = strcmp(sources[i].name, listing.default_name) == 0;
    if (context != NULL) {
        pa_context_disconnect(context);
        pa_context_unref(context);
    }
    if (loop != NULL)
        pa_mainloop_free(loop);
    return listing.count;
}

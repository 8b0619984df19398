/* SPDX-License-Identifier: MIT */
#include "app/pulse_sources.h"
#include "app/pulse_server.h"

#include <stdio.h>
#include <string.h>

struct listing {
    struct pulse_source *sources;
    size_t count;
    char default_source[256];
    char default_sink[256];
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
        .is_default = strcmp(info->name, listing->default_source) == 0,
        .is_desktop = info->monitor_of_sink_name != NULL &&
                      strcmp(info->monitor_of_sink_name, listing->default_sink) == 0,
    };
    snprintf(source->name, sizeof source->name, "%s", info->name);
    snprintf(source->description, sizeof source->description, "%s",
             info->description != NULL ? info->description : info->name);
}

static void take_server(pa_context *context, const pa_server_info *info, void *user)
{
    (void)context;
    struct listing *listing = user;
    snprintf(listing->default_source, sizeof listing->default_source, "%s",
             info->default_source_name != NULL ? info->default_source_name : "");
    snprintf(listing->default_sink, sizeof listing->default_sink, "%s",
             info->default_sink_name != NULL ? info->default_sink_name : "");
}

size_t pulse_sources_list(struct pulse_source sources[PULSE_SOURCES_LIMIT])
{
    struct listing listing = {.sources = sources};
    struct pulse_server server;
    if (pulse_server_open(&server) &&
        pulse_server_finish(&server,
                            pa_context_get_server_info(server.context, take_server, &listing)))
        pulse_server_finish(&server,
                            pa_context_get_source_info_list(server.context, take_source, &listing));
    pulse_server_close(&server);
    return listing.count;
}

/* SPDX-License-Identifier: MIT */
#include "app/pulse_watch.h"
#include "app/pulse_server.h"
#include "app/pulse_sources.h"
#include "app/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What is asked for: the default source, one by its name, or the default output's monitor. */
enum wish { WISH_DEFAULT = 0, WISH_NAMED, WISH_DESKTOP };

/* How things stand. Indices are the server's, PA_INVALID_INDEX: none. */
struct look {
    char default_name[256]; /* of the default source, or where the desktop is asked for output */
    uint32_t wanted_index;  /* of the source that is asked for */
    bool as_opened;         /* it is the one that the stream was opened for */
    uint32_t stream;        /* ours */
    uint32_t source;        /* that it hears */
    char heard[256];        /* what people call that */
};

struct watch {
    struct capture_shared *shared;
    struct pulse_server server;
    enum wish wish;
    const char *name; /* of the source that the stream was opened for; NULL: the default one */
    char pid[16];     /* by which our stream is known */
    bool moves;       /* the server moves streams by itself when the default changes, in a while */
    bool news;        /* something changed since the last look */
    struct look now;
    uint32_t reported; /* source that was told last */
};

/* PipeWire moves monitors, too, a moment later. */
static const struct timespec MOVE_NAP = {.tv_nsec = 300000000};

/* ---- looking ---- */

static void copy(char destination[256], const char *text)
{
    snprintf(destination, 256, "%s", text != NULL ? text : "");
}

static void take_server(pa_context *context, const pa_server_info *info, void *user)
{
    (void)context;
    struct watch *watch = user;
    copy(watch->now.default_name,
         watch->wish == WISH_DESKTOP ? info->default_sink_name : info->default_source_name);
}

static void take_stream(pa_context *context, const pa_source_output_info *info, int end, void *user)
{
    (void)context;
    struct watch *watch = user;
    const char *pid =
        end == 0 ? pa_proplist_gets(info->proplist, PA_PROP_APPLICATION_PROCESS_ID) : NULL;
    if (pid == NULL || strcmp(pid, watch->pid) != 0)
        return;
    watch->now.stream = info->index;
    watch->now.source = info->source;
}

static void take_source(pa_context *context, const pa_source_info *info, int end, void *user)
{
    (void)context;
    struct watch *watch = user;
    if (end != 0)
        return;
    const char *name = watch->wish == WISH_DESKTOP ? info->monitor_of_sink_name : info->name;
    const char *wanted = watch->wish == WISH_NAMED ? watch->name : watch->now.default_name;
    if (name != NULL && strcmp(name, wanted) == 0) {
        watch->now.wanted_index = info->index;
        watch->now.as_opened = watch->name != NULL && strcmp(info->name, watch->name) == 0;
    }
    if (info->index == watch->now.source)
        copy(watch->now.heard, info->description != NULL ? info->description : info->name);
}

static bool look(struct watch *watch)
{
    struct pulse_server *server = &watch->server;
    pa_context *context = server->context;
    watch->news = false;
    watch->now = (struct look){
        .wanted_index = PA_INVALID_INDEX, .stream = PA_INVALID_INDEX, .source = PA_INVALID_INDEX};
    return pulse_server_finish(server, pa_context_get_server_info(context, take_server, watch)) &&
           pulse_server_finish(
               server, pa_context_get_source_output_info_list(context, take_stream, watch)) &&
           pulse_server_finish(server,
                               pa_context_get_source_info_list(context, take_source, watch));
}

/* ---- judging ---- */

static bool right(const struct look *look)
{
    return look->source != PA_INVALID_INDEX && look->source == look->wanted_index;
}

/*
 * Whether the stream does not hear any more what it should: it was taken away from there, or that
 * is another source now. Who asked for the default source may have moved it by hand: then it stays.
 */
static bool astray(const struct watch *watch, const struct look *before)
{
    const struct look *now = &watch->now;
    bool other = strcmp(now->default_name, before->default_name) != 0;
    if (now->stream == PA_INVALID_INDEX || right(now))
        return false;
    return watch->wish == WISH_DEFAULT   ? other && right(before)
           : watch->wish == WISH_DESKTOP ? !now->as_opened || right(before)
                                         : right(before);
}

static void report(struct watch *watch)
{
    struct capture_shared *shared = watch->shared;
    uint32_t count = atomic_load_explicit(&shared->heard_count, memory_order_relaxed);
    if (watch->now.heard[0] == '\0' || watch->now.source == watch->reported)
        return;
    watch->reported = watch->now.source;
    copy(shared->heard[count % CAPTURE_HEARD], watch->now.heard);
    atomic_store_explicit(&shared->heard_count, count + 1, memory_order_release);
}

/* ---- the thread ---- */

static void take_news(pa_context *context, pa_subscription_event_type_t type, uint32_t index,
                      void *user)
{
    (void)context, (void)type, (void)index;
    ((struct watch *)user)->news = true;
}

static bool await_news(struct watch *watch)
{
    while (!watch->news)
        if (pa_mainloop_iterate(watch->server.loop, 1, NULL) < 0 ||
            !PA_CONTEXT_IS_GOOD(pa_context_get_state(watch->server.context)))
            return false;
    return true;
}

/* Until the stream goes astray, or the server. */
static void follow(struct watch *watch)
{
    const pa_subscription_mask_t mask = PA_SUBSCRIPTION_MASK_SERVER | PA_SUBSCRIPTION_MASK_SOURCE |
                                        PA_SUBSCRIPTION_MASK_SOURCE_OUTPUT;
    pa_context *context = watch->server.context;
    pa_context_set_subscribe_callback(context, take_news, watch);
    if (!pulse_server_finish(&watch->server, pa_context_subscribe(context, mask, NULL, NULL)) ||
        !look(watch))
        return;
    struct look before = watch->now;
    do {
        if (watch->moves && astray(watch, &before)) {
            nanosleep(&MOVE_NAP, NULL);
            if (!look(watch))
                return;
        }
        if (astray(watch, &before)) {
            atomic_store_explicit(&watch->shared->state, CAPTURE_MOVED, memory_order_release);
            return;
        }
        report(watch);
        before = watch->now;
    } while (await_news(watch) && look(watch));
}

static void *run(void *user)
{
    struct watch watch = {
        .shared = user, .name = getenv("PULSE_SOURCE"), .reported = PA_INVALID_INDEX};
    if (watch.name != NULL)
        watch.wish = strcmp(watch.shared->device, PULSE_DESKTOP) == 0 ? WISH_DESKTOP : WISH_NAMED;
    snprintf(watch.pid, sizeof watch.pid, "%d", (int)getpid());
    if (pulse_server_open(&watch.server))
        follow(&watch);
    pulse_server_close(&watch.server);
    return NULL;
}

void pulse_watch_start(struct capture_shared *shared)
{
    pthread_t thread;
    if (thread_start(&thread, run, shared) == 0) /* what it is for can be done without */
        pthread_detach(thread);
}

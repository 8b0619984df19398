/* SPDX-License-Identifier: MIT */
#include "app/clock.h"
#include "app/fault.h"
#include "app/model_path.h"
#include "app/screen.h"
#include "app/session.h"
#include "app/signals.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 100 };

static const int64_t RETRY_NS = 1000000000;
static const int64_t PEAK_NS = 2000000000;
static const float CLIPPED_DB = -0.5f; /* of the peak */

/* ---- what goes wrong, and what is going on ---- */

static const int64_t NOTICE_NS = 5000000000; /* enough to read a line */

void session_say(struct session *session, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(session->notice, sizeof session->notice, format, arguments);
    va_end(arguments);
    session->noticed_ns = now_ns();
    if (session->screen == NULL)
        fault_print("%s", session->notice);
}

void session_fail(struct session *session, const char *message)
{
    session->failed = true;
    if (session->failure[0] == '\0' || session->overcome)
        snprintf(session->failure, sizeof session->failure, "%s", message);
    session->overcome = false;
}

/* A file that cannot be written: said once, tried again, and said when it is over. */
static void note_writing(struct session *session, bool written, const char *message)
{
    if (!written && session->trouble[0] == '\0') {
        snprintf(session->trouble, sizeof session->trouble, "%.400s; it is tried again", message);
        session_say(session, "%s", session->trouble);
    } else if (written && session->trouble[0] != '\0') {
        session->trouble[0] = '\0';
        session_say(session, "everything is written now");
    }
}

/* A screen shows both all the time. */
static void tell_beginning(struct session *session, const char *input)
{
    const char *model = session->model_name;
    int wrong = model_path_experimental(session->model);
    session_say(session, "listening to %.200s with %.200s; Ctrl-C ends", input, model);
    if (wrong > 0)
        session_say(session, "%.200s is experimental: about %d of 100 words wrong", model, wrong);
}

/* One that was lost may wait for the next source before it is back. */
static void tell_state(struct session *session, struct session_input *input,
                       const struct source_status *now)
{
    const char *name = input->source->name;
    if (now->state == SOURCE_LISTENING && !input->was_heard && session->screen == NULL)
        tell_beginning(session, name);
    else if (now->state == SOURCE_LISTENING && input->lost)
        session_say(session, "the microphone %.200s is back", name);
    else if (now->state == SOURCE_LOST && !input->lost)
        session_say(session,
                    "the microphone %.200s is lost: %.300s; what was heard is kept, and it is "
                    "opened again when it is back",
                    name, now->message);
    else if (now->state == SOURCE_ENDED && now->failed)
        session_fail(session, now->message);
    input->lost = now->state == SOURCE_LOST || (input->lost && now->state != SOURCE_LISTENING);
    input->was_heard |= now->state == SOURCE_LISTENING;
}

static void follow_sources(struct session *session)
{
    for (int i = 0; i < session->input_count; i++) {
        struct session_input *input = &session->inputs[i];
        struct source_status now;
        source_status(input->source, &now);
        if (now.state != input->heard.state || !input->was_heard)
            tell_state(session, input, &now);
        if (now.moves != input->heard.moves)
            session_say(session, "%.200s is heard from %.200s now", input->source->name,
                        now.heard[0] != '\0' ? now.heard : "elsewhere");
        input->heard = now;
    }
}

/* Lost, and not heard again since: neither there nor from the next source that it waits for. */
static bool is_missing(const struct session_input *input)
{
    return input->heard.state == SOURCE_LOST ||
           (input->lost && input->heard.state == SOURCE_WAITING);
}

/* The input whose state matters most to the user: one that is missing, otherwise the first. */
static const struct session_input *worst_input(const struct session *session)
{
    for (int i = 0; i < session->input_count; i++)
        if (is_missing(&session->inputs[i]))
            return &session->inputs[i];
    return &session->inputs[0];
}

/* Two streams as one: the louder, the later, the busier. */
static void add_status(struct utter_live_status *sum, const struct utter_live_status *other)
{
    sum->level_dbfs = fmaxf(sum->level_dbfs, other->level_dbfs);
    sum->peak_dbfs = fmaxf(sum->peak_dbfs, other->peak_dbfs);
    sum->load += other->load;
    sum->latency_ms = fmaxf(sum->latency_ms, other->latency_ms);
    sum->speech |= other->speech;
    sum->behind |= other->behind;
}

/* The peak stays for a while, so that it can be read. */
static void follow_peak(struct session *session, struct status_line *status)
{
    int64_t now = now_ns();
    float peak = status->live.peak_dbfs;
    if (peak >= session->peak_dbfs || now - session->peak_ns > PEAK_NS) {
        session->peak_dbfs = peak;
        session->peak_ns = now;
    }
    if (peak > CLIPPED_DB && status->state == SOURCE_LISTENING)
        session->clipped_ns = now;
    status->peak_dbfs = session->peak_dbfs;
    status->clipping = session->clipped_ns != 0 && now - session->clipped_ns < PEAK_NS;
}

/* What an input is called, or once it was moved what it hears. */
static const char *shown_name(const struct session_input *input)
{
    if (input->heard.moves > 0 && input->heard.heard[0] != '\0')
        return input->heard.heard;
    return input->source->short_name != NULL ? input->source->short_name : input->source->name;
}

static void draw(struct session *session)
{
    char line[512];
    const struct session_input *input = worst_input(session);
    struct status_line status = {
        .source = shown_name(input),
        .model = session->model_name,
        .state = input->heard.state,
        .kept = session->keeper.history != NULL ? "history on" : "history off",
        .recording = session_records(session),
        .muted = session->muted,
        .finishing = session->finishing,
        .ended = session->done,
        .sample_rate = session->rate,
        .live = UTTER_LIVE_STATUS_INIT,
    };
    utter_live_status(session->inputs[0].track->live, &status.live);
    for (int i = 1; i < session->input_count; i++) {
        struct utter_live_status other = UTTER_LIVE_STATUS_INIT;
        utter_live_status(session->inputs[i].track->live, &other);
        add_status(&status.live, &other);
    }
    status.live.lost = captions_lost(session->captions); /* pauses are no losses */
    follow_peak(session, &status);
    if (session->origin_ns != 0)
        status.elapsed = 1e-9 * (double)(now_ns() - session->origin_ns);
    status.word_error_rate = model_path_experimental(session->model);
    if (now_ns() - session->noticed_ns < NOTICE_NS)
        status.notice = session->notice;
    if (session->trouble[0] != '\0') {
        status.trouble = session->trouble;
    } else if (session->failure[0] != '\0' && !session->overcome) {
        status.trouble = session->failure;
    } else if (input->heard.state == SOURCE_LOST) {
        snprintf(line, sizeof line, "%.60s is lost: %s; opening it again", input->source->name,
                 input->heard.message);
        status.trouble = line;
    }
    screen_draw(session->screen, &status);
}

/* ---- events ---- */

static void take_event(struct session *session, const struct utter_event *event, int speaker)
{
    struct utter_error error = {0};
    if (event->type == UTTER_EVENT_STATE && event->state == UTTER_STATE_FAILED)
        session_fail(session, event->text != NULL ? event->text : "the recogniser failed");
    if (session->captions != NULL && !captions_event(session->captions, event, speaker))
        session_fail(session, "out of memory");
    bool written = keeper_event(&session->keeper, event, speaker, &error);
    for (int i = 0; i < session->sink_count; i++)
        written &= sink_event(session->sinks[i], event, speaker, written ? &error : NULL);
    if (!written) /* that all is written again, write_again() says */
        note_writing(session, false, error.message);
}

static void take_events(struct session *session)
{
    const struct utter_event *event;
    int speaker;
    while ((event = session_next_event(session, &speaker)) != NULL)
        take_event(session, event, speaker);
}

/* Whether the system has all words; no disk is asked. */
static bool all_settled(const struct session *session)
{
    bool settled = keeper_settled(&session->keeper);
    for (int i = 0; i < session->sink_count; i++)
        settled = settled && sink_settled(session->sinks[i]);
    return settled;
}

static void write_again(struct session *session)
{
    struct utter_error error = {0};
    if (now_ns() - session->retried_ns < RETRY_NS)
        return;
    session->retried_ns = now_ns();
    bool written = true;
    for (int i = 0; i < session->sink_count && written; i++)
        written = sink_flush(session->sinks[i], &error);
    if (written)
        written = keeper_check(&session->keeper, &error);
    session->hangs = !written && error.code == UTTER_ERROR_SYSTEM;
    if (!written || all_settled(session)) /* one that is at work is no news */
        note_writing(session, written, error.message);
}

/* ---- what the user wants ---- */

void session_quit(struct session *session)
{
    if (session->finishing || session->done)
        session->leave = true;
    session->finishing = true;
    if (session->screen != NULL)
        draw(session);
    if (is_missing(worst_input(session)))
        session_fail(session, "the microphone was lost and did not come back");
    session_inputs_stop(session);
}

void session_note_pause(struct session *session)
{
    struct utter_error error = {0};
    if (session->captions != NULL)
        captions_pause(session->captions);
    if (!keeper_pause(&session->keeper, &error))
        note_writing(session, false, error.message);
}

void session_pause(struct session *session)
{
    if (session->finishing || session->done)
        return;
    session->paused = !session->paused;
    if (session->paused)
        session_note_pause(session);
    session_inputs_pause(session, session->paused);
}

void session_save(struct session *session)
{
    struct utter_error error;
    bool saved = true;
    for (int i = 0; i < session->sink_count && saved; i++)
        saved = sink_flush(session->sinks[i], &error);
    saved = saved && keeper_check(&session->keeper, &error);
    session_say(session, "%s",
                !saved                 ? error.message
                : all_settled(session) ? "all of it is written"
                                       : "not all of it is written yet");
}

static bool any_listens(const struct session *session)
{
    for (int i = 0; i < session->input_count; i++) {
        struct source_status status;
        source_status(session->inputs[i].source, &status);
        if (status.state == SOURCE_LISTENING || status.state == SOURCE_WAITING)
            return true;
    }
    return false;
}

/* A process that is stopped does not listen: its pump must know before it is stopped, too. */
static void stop_for_a_while(struct session *session)
{
    const struct timespec nap = {.tv_nsec = 10000000};
    session_inputs_pause(session, true);
    for (int i = 0; i < 10 && any_listens(session); i++)
        nanosleep(&nap, NULL);
    session_note_pause(session);
    if (session->screen != NULL)
        screen_suspend(session->screen);
    signals_stop_process();
    if (session->screen != NULL)
        screen_resume(session->screen);
    session_inputs_pause(session, session->paused);
}

static void take_signals(struct session *session)
{
    bool resized = false;
    for (int number; (number = signals_next()) != 0;) {
        if (number == SIGWINCH)
            resized = true;
        else if (number == SIGTSTP)
            stop_for_a_while(session);
        else if (number == SIGQUIT)
            session->leave = true;
        else if (number != SIGCONT)
            session_quit(session);
    }
    if (resized && session->screen != NULL)
        screen_resize(session->screen);
}

/* ---- the loop ---- */

enum { SIGNALS, KEYS, OUTPUT, DEVICES, EVENTS, POLLED = EVENTS + SESSION_TRACKS };

static void wait_for_something(struct session *session)
{
    struct pollfd polled[POLLED] = {
        [SIGNALS] = {.fd = signals_descriptor(), .events = POLLIN},
        [KEYS] = {.fd = session->keys ? STDIN_FILENO : -1, .events = POLLIN},
        [DEVICES] = {.fd = session->devices != NULL ? device_list_descriptor(session->devices) : -1,
                     .events = POLLIN},
        /* Whoever read our standard output may have had enough. */
        [OUTPUT] = {.fd = session->screen == NULL ? STDOUT_FILENO : -1, .events = 0},
    };
    for (int i = 0; i < SESSION_TRACKS; i++) {
        bool wanted = i < session->track_count && !session->tracks[i]->done &&
                      session->tracks[i]->offset_known;
        polled[EVENTS + i].fd = wanted ? utter_live_descriptor(session->tracks[i]->live) : -1;
        polled[EVENTS + i].events = POLLIN;
    }
    if (poll(polled, POLLED, TICK_MS) <= 0)
        return;
    if ((polled[KEYS].revents & (POLLHUP | POLLERR)) != 0) {
        session->keys = false; /* the terminal is gone, and SIGHUP may never come */
        session_quit(session);
    }
    if ((polled[OUTPUT].revents & (POLLHUP | POLLERR)) != 0)
        session->leave = true;
}

void session_run(struct session *session)
{
    session->keys = session->screen != NULL;
    while (!session->leave && (!session->done || session->screen != NULL)) {
        follow_sources(session);
        session_follow_change(session);
        session_follow_devices(session);
        if (session->screen != NULL)
            draw(session);
        wait_for_something(session);
        take_signals(session);
        if (session->keys && session_take_keys(session))
            draw(session); /* who pressed one does not wait for the disk */
        take_events(session);
        write_again(session);
        if (session->done && session->finishing)
            break; /* the user wanted to leave, and all is decoded */
    }
    follow_sources(session);
}

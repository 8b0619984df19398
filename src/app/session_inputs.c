/* SPDX-License-Identifier: MIT */
#include "app/fault.h"
#include "app/microphone.h"
#include "app/mixer.h"
#include "app/model_path.h"
#include "app/options.h"
#include "app/playback.h"
#include "app/pulse_sources.h"
#include "app/remembered_device.h"
#include "app/session.h"
#include "app/speaker_names.h"
#include "app/stream_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NO_MICROPHONE = 3 };

/* ---- sources ---- */

/* The recording that lies beside the model, or beside the model that comes with the program. */
static struct source *open_demo(struct session *session, struct utter_error *error)
{
    static const char *const names[] = {"demo.flac", "demo.opus"};
    const struct utter_model_info *model = utter_model_info(session->model);
    const char *directory = model->directory;
    for (int i = 0; i < 4; i++) {
        char *path = NULL;
        if (i < 2 && asprintf(&path, "%s/%s", directory, names[i]) < 0)
            path = NULL;
        if (i >= 2 && asprintf(&path, "models/digits/%s", names[i - 2]) >= 0) {
            char *relative = path;
            path = model_path_data(relative);
            free(relative);
        }
        bool there = path != NULL && access(path, F_OK) == 0;
        struct source *source = there ? playback_open(path, 1, model, error) : NULL;
        free(path);
        if (there)
            return source;
    }
    fault_set(error, UTTER_ERROR_FILE,
              "the demo's recording is not here: it comes with the model \"digits\"");
    return NULL;
}

static struct source *open_microphone(struct session *session, const char *device,
                                      const atomic_bool *cancelled, struct utter_error *error)
{
    const struct microphone_options options = {
        .device = device,
        .rate = utter_model_info(session->model)->sample_rate,
        .log = session->log,
        .paused = cancelled != NULL,
        .cancelled = cancelled,
    };
    return microphone_open(&options, error);
}

/* The microphone and what the desktop plays, as one. */
static struct source *open_mix(struct session *session, const char *device,
                               const atomic_bool *cancelled, struct utter_error *error)
{
    struct source *inputs[2];
    inputs[0] = open_microphone(session, device, cancelled, error);
    inputs[1] =
        inputs[0] != NULL ? open_microphone(session, PULSE_DESKTOP, cancelled, error) : NULL;
    if (inputs[1] != NULL)
        return mixer_open(inputs, utter_model_info(session->model)->sample_rate, error);
    source_close(inputs[0]);
    return NULL;
}

static struct source *open_device(struct session *session, const char *device,
                                  const atomic_bool *cancelled, struct utter_error *error)
{
    if (session->options->mix)
        return open_mix(session, device, cancelled, error);
    return open_microphone(session, device, cancelled, error);
}

/* What --device says, or the one that was chosen last, or if that is gone the default. */
static struct source *open_chosen(struct session *session, struct utter_error *error)
{
    char device[256];
    if (session->options->device != NULL)
        return open_device(session, session->options->device, NULL, error);
    remembered_device_read(device, sizeof device);
    struct source *source = open_device(session, device, NULL, error);
    if (source == NULL && device[0] != '\0') {
        session_say(session, "the input chosen last is not here: %.200s", error->message);
        source = open_device(session, "", NULL, error);
    }
    return source;
}

static struct source *open_first(struct session *session, struct utter_error *error)
{
    const struct listen_options *options = session->options;
    if (options->demo)
        return open_demo(session, error);
    if (options->input != NULL)
        return playback_open(options->input, options->speed, utter_model_info(session->model),
                             error);
    return open_chosen(session, error);
}

int session_inputs_open(struct session *session)
{
    const struct listen_options *options = session->options;
    struct utter_error error;
    int wanted = options->split ? 2 : 1;
    while (session->input_count < wanted) {
        struct source *source = session->input_count == 0
                                    ? open_first(session, &error)
                                    : open_microphone(session, PULSE_DESKTOP, NULL, &error);
        if (source == NULL)
            break;
        session->inputs[session->input_count++].source = source;
    }
    if (session->input_count == wanted) {
        session->rate = session->inputs[0].source->sample_rate;
        return OPTIONS_OK;
    }
    if (options->demo || options->input != NULL) {
        fault_print("%s", error.message);
        return OPTIONS_FAILURE;
    }
    fault_print("no microphone: %s; without one, try `utter --demo` or `utter --input FILE`",
                error.message);
    return NO_MICROPHONE;
}

const char *const *session_speakers(const struct session *session)
{
    return session->options->split || session->options->mix ? SPEAKER_NAMES : NULL;
}

/* ---- tracks ---- */

/* A stream that hears `source`; it is one of the session's, and its offset is not known yet. */
static struct track *open_track(struct session *session, const struct source *source, int speaker,
                                struct utter_error *error)
{
    struct utter_stream_options options = UTTER_STREAM_OPTIONS_INIT;
    stream_settings_take(&session->options->values, &options);
    options.sample_rate = source->sample_rate;
    options.channels = source->channels;
    options.drafts_off = session->captions == NULL && !session->options->sink.drafts;
    if (session->track_count == SESSION_TRACKS) {
        fault_set(error, UTTER_ERROR_SYSTEM, "the words of the inputs before are still awaited");
        return NULL;
    }
    struct track *track = calloc(1, sizeof *track);
    if (track == NULL) {
        fault_memory(error);
        return NULL;
    }
    track->speaker = speaker;
    track->sample_rate = source->sample_rate;
    track->session_rate = session->rate;
    track->live = utter_live_open(session->model, &options, NULL, error);
    if (track->live == NULL) {
        free(track);
        return NULL;
    }
    session->tracks[session->track_count++] = track;
    return track;
}

static void forget_track(struct session *session, struct track *track)
{
    for (int i = 0; i < session->track_count; i++)
        if (session->tracks[i] == track)
            session->tracks[i] = session->tracks[--session->track_count];
    track_close(track);
    free(track);
}

void session_drop_track(struct session *session, struct track *track)
{
    for (int i = 0; i < session->input_count; i++)
        if (session->inputs[i].track == track || session->inputs[i].next == track)
            return;
    if (session->left == track && session->left_outlet != NULL)
        return; /* its source is not closed yet and may still push */
    if (session->left == track) {
        session->left_end = track_end(track);
        session->left = NULL;
    }
    forget_track(session, track);
}

static bool start_input(struct session *session, struct session_input *input,
                        struct utter_error *error)
{
    const struct source *source = input->source;
    struct live_outlet *outlet = malloc(sizeof *outlet);
    if (outlet == NULL)
        return fault_memory(error);
    struct recorder *recorder =
        keeper_record(&session->keeper, source->sample_rate, source->channels, error);
    if (recorder == NULL && error->code != UTTER_OK)
        session_say(session, "nothing is recorded: %s", error->message);
    live_outlet_open(outlet, input->track->live, recorder, source->channels);
    live_outlet_mute(outlet, session->muted);
    input->outlet = outlet;
    return source_start(input->source, &outlet->outlet, error);
}

bool session_inputs_start(struct session *session, struct utter_error *error)
{
    session->left_end = -1;
    for (int i = 0; i < session->input_count; i++) {
        struct session_input *input = &session->inputs[i];
        int speaker = session->input_count > 1 ? i + 1 : 0;
        input->track = open_track(session, input->source, speaker, error);
        if (input->track == NULL || !start_input(session, input, error))
            return false;
    }
    return true;
}

void session_inputs_pause(struct session *session, bool paused)
{
    for (int i = 0; i < session->input_count; i++)
        source_pause(session->inputs[i].source, paused);
}

void session_inputs_mute(struct session *session, bool muted)
{
    for (int i = 0; i < session->input_count; i++)
        live_outlet_mute(session->inputs[i].outlet, muted);
}

bool session_records(const struct session *session)
{
    bool any = false;
    for (int i = 0; i < session->input_count; i++)
        any |= session->inputs[i].outlet->recorder != NULL;
    return any;
}

void session_inputs_stop(struct session *session)
{
    for (int i = 0; i < session->input_count; i++)
        source_stop(session->inputs[i].source);
}

void session_inputs_close(struct session *session)
{
    change_end(&session->change);
    for (int i = 0; i < session->input_count; i++) {
        source_close(session->inputs[i].source);
        free(session->inputs[i].outlet);
    }
    session->input_count = 0;
    free(session->left_outlet);
    while (session->track_count > 0)
        forget_track(session, session->tracks[0]);
}

/* ---- changes ---- */

static bool open_other_input(struct change *change)
{
    change->source = open_device(change->user, change->name, &change->cancelled, &change->error);
    return change->source != NULL;
}

static bool open_other_model(struct change *change)
{
    struct session *session = change->user;
    change->model =
        model_path_open(session->engine, change->name, &session->options->values, &change->error);
    return change->model != NULL;
}

static void start_change(struct session *session, change_function *open, const char *name)
{
    struct utter_error error;
    if (session->finishing)
        return;
    if (change_state(&session->change) != CHANGE_NONE || session->left != NULL)
        session_say(session, "one change at a time: the last one is still on its way");
    else if (!change_start(&session->change, open, name, session, &error))
        session_say(session, "%s", error.message);
    else
        session_say(session, "opening %.200s", name[0] != '\0' ? name : "the default input");
}

void session_change_device(struct session *session, const char *device)
{
    start_change(session, open_other_input, device);
}

void session_change_model(struct session *session, const char *directory)
{
    if (session->done)
        session_say(session, "nothing is heard any more: choose an input first");
    else
        start_change(session, open_other_model, directory);
}

/* From here on the new input is heard; what the old one heard is still being decoded. */
static bool take_input(struct session *session, struct utter_error *error)
{
    struct session_input *input = &session->inputs[0];
    struct source *source = session->change.source;
    struct track *track = open_track(session, source, input->track->speaker, error);
    if (track == NULL)
        return false;
    struct session_input before = *input;
    source_stop(before.source);
    input->source = source;
    input->track = track;
    session->overcome = true;
    if (!start_input(session, input, error)) /* nothing is heard any more: say so at the end */
        session_fail(session, error->message);
    source_pause(source, session->paused);
    if (before.heard.state == SOURCE_ENDED)
        session_note_pause(session); /* nobody listened in between, and the user knew */
    session->left = before.track;
    before.track->offset_known = true; /* or it never heard anything */
    input->earliest = track_end(before.track);
    input->heard = (struct source_status){0};
    input->was_heard = false;
    input->lost = false;
    input->base = 0;
    session->left_outlet = before.outlet;
    remembered_device_write(session->change.name);
    change_close(&session->change, before.source);
    return true;
}

/* The old model's streams end with the audio that has come until now. */
static bool take_model(struct session *session, struct utter_error *error)
{
    struct utter_model *before = session->model;
    session->model = session->change.model;
    for (int i = 0; i < session->input_count; i++) {
        struct session_input *input = &session->inputs[i];
        input->next = open_track(session, input->source, input->track->speaker, error);
        if (input->next == NULL) {
            while (i-- > 0) {
                forget_track(session, session->inputs[i].next);
                session->inputs[i].next = NULL;
            }
            session->model = before;
            return false;
        }
    }
    for (int i = 0; i < session->input_count; i++)
        live_outlet_redirect(session->inputs[i].outlet, session->inputs[i].next->live);
    utter_model_close(before);
    char *name = model_path_name(session->change.name);
    if (name != NULL) {
        free(session->model_name);
        session->model_name = name;
    }
    change_close(&session->change, NULL);
    return true;
}

static void take_change(struct session *session)
{
    struct change *change = &session->change;
    struct utter_error error = change->error;
    bool input = change->source != NULL;
    if (!change->failed && !input && session->done)
        fault_set(&error, UTTER_ERROR_SYSTEM, "nothing is heard any more");
    else if (!change->failed && (input ? take_input(session, &error) : take_model(session, &error)))
        return;
    session_say(session, "%.200s does not open: %.250s; nothing has changed", change->name,
                error.message);
    change_end(change);
}

void session_follow_outlets(struct session *session)
{
    for (int i = 0; i < session->input_count; i++) {
        struct session_input *input = &session->inputs[i];
        if (input->next == NULL || !live_outlet_settled(input->outlet) ||
            !input->track->offset_known)
            continue;
        int64_t base = atomic_load(&input->outlet->base) - input->base;
        input->next->offset =
            input->track->offset + (double)base / (double)input->source->sample_rate;
        input->next->offset_known = true;
        input->base += base;
        input->track = input->next;
        input->next = NULL;
    }
}

void session_follow_change(struct session *session)
{
    struct change *change = &session->change;
    if (change_state(change) == CHANGE_OPENED && !session->finishing)
        take_change(session);
    session_follow_outlets(session);
    if (change_state(change) != CHANGE_DONE)
        return;
    change_end(change);
    free(session->left_outlet);
    session->left_outlet = NULL;
}

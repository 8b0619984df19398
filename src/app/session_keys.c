/* SPDX-License-Identifier: MIT */
#include "app/model_path.h"
#include "app/screen.h"
#include "app/session.h"

#include <stdlib.h>
#include <string.h>

/* ---- choosing an input or a model ---- */

static void show_devices(struct session *session)
{
    const struct device_list *devices = session->devices;
    bool whole = device_list_descriptor(devices) < 0;
    const struct screen_list list = {
        .title = "input: Enter chooses, Esc leaves",
        .items = device_list_titles(devices),
        .count = device_list_count(devices),
        .empty = whole ? "no input was found" : "looking for inputs ...",
    };
    screen_choose(session->screen, &list);
}

static void choose_device(struct session *session)
{
    struct utter_error error;
    device_list_close(session->devices);
    session->devices = device_list_open(&error);
    session->choosing_model = false;
    if (session->devices == NULL)
        session_say(session, "%s", error.message);
    else
        show_devices(session);
}

static void choose_model(struct session *session)
{
    model_list_close(&session->models);
    model_list_open(&session->models, utter_model_info(session->model)->directory);
    session->choosing_model = true;
    struct screen_list list = {
        .title = "model: Enter chooses, Esc leaves",
        .items = (const char *const *)session->models.names,
        .count = session->models.count,
        .empty = "there is no other model",
    };
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.items[i], session->model_name) == 0)
            list.current = i;
    screen_choose(session->screen, &list);
}

void session_follow_devices(struct session *session)
{
    struct device_list *devices = session->devices;
    if (devices == NULL || device_list_descriptor(devices) < 0 || !device_list_follow(devices))
        return;
    if (screen_is_choosing(session->screen) && !session->choosing_model)
        show_devices(session);
}

static void take_choice(struct session *session)
{
    size_t index = screen_chosen(session->screen);
    if (session->choosing_model) {
        if (index < session->models.count)
            session_change_model(session, session->models.directories[index]);
        return;
    }
    if (session->devices != NULL && index < device_list_count(session->devices))
        session_change_device(session, device_list_name(session->devices, index));
}

/* ---- the rest ---- */

static void mute(struct session *session)
{
    session->muted = !session->muted;
    session_inputs_mute(session, session->muted);
    captions_notice(session->captions, session->muted ? "[muted]" : "[not muted any more]");
}

bool session_take_keys(struct session *session)
{
    for (bool any = false;; any = true) {
        switch (screen_next(session->screen)) {
        case SCREEN_NOTHING:
            return any;
        case SCREEN_HANDLED:
            break;
        case SCREEN_QUIT:
            session_quit(session);
            break;
        case SCREEN_PAUSE:
            session_pause(session);
            break;
        case SCREEN_MUTE:
            mute(session);
            break;
        case SCREEN_SAVE:
            session_save(session);
            break;
        case SCREEN_DEVICE:
            choose_device(session);
            break;
        case SCREEN_MODEL:
            choose_model(session);
            break;
        case SCREEN_CHOSEN:
            take_choice(session);
            break;
        }
    }
}

void session_keys_close(struct session *session)
{
    device_list_close(session->devices);
    model_list_close(&session->models);
    session->devices = NULL;
}

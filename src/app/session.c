/* SPDX-License-Identifier: MIT */
#include "app/session.h"
#include "app/fault.h"
#include "app/model_path.h"
#include "app/options.h"
#include "app/signals.h"
#include "app/state_directory.h"
#include "app/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void log_message(void *user, enum utter_log_level level, const char *message)
{
    const struct session *session = user;
    if (session->log >= 0 && level <= UTTER_LOG_INFO)
        dprintf(session->log, "utter: %s\n", message);
}

static bool open_model(struct session *session, struct utter_error *error)
{
    char *directory = model_path_find(&session->options->values, error);
    if (directory == NULL)
        return false;
    struct utter_engine_options options = UTTER_ENGINE_OPTIONS_INIT;
    options.threads = session->options->threads;
    options.log = log_message;
    options.log_user = session;
    session->engine = utter_engine_open(&options, error);
    if (session->engine != NULL)
        session->model =
            model_path_open(session->engine, directory, &session->options->values, error);
    session->model_name = model_path_name(directory);
    free(directory);
    if (session->model != NULL && session->model_name == NULL)
        return fault_memory(error);
    return session->model != NULL;
}

static bool open_sink(struct session *session, const char *path, enum sink_format format,
                      struct utter_error *error)
{
    struct sink_options options = session->options->sink;
    options.sample_rate = session->rate;
    options.format = format;
    options.speakers = session_speakers(session);
    struct sink *sink = sink_open(path, &options, error);
    if (sink != NULL)
        session->sinks[session->sink_count++] = sink;
    return sink != NULL;
}

static bool has_screen(const struct session *session)
{
    return terminal_has_screen() && !session->options->plain;
}

/*
 * Who looks at a terminal has captions, on a screen or at least as lines of text, and a transcript
 * unless -o is one. Into a pipe, or when a format was asked for, goes that format alone.
 */
static bool open_outputs(struct session *session, struct utter_error *error)
{
    const struct listen_options *options = session->options;
    bool reader = isatty(STDOUT_FILENO) && !(options->format_given && options->output == NULL);
    if (options->output != NULL &&
        !open_sink(session, options->output, options->sink.format, error))
        return false;
    if (!reader)
        return options->output != NULL || open_sink(session, NULL, options->sink.format, error);
    if (!has_screen(session) && !open_sink(session, NULL, SINK_TEXT, error))
        return false;

    session->captions =
        captions_new(session->rate, options->sink.letter_case, session_speakers(session));
    return session->captions != NULL || fault_memory(error);
}

static bool open_keeper(struct session *session, struct utter_error *error)
{
    const struct history_about about = {
        .version = utter_version(),
        .source = session->inputs[0].source->name,
        .model = session->model_name,
        .sample_rate = session->rate,
    };
    return keeper_open(&session->keeper, &session->options->values, &about, error);
}

int session_open(struct session *session, const struct listen_options *options)
{
    struct utter_error error;
    *session = (struct session){.options = options, .log = state_directory_log()};
    int status = OPTIONS_FAILURE;
    if (!open_model(session, &error))
        goto fail;
    status = session_inputs_open(session);
    if (status != OPTIONS_OK) {
        session_close(session);
        return status;
    }
    status = OPTIONS_FAILURE;
    if (!open_outputs(session, &error) || !open_keeper(session, &error) ||
        !signals_watch(terminal_emergency, &error))
        goto fail;
    if (session->captions != NULL && has_screen(session)) {
        session->screen = screen_open(session->captions, &options->screen,
                                      options->split ? session_speakers(session) : NULL, &error);
        if (session->screen == NULL)
            goto fail;
        terminal_hide_errors(session->log);
    }
    if (session_inputs_start(session, &error))
        return OPTIONS_OK;
fail:
    session->failed = true;
    snprintf(session->failure, sizeof session->failure, "%s", error.message);
    session_close(session);
    return status;
}

/* The last words for the user, on a terminal that is as it was. */
static void say_goodbye(struct session *session)
{
    const char *kept = keeper_name(&session->keeper);
    if (session->failure[0] != '\0')
        fault_print("%s", session->failure);
    if (session->hangs)
        fault_print(
            "not all is written yet: it is tried once more; when the disk hangs, three times "
            "Ctrl-C gives it up");
    if (session->captions == NULL)
        return;
    if (session->options->output != NULL)
        fault_print("the transcript is in %s", session->options->output);
    if (kept != NULL)
        fault_print("the session is kept: utter history show %s", kept);
    else if (session->origin_ns != 0 && session->options->output == NULL)
        fault_print(session->keeper.history != NULL ? "nothing was said, so nothing is kept"
                                                    : "nothing is kept of this session");
}

int session_close(struct session *session)
{
    struct utter_error error;
    session_keys_close(session);
    screen_close(session->screen);
    terminal_show_errors();
    session_inputs_close(session);
    say_goodbye(session);
    if (!keeper_close(&session->keeper, &error)) {
        session->failed = true;
        fault_print("the session is not completely kept: %s", error.message);
    }
    for (int i = 0; i < session->sink_count; i++) {
        if (!sink_close(session->sinks[i], &error)) {
            session->failed = true;
            fault_print("%s", error.message);
        }
    }
    captions_free(session->captions);
    utter_model_close(session->model);
    utter_engine_close(session->engine);
    signals_unwatch();
    free(session->model_name);
    if (session->log >= 0)
        close(session->log);
    return session->failed ? OPTIONS_FAILURE : OPTIONS_OK;
}

/* SPDX-License-Identifier: MIT */
/* What of utter doctor has nothing to do with sound. */
#include "app/audio_file.h"
#include "app/clock.h"
#include "app/doctor.h"
#include "app/history.h"
#include "app/model_path.h"
#include "app/stream_settings.h"
#include "app/terminal.h"

#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <term.h>
#include <unistd.h>

enum { USUAL_RATE = 16000, SPEED_AUDIO_S = 20 };

/* A machine that takes longer than this for what it hears in a second has nothing to spare. */
static const double TIGHT_LOAD = 0.7;
static const double SPEED_LIMIT_S = 8.0;
static const double MEGABYTE = 1e6;
static const double LITTLE_SPACE_MB = 100.0; /* an hour of recorded speech */

/* ---- the history ---- */

static void check_space(struct doctor *doctor, const struct history *history)
{
    struct statvfs disk;
    double free_mb = 0.0;
    if (statvfs(history->directory, &disk) == 0)
        free_mb = (double)disk.f_bavail * (double)disk.f_frsize / MEGABYTE;
    if (access(history->directory, W_OK) != 0)
        doctor_say(doctor, DOCTOR_FAILURE, "history",
                   "%s: cannot be written: make it yours, or use --no-history", history->directory);
    else if (free_mb < LITTLE_SPACE_MB)
        doctor_say(doctor, DOCTOR_WARNING, "history",
                   "%s: only %.0f MB are free: delete something, for example with utter history",
                   history->directory, free_mb);
    else
        doctor_say(doctor, DOCTOR_WELL, "history", "%s: %zu sessions, %.0f MB free",
                   history->directory, history->count, free_mb);
}

void doctor_check_history(struct doctor *doctor)
{
    struct history history;
    struct utter_error error;
    if (!option_values_number(doctor->values, OPTION_HISTORY)) {
        doctor_say(doctor, DOCTOR_WELL, "history", "off: nothing is kept");
        return;
    }
    if (history_open(&history, &error))
        check_space(doctor, &history);
    else
        doctor_say(doctor, DOCTOR_FAILURE, "history", "%s: make it yours, or use --no-history",
                   error.message);
    history_close(&history);
}

/* ---- the terminal ---- */

/* main() sets a UTF-8 locale whatever the user's is; other programs and the terminal do not. */
static bool speaks_utf8(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = getenv(variables[i]);
        if (value != NULL && value[0] != '\0')
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
    }
    return false;
}

static void check_screen(struct doctor *doctor, const char *type)
{
    struct winsize size = {0};
    int failure;
    if (setupterm(type, STDOUT_FILENO, &failure) != OK) {
        doctor_say(doctor, DOCTOR_FAILURE, "terminal",
                   "TERM is %s, which this machine does not know: install ncurses-term, or set "
                   "TERM=xterm-256color",
                   type);
        return;
    }
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    int colours = tigetnum("colors");
    if (!speaks_utf8())
        doctor_say(doctor, DOCTOR_WARNING, "terminal",
                   "%s: the locale is not UTF-8, so signs may look wrong: set LANG=C.UTF-8", type);
    else if (size.ws_col < 20 || size.ws_row < 5)
        doctor_say(doctor, DOCTOR_WARNING, "terminal", "%s, %d×%d: make it larger than 20×5", type,
                   size.ws_col, size.ws_row);
    else
        doctor_say(doctor, DOCTOR_WELL, "terminal", "%s, %d×%d, %d colours, UTF-8", type,
                   size.ws_col, size.ws_row, colours > 0 ? colours : 0);
    del_curterm(cur_term);
}

void doctor_check_terminal(struct doctor *doctor)
{
    const char *type = getenv("TERM");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        doctor_say(doctor, DOCTOR_WELL, "terminal", "none: captions would be plain lines");
    else if (!terminal_has_screen())
        doctor_say(doctor, DOCTOR_WELL, "terminal",
                   "TERM is %s: captions are plain lines, not a screen",
                   type != NULL ? type : "not set");
    else
        check_screen(doctor, type);
}

/* ---- the model ---- */

/* Speech that comes with utter, or noise; the gate will be off. The caller frees it. */
static float *find_speech(int *rate, int64_t *count)
{
    struct utter_error error;
    float *samples = NULL;
    char *path = model_path_data("models/digits/demo.flac");
    struct audio_file *file = path != NULL ? audio_file_open(path, NULL, &error) : NULL;
    if (file != NULL)
        samples = audio_file_read_all(file, count, &error);
    if (samples != NULL)
        *rate = audio_file_rate(file);
    audio_file_close(file);
    free(path);
    if (samples != NULL)
        return samples;
    *rate = USUAL_RATE;
    *count = (int64_t)SPEED_AUDIO_S * USUAL_RATE;
    samples = malloc((size_t)*count * sizeof *samples);
    unsigned state = 1;
    for (int64_t i = 0; samples != NULL && i < *count; i++) {
        state = state * 1664525u + 1013904223u;
        samples[i] = ((float)(state >> 8) / (float)(1 << 24) - 0.5f) * 0.2f;
    }
    return samples;
}

/* Feeds seconds of sound, at most SPEED_AUDIO_S, and for SPEED_LIMIT_S; returns how many. */
static double feed(struct utter_stream *stream, const float *samples, int64_t count, int rate)
{
    int64_t most = (int64_t)SPEED_AUDIO_S * rate, fed = 0;
    double begin = clock_seconds(CLOCK_MONOTONIC);
    count = count < most ? count : most;
    while (fed < count && clock_seconds(CLOCK_MONOTONIC) - begin < SPEED_LIMIT_S) {
        int64_t block = count - fed < rate / 10 ? count - fed : rate / 10;
        int64_t taken = utter_stream_feed(stream, samples + fed, block, fed, NULL);
        while (utter_stream_next(stream) != NULL)
            continue;
        if (taken < 0)
            return 0.0;
        fed += taken;
    }
    utter_stream_flush(stream, NULL);
    while (utter_stream_next(stream) != NULL)
        continue;
    return (double)fed / rate;
}

static void report_speed(struct doctor *doctor, double load)
{
    if (load > 1.0)
        doctor_say(doctor, DOCTOR_FAILURE, "speed",
                   "%.2f s of computing for a second of speech: captions fall behind; use a "
                   "smaller model, --precision int8 or --latency high",
                   load);
    else if (load > TIGHT_LOAD)
        doctor_say(doctor, DOCTOR_WARNING, "speed",
                   "%.2f s of computing for a second of speech: little is left for other "
                   "programs; --precision int8 or --latency high help",
                   load);
    else
        doctor_say(doctor, DOCTOR_WELL, "speed", "%.2f s of computing for a second of speech",
                   load);
}

static void check_speed(struct doctor *doctor, struct utter_model *model)
{
    struct utter_stream_options options = UTTER_STREAM_OPTIONS_INIT;
    struct utter_error error = {UTTER_ERROR_MEMORY, "out of memory"};
    int rate;
    int64_t count;
    float *samples = find_speech(&rate, &count);
    stream_settings_take(doctor->values, &options);
    options.sample_rate = samples != NULL ? rate : USUAL_RATE;
    options.gate_off = true;
    struct utter_stream *stream =
        samples != NULL ? utter_stream_open(model, &options, &error) : NULL;
    double begin = clock_seconds(CLOCK_MONOTONIC);
    double heard = stream != NULL ? feed(stream, samples, count, rate) : 0.0;
    if (heard > 0.0)
        report_speed(doctor, (clock_seconds(CLOCK_MONOTONIC) - begin) / heard);
    else
        doctor_say(doctor, DOCTOR_FAILURE, "speed", "the model does not run: %s", error.message);
    if (stream != NULL)
        utter_stream_close(stream);
    free(samples);
}

static void describe_model(struct doctor *doctor, const struct utter_model *model)
{
    const struct utter_model_info *info = utter_model_info(model);
    char *name = model_path_name(info->directory);
    char errors[64] = "";
    if (info->word_error_rate >= 0.0f)
        snprintf(errors, sizeof errors, "; about %.0f of 100 words wrong",
                 (double)info->word_error_rate);
    bool poor = model_path_experimental(model) > 0;
    doctor_say(doctor, poor ? DOCTOR_WARNING : DOCTOR_WELL, "model",
               "%s: %s, %d layers, %.1f million parameters%s", name != NULL ? name : "?",
               info->architecture, info->layer_count, (double)info->parameter_count / 1e6, errors);
    free(name);
}

int doctor_check_model(struct doctor *doctor)
{
    struct utter_engine_options options = UTTER_ENGINE_OPTIONS_INIT;
    struct utter_error error = {UTTER_OK, ""};
    struct utter_engine *engine = NULL;
    struct utter_model *model = NULL;
    int rate = USUAL_RATE;
    options.threads = option_values_number(doctor->values, OPTION_THREADS);
    char *directory = model_path_find(doctor->values, &error);
    if (directory != NULL)
        engine = utter_engine_open(&options, &error);
    if (engine != NULL)
        model = model_path_open(engine, directory, doctor->values, &error);
    if (model == NULL) {
        doctor_say(doctor, DOCTOR_FAILURE, "model", "%s", error.message);
    } else {
        rate = utter_model_info(model)->sample_rate;
        describe_model(doctor, model);
        check_speed(doctor, model);
    }
    utter_model_close(model);
    utter_engine_close(engine);
    free(directory);
    return rate;
}

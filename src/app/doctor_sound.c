/* SPDX-License-Identifier: MIT */
/* The ears of utter doctor: whether there is a microphone, whether it may be heard, and what. */
#include "app/clock.h"
#include "app/doctor.h"
#include "app/microphone.h"
#include "app/pulse_sources.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* Full scale; a sample there has been cut off. */
static const float CLIPPED = 0.999f;
static const double QUIET_DB = -60.0; /* of the loudest tenth of a second: not even a room */
static const double OFFSET_LIMIT = 0.05;
static const double CLOCK_TOLERANCE = 0.05; /* of three seconds, in callbacks of up to 0.1 s */
static const int64_t START_NS = 200000000;  /* what comes at once had waited: not for the clock */
static const double FIRST_SAMPLE_S = 10.0;  /* Bluetooth takes its time */

/* What was heard. The pump's until the source is closed. */
struct hearing {
    struct outlet outlet;
    int rate;
    int channels;
    _Atomic int64_t heard; /* frames */
    int64_t end;           /* position */
    int64_t first_ns, begin_ns, end_ns;
    int64_t clipped;
    double sum;
    float peak;
    /* Of the current tenth of a second, and of the loudest. */
    int64_t count;
    double squares, loudest;
};

/* ---- listening ---- */

static void hear_sample(struct hearing *hearing, float sample)
{
    float size = fabsf(sample);
    hearing->peak = fmaxf(hearing->peak, size);
    hearing->clipped += size >= CLIPPED;
    hearing->sum += (double)sample;
    hearing->squares += (double)sample * (double)sample;
    if (++hearing->count < hearing->rate * hearing->channels / 10)
        return;
    hearing->loudest = fmax(hearing->loudest, hearing->squares / (double)hearing->count);
    hearing->squares = 0.0;
    hearing->count = 0;
}

static int64_t push(struct outlet *outlet, const float *samples, int64_t count, int64_t position)
{
    struct hearing *hearing = (struct hearing *)outlet;
    hearing->end_ns = now_ns();
    if (hearing->first_ns == 0)
        hearing->first_ns = hearing->end_ns;
    if (hearing->end_ns - hearing->first_ns < START_NS)
        hearing->begin_ns = hearing->end_ns;
    else
        atomic_fetch_add(&hearing->heard, count);
    for (int64_t i = 0; i < count * hearing->channels; i++)
        hear_sample(hearing, samples[i]);
    hearing->end = position + count;
    return count;
}

static void flush(struct outlet *outlet)
{
    (void)outlet;
}

static void finish(struct outlet *outlet, int64_t end)
{
    (void)outlet, (void)end;
}

/* Until so many seconds have been heard, or nothing comes. */
static void listen(struct hearing *hearing, double seconds)
{
    const struct timespec nap = {.tv_nsec = 50000000};
    int64_t limit = now_ns() + (int64_t)(1e9 * (seconds + FIRST_SAMPLE_S));
    while (now_ns() < limit &&
           (double)atomic_load(&hearing->heard) < seconds * (double)hearing->rate)
        nanosleep(&nap, NULL);
}

/* ---- why there is no microphone ---- */

/* Capture devices of the kernel: how many there are, and how many we may open. */
static void count_cards(int *there, int *allowed)
{
    DIR *directory = opendir("/dev/snd");
    *there = *allowed = 0;
    if (directory == NULL)
        return;
    for (struct dirent *file; (file = readdir(directory)) != NULL;) {
        size_t length = strlen(file->d_name);
        char path[300];
        if (strncmp(file->d_name, "pcm", 3) != 0 || file->d_name[length - 1] != 'c')
            continue;
        snprintf(path, sizeof path, "/dev/snd/%s", file->d_name);
        ++*there;
        *allowed += access(path, R_OK | W_OK) == 0;
    }
    closedir(directory);
}

static bool has_sound_server(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char path[4096];
    snprintf(path, sizeof path, "%s/pulse/native", runtime != NULL ? runtime : "");
    return getenv("PULSE_SERVER") != NULL || access(path, F_OK) == 0;
}

static void explain_silence(struct doctor *doctor, const char *message)
{
    int there, allowed;
    count_cards(&there, &allowed);
    const char *advice = "see utter devices for what there is";
    if (there > 0 && allowed == 0 && !has_sound_server())
        advice = "you may not open /dev/snd: join the group audio (sudo usermod -aG audio $USER) "
                 "and log in again";
    else if (there == 0 && !has_sound_server())
        advice = "there is neither a sound card with an input nor a sound server: plug a "
                 "microphone in, or start PulseAudio or PipeWire";
    doctor_say(doctor, DOCTOR_FAILURE, "microphone", "%s: %s", message, advice);
}

/* ---- what is heard ---- */

/* One line of what a command of PulseAudio or PipeWire says; false without them. */
static bool ask_server(const char *command, char *line, int size)
{
    FILE *pipe = popen(command, "re");
    bool told = pipe != NULL && fgets(line, size, pipe) != NULL;
    if (pipe != NULL)
        told = pclose(pipe) == 0 && told;
    if (told)
        line[strcspn(line, "\n")] = '\0';
    return told;
}

static bool is_server_input(const char *name)
{
    return strcmp(name, "default") == 0 || strcasestr(name, "pulse") != NULL ||
           strcasestr(name, "pipewire") != NULL;
}

/* What the sound server calls the input; NULL: it is none of its own, or nothing for a shell. */
static const char *server_source(const struct source *source)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";
    const char *device = source->device;
    if (is_server_input(source->name))
        return "@DEFAULT_SOURCE@";
    if (strcmp(device, PULSE_DESKTOP) == 0)
        return "@DEFAULT_MONITOR@";
    return device[0] != '\0' && device[strspn(device, plain)] == '\0' ? device : NULL;
}

static void report_input(struct doctor *doctor, const struct source *source)
{
    char command[512], mute[64], name[256];
    const char *id = server_source(source);
    snprintf(name, sizeof name, "%s", source->name);
    snprintf(command, sizeof command, "LC_ALL=C timeout 2 pactl get-source-mute %s 2>/dev/null",
             id != NULL ? id : "");
    bool muted =
        id != NULL && ask_server(command, mute, sizeof mute) && strstr(mute, "yes") != NULL;
    bool is_default =
        is_server_input(source->name) &&
        ask_server("LC_ALL=C timeout 2 pactl get-default-source 2>/dev/null", name, sizeof name);
    if (muted)
        doctor_say(doctor, DOCTOR_FAILURE, "microphone", "%s is muted: pactl set-source-mute %s 0",
                   name, id);
    else if (strcmp(source->device, PULSE_DESKTOP) != 0 && strcasestr(name, "monitor") != NULL)
        doctor_say(doctor, DOCTOR_WARNING, "microphone",
                   "%s is what this machine plays, not a microphone: choose one with --device or "
                   "pactl set-default-source",
                   name);
    else
        doctor_say(doctor, DOCTOR_WELL, "microphone", "%s%s%s", source->name,
                   is_default ? ", which is " : "", is_default ? name : "");
}

static void report_rate(struct doctor *doctor, const struct hearing *hearing)
{
    int64_t heard = atomic_load(&hearing->heard);
    double seconds = 1e-9 * (double)(hearing->end_ns - hearing->begin_ns);
    double ratio = seconds > 0.0 ? (double)heard / hearing->rate / seconds : 0.0;
    if (fabs(ratio - 1.0) > CLOCK_TOLERANCE)
        doctor_say(doctor, DOCTOR_WARNING, "rate",
                   "%d Hz, but %.0f %% of that come: the machine is too busy, or the input is "
                   "faulty; try another with --device",
                   hearing->rate, 100.0 * ratio);
    else
        doctor_say(doctor, DOCTOR_WELL, "rate", "%d Hz, %d channel%s, %.1f %% of the samples come",
                   hearing->rate, hearing->channels, hearing->channels == 1 ? "" : "s",
                   100.0 * ratio);
}

static void report_level(struct doctor *doctor, const struct hearing *hearing)
{
    double level = 10.0 * log10(fmax(hearing->loudest, 1e-12));
    double peak = 20.0 * log10(fmax((double)hearing->peak, 1e-6));
    double samples = (double)hearing->end * hearing->channels;
    double offset = samples > 0.0 ? hearing->sum / samples : 0.0;
    if (hearing->peak == 0.0f)
        doctor_say(doctor, DOCTOR_FAILURE, "level",
                   "digital silence: it is muted, unplugged, or not the input that you speak into");
    else if (hearing->clipped > 3)
        doctor_say(doctor, DOCTOR_WARNING, "level",
                   "too loud: %lld samples are cut off: lower the input's level",
                   (long long)hearing->clipped);
    else if (fabs(offset) > OFFSET_LIMIT)
        doctor_say(doctor, DOCTOR_WARNING, "level",
                   "the signal is off its middle by %.0f %%: the input is faulty, try another",
                   100.0 * fabs(offset));
    else if (level < QUIET_DB)
        doctor_say(doctor, DOCTOR_WARNING, "level",
                   "very quiet, %.0f dB at most: speak while this runs; if you did, raise the "
                   "input's level or come closer",
                   level);
    else
        doctor_say(doctor, DOCTOR_WELL, "level", "%.0f dB at most, peak %.0f dB", level, peak);
}

void doctor_check_sound(struct doctor *doctor, int rate)
{
    struct utter_error error;
    const struct microphone_options options = {
        .device = option_values_text(doctor->values, OPTION_DEVICE),
        .rate = rate,
        .log = doctor->log,
    };
    struct source *source = microphone_open(&options, &error);
    if (source == NULL) {
        explain_silence(doctor, error.message);
        return;
    }
    struct hearing hearing = {
        .outlet = {push, flush, finish}, .rate = source->sample_rate, .channels = source->channels};
    double seconds = option_values_number(doctor->values, OPTION_SOUND_SECONDS) / 1000.0;
    report_input(doctor, source);
    bool started = source_start(source, &hearing.outlet, &error);
    if (started)
        listen(&hearing, seconds);
    source_close(source); /* from here on what was heard is ours */
    if (!started)
        doctor_say(doctor, DOCTOR_FAILURE, "sound", "%s", error.message);
    else if (hearing.begin_ns == 0)
        doctor_say(doctor, DOCTOR_FAILURE, "sound",
                   "the input opens, but nothing comes: restart the sound server, or try another "
                   "with --device");
    if (!started || hearing.begin_ns == 0)
        return;
    report_rate(doctor, &hearing);
    report_level(doctor, &hearing);
}

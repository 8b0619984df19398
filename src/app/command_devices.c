/* SPDX-License-Identifier: MIT */
/* `utter devices`: the inputs that PortAudio finds. */
#include "app/command.h"
#include "app/fault.h"
#include "app/option_values.h"
#include "app/options.h"
#include "app/pulse_sources.h"
#include "app/quiet.h"
#include "app/text.h"

#include <errno.h>
#include <jansson.h>
#include <portaudio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct option_help HELP = {
    "usage: utter devices\n"
    "\n"
    "Lists the microphones and other inputs that `utter --device` takes: number,\n"
    "name, host API, channels, and the sample rates that the device offers, its\n"
    "own first. The default is marked with *. What an output plays is heard by its\n"
    "monitor; \"desktop\" is that of the default output.\n"
    "\n",
    "\n"
    "examples:\n"
    "  utter devices\n"
    "  utter --device 3        by number\n"
    "  utter --device webcam   by name or a part of it\n"
    "  utter --device desktop  what this machine plays\n"
    "\n"
    "exit status: 1 when there is no input, 2 for a wrong command line\n",
};

/* What one row shows; the names are sanitised. */
struct row {
    int number;
    char *name;
    char *id; /* what --device takes to mean no other; not clean */
    const char *api;
    int channels;
    char rates[128]; /* kHz */
    bool is_default;
};

struct table {
    struct row *rows;
    size_t count;
    bool desktop; /* there is a monitor */
};

static void append_rate(char *rates, size_t size, double rate)
{
    size_t length = strlen(rates);
    snprintf(rates + length, size - length, "%s%g", length > 0 ? ", " : "", rate / 1000.0);
}

/* The device's own rate, then the others of the usual ones that it can be opened at. */
static void list_rates(PaDeviceIndex number, const PaDeviceInfo *info, char *rates, size_t size)
{
    static const double usual[] = {8000, 16000, 22050, 32000, 44100, 48000, 96000};
    rates[0] = '\0';
    append_rate(rates, size, info->defaultSampleRate);
    PaStreamParameters parameters = {
        .device = number,
        .channelCount = 1,
        .sampleFormat = paFloat32,
        .suggestedLatency = info->defaultHighInputLatency,
    };
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (usual[i] != info->defaultSampleRate &&
            Pa_IsFormatSupported(&parameters, NULL, usual[i]) == paFormatIsSupported)
            append_rate(rates, size, usual[i]);
}

static const char *api_name(const PaDeviceInfo *info)
{
    const PaHostApiInfo *api = Pa_GetHostApiInfo(info->hostApi);
    return api == NULL           ? "?"
           : api->type == paALSA ? "ALSA"
           : api->type == paJACK ? "JACK"
                                 : "other";
}

static bool fill_row(PaDeviceIndex number, const PaDeviceInfo *info, struct row *row)
{
    row->number = number;
    row->name = text_clean(info->name);
    row->id = strdup(info->name);
    row->api = api_name(info);
    row->channels = info->maxInputChannels;
    row->is_default = number == Pa_GetDefaultInputDevice();
    list_rates(number, info, row->rates, sizeof row->rates);
    return row->name != NULL && row->id != NULL;
}

/* The sound server converts to any rate. */
static bool fill_pulse_row(int number, const struct pulse_source *source, struct row *row)
{
    static const int usual[] = {8000, 16000, 44100, 48000};
    row->number = number;
    row->name = text_clean(source->description);
    row->id = strdup(source->name);
    row->api = "PulseAudio";
    row->channels = source->channels;
    append_rate(row->rates, sizeof row->rates, source->sample_rate);
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (usual[i] != source->sample_rate)
            append_rate(row->rates, sizeof row->rates, usual[i]);
    return row->name != NULL && row->id != NULL;
}

/* PortAudio is initialised. False when out of memory. */
static bool fill_table(struct table *table)
{
    static struct pulse_source sources[PULSE_SOURCES_LIMIT];
    PaDeviceIndex count = Pa_GetDeviceCount() > 0 ? Pa_GetDeviceCount() : 0;
    size_t pulse_count = pulse_sources_list(sources);
    table->rows = calloc((size_t)count + pulse_count + 1, sizeof *table->rows);
    bool ok = table->rows != NULL;
    for (PaDeviceIndex number = 0; ok && number < count; number++) {
        const PaDeviceInfo *info = Pa_GetDeviceInfo(number);
        if (info != NULL && info->maxInputChannels > 0)
            ok = fill_row(number, info, &table->rows[table->count++]);
    }
    for (size_t i = 0; ok && i < pulse_count; i++) {
        ok = fill_pulse_row(count + (int)i, &sources[i], &table->rows[table->count++]);
        table->desktop |= sources[i].monitor;
    }
    return ok;
}

static void free_table(struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->rows[i].name);
        free(table->rows[i].id);
    }
    free(table->rows);
}

static bool add_json(json_t *list, const char *name, const char *title)
{
    return json_array_append_new(list, json_pack("{ss, ss}", "name", name, "title", title)) == 0;
}

/* What the screen's list of inputs is made of; names that are no UTF-8 are left out. */
static int print_json(const struct table *table)
{
    char title[512];
    json_t *list = json_array();
    add_json(list, "", "the default input");
    if (table->desktop)
        add_json(list, PULSE_DESKTOP, "what the desktop plays");
    for (size_t i = 0; i < table->count; i++) {
        snprintf(title, sizeof title, "%s  (%s)", table->rows[i].name, table->rows[i].api);
        add_json(list, table->rows[i].id, title);
    }
    char *text = list != NULL ? json_dumps(list, JSON_INDENT(2)) : NULL;
    json_decref(list);
    if (text == NULL)
        return OPTIONS_FAILURE;
    printf("%s\n", text);
    free(text);
    return options_help("");
}

static int padding(const char *text, int width)
{
    int own = text_width(text, strlen(text));
    return own < width ? width - own : 0;
}

static int print_table(const struct table *table)
{
    int name_width = (int)strlen("device"), api_width = (int)strlen("host API");
    for (size_t i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];
        int name = text_width(row->name, strlen(row->name));
        int api = text_width(row->api, strlen(row->api));
        name_width = name > name_width ? name : name_width;
        api_width = api > api_width ? api : api_width;
    }
    printf("  no  %-*s  %-*s  channels  rates in kHz\n", name_width, "device", api_width,
           "host API");
    for (size_t i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];
        printf("%c %2d  %s%*s  %s%*s  %8d  %s\n", row->is_default ? '*' : ' ', row->number,
               row->name, padding(row->name, name_width), "", row->api,
               padding(row->api, api_width), "", row->channels, row->rates);
    }
    return options_help("");
}

/* Returns an exit status, and has said why when it is not OPTIONS_OK. */
static int list_devices(bool json)
{
    struct table table = {NULL, 0};
    struct quiet quiet = quiet_begin();
    PaError failure = Pa_Initialize();
    bool ok = failure == paNoError && fill_table(&table);
    if (failure == paNoError)
        Pa_Terminate();
    quiet_end(&quiet);

    int status = OPTIONS_FAILURE;
    if (failure != paNoError)
        fault_print("no microphone: the sound system fails: %s", Pa_GetErrorText(failure));
    else if (!ok)
        fault_print("out of memory");
    else if (table.count == 0)
        fault_print("no microphone: no sound input was found; plug one in or start the sound "
                    "server, or try `utter --demo`, which needs none");
    else
        status = json ? print_json(&table) : print_table(&table);
    free_table(&table);
    return status;
}

/* In a process of its own: of a machine without any ALSA device, PortAudio aborts. */
static int list_safely(bool json)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(list_devices(json));
    }
    int status = 0;
    if (child < 0) {
        fault_print("cannot start a process: %s", strerror(errno));
        return OPTIONS_FAILURE;
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return OPTIONS_FAILURE;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    fault_print("no microphone: the sound system fails: %s in PortAudio; is ALSA set up on this "
                "machine?",
                strsignal(WTERMSIG(status)));
    return OPTIONS_FAILURE;
}

int command_devices(int argc, char **argv)
{
    struct option_values values;
    int status = option_values_read(&values, COMMAND_DEVICES, argc, argv, &HELP);
    bool json = status == OPTIONS_END && option_values_number(&values, OPTION_DEVICES_JSON);
    option_values_free(&values);
    if (status != OPTIONS_END)
        return status;
    if (optind < argc) {
        fault_print("%s: utter devices takes no operand", argv[optind]);
        return OPTIONS_USAGE;
    }
    return list_safely(json);
}

/* SPDX-License-Identifier: MIT */
#include "app/listen_options.h"
#include "app/fault.h"
#include "app/options.h"

#include <string.h>

static const struct option_help HELP = {
    "usage: utter [listen] [OPTION...]\n"
    "Captions of a microphone, on a screen, or as lines when standard output is no\n"
    "terminal. What is said is kept, for you alone to read: see utter history.\n"
    "\n",
    "\n"
    "keys: q quits, space pauses, ? shows all of them\n"
    "exit status: 1 when something failed, 2 wrong command line, 3 no microphone\n",
};

/* The format that the name of the output suggests. */
static void guess_format(struct listen_options *options)
{
    const char *dot = options->output != NULL ? strrchr(options->output, '.') : NULL;
    enum sink_format format;
    if (options->format_given || dot == NULL || !sink_format_parse(dot + 1, &format))
        return;
    options->sink.format = format == SINK_JSON ? SINK_JSONL : format;
}

/* Of the three sources of sound counts what was said last: a command line overrules a file. */
static bool choose_source(struct listen_options *options)
{
    static const enum option_id sources[] = {OPTION_DEVICE, OPTION_INPUT, OPTION_DEMO};
    const struct option_values *values = &options->values;
    enum option_origin strongest = OPTION_FROM_NOWHERE;
    int count = 0;
    for (int i = 0; i < 3; i++) {
        enum option_origin origin = option_values_origin(values, sources[i]);
        if (sources[i] == OPTION_DEMO && !option_values_number(values, OPTION_DEMO))
            origin = OPTION_FROM_NOWHERE;
        if (origin > strongest)
            count = 0;
        strongest = origin > strongest ? origin : strongest;
        count += origin == strongest && origin != OPTION_FROM_NOWHERE;
    }
    if (count > 1)
        return false;
    if (option_values_origin(values, OPTION_DEVICE) == strongest)
        options->device = option_values_text(values, OPTION_DEVICE);
    if (option_values_origin(values, OPTION_INPUT) == strongest)
        options->input = option_values_text(values, OPTION_INPUT);
    if (option_values_origin(values, OPTION_DEMO) == strongest)
        options->demo = option_values_number(values, OPTION_DEMO);
    return true;
}

static bool agree(struct listen_options *options)
{
    bool drafts_now =
        option_values_origin(&options->values, OPTION_DRAFTS) == OPTION_FROM_COMMAND_LINE;
    bool record_now =
        option_values_origin(&options->values, OPTION_RECORD) == OPTION_FROM_COMMAND_LINE &&
        option_values_number(&options->values, OPTION_RECORD);
    if (record_now && !option_values_number(&options->values, OPTION_HISTORY))
        fault_print("--record: needs the history, which is off: add --history");
    else if (!choose_source(options))
        fault_print("--device, --input and --demo: only one of them");
    else if (options->sink.drafts && drafts_now && options->sink.format != SINK_JSONL)
        fault_print("--drafts: only --format jsonl has them");
    else if (options->mix && options->split)
        fault_print("--mix and --split: only one of them");
    else if ((options->mix || options->split) && (options->input != NULL || options->demo))
        fault_print("--mix and --split are for microphones, not for recordings");
    else
        return true;
    return false;
}

/* How the screen looks, and [keys] of the configuration. */
static bool read_screen(struct listen_options *options)
{
    const struct option_values *values = &options->values;
    const struct configuration *configuration = values->configuration;
    struct utter_error error;
    options->screen = (struct screen_options){
        .theme = option_values_number(values, OPTION_THEME),
        .confidence = option_values_number(values, OPTION_CONFIDENCE),
        .lines = option_values_number(values, OPTION_LINES),
        .large = option_values_number(values, OPTION_LARGE),
        .times = option_values_number(values, OPTION_TIMES),
        .mouse = option_values_number(values, OPTION_MOUSE),
    };
    keys_default(&options->screen.keys);
    for (size_t i = 0; i < configuration_count(configuration); i++) {
        const struct configuration_entry *entry = configuration_at(configuration, i);
        if (strcmp(entry->section, "keys") != 0 ||
            keys_bind(&options->screen.keys, entry->name, entry->value, &error))
            continue;
        struct utter_error refusal;
        configuration_refuse(configuration, entry, &refusal, "%s", error.message);
        fault_print("%s", refusal.message);
        return false;
    }
    return true;
}

int listen_options_read(int argc, char **argv, struct listen_options *options)
{
    /* In the order of the table's choices. */
    static const enum sink_format formats[] = {SINK_TEXT, SINK_JSONL, SINK_SRT, SINK_VTT};
    struct option_values *values = &options->values;
    *options = (struct listen_options){0};
    int status = option_values_read(values, COMMAND_LISTEN, argc, argv, &HELP);
    if (status != OPTIONS_END)
        return status;
    if (optind < argc) {
        fault_print("%s: utter listen takes no operand: did you mean --input %s?", argv[optind],
                    argv[optind]);
        return OPTIONS_USAGE;
    }
    options->output = option_values_text(values, OPTION_LISTEN_OUTPUT);
    options->format_given = option_values_text(values, OPTION_LISTEN_FORMAT) != NULL;
    options->sink.format = formats[option_values_number(values, OPTION_LISTEN_FORMAT)];
    options->sink.drafts = option_values_number(values, OPTION_DRAFTS);
    options->sink.letter_case = (enum letter_case)option_values_number(values, OPTION_CASE);
    options->speed = option_values_number(values, OPTION_SPEED);
    options->threads = option_values_number(values, OPTION_THREADS);
    options->mix = option_values_number(values, OPTION_MIX);
    options->split = option_values_number(values, OPTION_SPLIT);
    options->plain = option_values_number(values, OPTION_PLAIN);
    if (!read_screen(options))
        return OPTIONS_USAGE;
    guess_format(options);
    return agree(options) ? OPTIONS_END : OPTIONS_USAGE;
}

void listen_options_free(struct listen_options *options)
{
    option_values_free(&options->values);
}

/* SPDX-License-Identifier: MIT */
#include "app/listen_options.h"
#include "app/fault.h"
#include "app/options.h"

#include <limits.h>
#include <string.h>

static const char HELP[] =
    "usage: utter [listen] [OPTION...]\n"
    "\n"
    "Captions what a microphone hears: on a screen when standard output is a\n"
    "terminal, otherwise a line for each utterance. The screen's text is kept in\n"
    "~/.local/state/utter, or in FILE with -o.\n"
    "\n"
    "  -d, --device NAME    the microphone: its name, a part of it, or its number\n"
    "  -i, --input FILE     a recording instead, at the speed of a microphone\n"
    "      --demo           the recording that comes with utter\n"
    "  -f, --format FORMAT  text, jsonl, srt or vtt; default: as -o ends, or text\n"
    "  -o, --output FILE    the transcript's file; text and jsonl are appended\n"
    "      --drafts         jsonl: also words that may still change\n"
    "      --case CASE      as-is, lower or sentence\n"
    "  -m, --model DIR      a model in Hugging Face layout, or a bundled one's name\n"
    "  -j, --threads N      threads that compute; default: one per core\n"
    "  -h, --help           keys: q quits, space pauses, arrows and PgUp/PgDn scroll\n"
    "\n"
    "examples:\n"
    "  utter --device webcam -o talk.srt\n"
    "  utter --format jsonl --drafts | jq .\n"
    "  utter --input talk.wav --format text\n"
    "\n"
    "exit status: 1 when something failed, 2 wrong command line, 3 no microphone\n";

enum {
    OPTION_CASE = UCHAR_MAX + 1,
    OPTION_DEMO,
    OPTION_DRAFTS,
};

static const struct option OPTIONS[] = {
    {"device", required_argument, NULL, 'd'},
    {"input", required_argument, NULL, 'i'},
    {"demo", no_argument, NULL, OPTION_DEMO},
    {"format", required_argument, NULL, 'f'},
    {"output", required_argument, NULL, 'o'},
    {"drafts", no_argument, NULL, OPTION_DRAFTS},
    {"case", required_argument, NULL, OPTION_CASE},
    {"model", required_argument, NULL, 'm'},
    {"threads", required_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool parse_format(const char *value, struct listen_options *options)
{
    static const char *const names[] = {"text", "jsonl", "srt", "vtt", NULL};
    int index;
    if (!options_choice("--format", value, names, &index))
        return false;
    options->format_given = true;
    return sink_format_parse(names[index], &options->sink.format);
}

static bool parse_option(int option, const char *value, struct listen_options *options)
{
    switch (option) {
    case 'd':
        options->device = value;
        return true;
    case 'i':
        options->input = value;
        return true;
    case OPTION_DEMO:
        options->demo = true;
        return true;
    case 'f':
        return parse_format(value, options);
    case 'o':
        options->output = value;
        return true;
    case OPTION_DRAFTS:
        options->sink.drafts = true;
        return true;
    case OPTION_CASE:
        return options_case("--case", value, &options->sink.letter_case);
    case 'm':
        options->model = value;
        return true;
    case 'j':
        return options_integer("--threads", value, 1, 1024, &options->threads);
    default:
        return false;
    }
}

/* The format that the name of the output suggests. */
static void guess_format(struct listen_options *options)
{
    const char *dot = options->output != NULL ? strrchr(options->output, '.') : NULL;
    enum sink_format format;
    if (options->format_given || dot == NULL || !sink_format_parse(dot + 1, &format))
        return;
    options->sink.format = format == SINK_JSON ? SINK_JSONL : format;
}

static bool agree(const struct listen_options *options)
{
    if ((options->device != NULL) + (options->input != NULL) + options->demo > 1)
        fault_print("--device, --input and --demo: only one of them");
    else if (options->sink.drafts && options->sink.format != SINK_JSONL)
        fault_print("--drafts: only --format jsonl has them");
    else
        return true;
    return false;
}

int listen_options_parse(int argc, char **argv, struct listen_options *options)
{
    int option;
    *options = (struct listen_options){.sink = {.format = SINK_TEXT, .letter_case = CASE_AS_IS}};
    while ((option = options_next(argc, argv, "d:i:f:o:m:j:h", OPTIONS)) != OPTIONS_END) {
        if (option == 'h')
            return options_help(HELP);
        if (!parse_option(option, optarg, options))
            return OPTIONS_USAGE;
    }
    if (optind < argc) {
        fault_print("%s: utter listen takes no operand: did you mean --input %s?", argv[optind],
                    argv[optind]);
        return OPTIONS_USAGE;
    }
    guess_format(options);
    return agree(options) ? OPTIONS_END : OPTIONS_USAGE;
}

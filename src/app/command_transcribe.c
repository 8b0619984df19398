/* SPDX-License-Identifier: MIT */
/* `utter transcribe`: the text or subtitles of recordings. */
#include "app/audio_file.h"
#include "app/command.h"
#include "app/fault.h"
#include "app/interrupt.h"
#include "app/model_path.h"
#include "app/options.h"
#include "app/progress.h"
#include "app/sink.h"
#include "app/transcripts.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "usage: utter transcribe [OPTION...] FILE...\n"
    "\n"
    "Prints the text of recordings. FILE is any sound file that libsndfile reads, at\n"
    "any rate, with any number of channels; - is standard input.\n"
    "\n"
    "  -f, --format FORMAT   text, json, srt or vtt; default: as -o ends, or text\n"
    "  -o, --output FILE     write there; into a directory, a file per recording\n"
    "      --case CASE       as-is, lower or sentence\n"
    "  -m, --model DIR       a model in Hugging Face layout, or a bundled one's name\n"
    "  -j, --threads N       threads that compute; default: one per core\n"
    "      --raw F:RATE:CH   the files have no header: s16le:16000:1\n"
    "      --window SECONDS  longer recordings are cut into windows; default: 30\n"
    "      --stride SECONDS  overlap at each inner edge; default: a sixth of it\n"
    "  -h, --help\n"
    "\n"
    "examples:\n"
    "  utter transcribe talk.flac\n"
    "  utter transcribe -o talk.srt --case sentence talk.mp3\n"
    "  utter transcribe --format json -o transcripts/ *.wav\n"
    "  ffmpeg -v error -i film.mkv -f wav - | utter transcribe -\n"
    "\n"
    "exit status: 1 when a file failed or was cut off, 2 for a wrong command line\n";

enum {
    OPTION_CASE = UCHAR_MAX + 1,
    OPTION_RAW,
    OPTION_WINDOW,
    OPTION_STRIDE,
    DEFAULT_WINDOW_MS = 30000, /* the library's */
};

static const struct option OPTIONS[] = {
    {"format", required_argument, NULL, 'f'},
    {"output", required_argument, NULL, 'o'},
    {"case", required_argument, NULL, OPTION_CASE},
    {"model", required_argument, NULL, 'm'},
    {"threads", required_argument, NULL, 'j'},
    {"raw", required_argument, NULL, OPTION_RAW},
    {"window", required_argument, NULL, OPTION_WINDOW},
    {"stride", required_argument, NULL, OPTION_STRIDE},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct request {
    const char *model;
    int threads;
    struct audio_raw raw; /* format 0: files with headers */
    struct utter_transcribe_options decode;
    bool format_given;
    struct transcripts_options write;
    bool help;
};

static bool parse_format(const char *value, struct request *request)
{
    /* In the order of enum sink_format; JSONL is for live events. */
    static const char *const names[] = {"text", "json", "srt", "vtt", NULL};
    int index;
    if (!options_choice("--format", value, names, &index))
        return false;
    request->format_given = true;
    return sink_format_parse(names[index], &request->write.format);
}

static bool parse_raw(const char *value, struct request *request)
{
    struct utter_error error;
    if (audio_raw_parse(value, &request->raw, &error))
        return true;
    fault_print("--raw %s", error.message);
    return false;
}

static bool parse_option(int option, const char *value, struct request *request)
{
    switch (option) {
    case 'f':
        return parse_format(value, request);
    case 'o':
        request->write.output = value;
        return true;
    case 'm':
        request->model = value;
        return true;
    case 'j':
        return options_integer("--threads", value, 1, 1024, &request->threads);
    case 'h':
        request->help = true;
        return true;
    case OPTION_CASE:
        return options_case("--case", value, &request->write.letter_case);
    case OPTION_RAW:
        return parse_raw(value, request);
    case OPTION_WINDOW:
        return options_seconds("--window", value, 1.0, 3600.0, &request->decode.window_ms);
    case OPTION_STRIDE:
        return options_seconds("--stride", value, 0.02, 1800.0, &request->decode.stride_ms);
    default:
        return false;
    }
}

static bool parse(int argc, char **argv, struct request *request)
{
    int option;
    while ((option = options_next(argc, argv, "f:o:m:j:h", OPTIONS)) != OPTIONS_END) {
        if (!parse_option(option, optarg, request))
            return false;
        if (request->help)
            return true;
    }
    if (optind == argc) {
        fault_print("which file? (see utter transcribe --help)");
        return false;
    }
    int window_ms = request->decode.window_ms ? request->decode.window_ms : DEFAULT_WINDOW_MS;
    if (2 * request->decode.stride_ms >= window_ms) {
        fault_print("--stride %g: must be less than half of the window, %g s",
                    request->decode.stride_ms / 1000.0, window_ms / 1000.0);
        return false;
    }
    request->write.files = argv + optind;
    request->write.file_count = (size_t)(argc - optind);
    if (!request->format_given)
        request->write.format = transcripts_format_of(request->write.output);
    return true;
}

static struct utter_transcript *decode(const struct request *request,
                                       const struct utter_model *model, struct audio_file *file,
                                       int64_t *count)
{
    struct utter_error error = {UTTER_OK, ""};
    float *samples = audio_file_read_all(file, count, &error);
    if (samples == NULL) {
        fault_print("%s", error.message);
        return NULL;
    }
    struct utter_transcript *transcript = NULL;
    const struct utter_model_info *info = utter_model_info(model);
    if (!audio_file_long_enough(file, info->receptive_field, info->sample_rate, &error)) {
        fault_print("%s", error.message);
    } else {
        int rate = audio_file_rate(file);
        struct utter_transcribe_options options = request->decode;
        struct progress progress;
        int window_ms = options.window_ms ? options.window_ms : DEFAULT_WINDOW_MS;
        progress_begin(&progress, audio_file_name(file), rate, (int64_t)window_ms * rate / 1000);
        options.sample_rate = rate;
        options.channels = 1;
        options.progress = progress_update;
        options.progress_user = &progress;
        transcript = utter_transcribe(model, samples, *count, &options, &error);
        progress_end(&progress);
        if (transcript == NULL)
            fault_print("%s: %s", audio_file_name(file), error.message);
    }
    free(samples);
    return transcript;
}

/* False when the file failed or ended early, which has been said. */
static bool transcribe_file(const struct request *request, const struct utter_model *model,
                            struct transcripts *transcripts, const char *path)
{
    struct utter_error error = {UTTER_OK, ""};
    struct audio_file *file = audio_file_open(path, &request->raw, &error);
    if (file == NULL) {
        fault_print("%s", error.message);
        return false;
    }
    bool ok = false;
    int64_t count = 0;
    struct utter_transcript *transcript = decode(request, model, file, &count);
    if (transcript != NULL) {
        struct sink_recording recording = {
            .name = audio_file_name(file),
            .sample_rate = audio_file_rate(file),
            .length = count,
            .transcript = transcript,
        };
        ok = transcripts_add(transcripts, path, &recording, &error);
        if (!ok)
            fault_print("%s", error.message);
        /* What is there was transcribed all the same. */
        if (!audio_file_complete(file, &error)) {
            fault_print("%s", error.message);
            ok = false;
        }
    }
    utter_transcript_free(transcript);
    audio_file_close(file);
    return ok;
}

static bool transcribe_all(const struct request *request, const struct utter_model *model,
                           struct transcripts *transcripts)
{
    bool ok = true;
    for (size_t i = 0; i < request->write.file_count; i++)
        ok = transcribe_file(request, model, transcripts, request->write.files[i]) && ok;
    struct utter_error error;
    if (!transcripts_finish(transcripts, &error)) {
        fault_print("%s", error.message);
        ok = false;
    }
    return ok;
}

/* The engine goes with its last model. NULL when there is no model, which has been said. */
static struct utter_model *open_model(const struct request *request)
{
    struct utter_error error = {UTTER_OK, ""};
    struct utter_engine_options options = UTTER_ENGINE_OPTIONS_INIT;
    options.threads = request->threads;
    struct utter_model *model = NULL;
    struct utter_engine *engine = NULL;
    char *directory = model_path_find(request->model, &error);
    if (directory != NULL)
        engine = utter_engine_open(&options, &error);
    if (engine != NULL)
        model = utter_model_open(engine, directory, NULL, &error);
    if (model == NULL)
        fault_print("%s", error.message);
    utter_engine_close(engine);
    free(directory);
    return model;
}

int command_transcribe(int argc, char **argv)
{
    struct request request = {.decode = UTTER_TRANSCRIBE_OPTIONS_INIT};
    if (!parse(argc, argv, &request))
        return OPTIONS_USAGE;
    if (request.help)
        return options_help(HELP);

    interrupt_prepare();
    struct utter_error error;
    struct transcripts *transcripts = transcripts_open(&request.write, &error);
    if (transcripts == NULL) {
        fault_print("%s", error.message);
        return error.code == UTTER_ERROR_ARGUMENT ? OPTIONS_USAGE : OPTIONS_FAILURE;
    }
    struct utter_model *model = open_model(&request);
    bool ok = model != NULL && transcribe_all(&request, model, transcripts);
    utter_model_close(model);
    transcripts_close(transcripts);
    return ok ? OPTIONS_OK : OPTIONS_FAILURE;
}

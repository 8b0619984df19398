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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option_help HELP = {
    "usage: utter transcribe [OPTION...] FILE...\n"
    "\n"
    "Prints the text of recordings. FILE is any sound file that libsndfile reads, at\n"
    "any rate, with any number of channels; - is standard input.\n"
    "\n",
    "\n"
    "examples:\n"
    "  utter transcribe talk.flac\n"
    "  utter transcribe -o talk.srt --case sentence talk.mp3\n"
    "  utter transcribe --format json -o transcripts/ *.wav\n"
    "  ffmpeg -v error -i film.mkv -f wav - | utter transcribe -\n"
    "\n"
    "exit status: 1 when a file failed or was cut off, 2 for a wrong command line\n",
};

struct request {
    struct option_values values;
    struct audio_raw raw; /* format 0: files with headers */
    struct utter_transcribe_options decode;
    struct transcripts_options write;
};

static bool parse_raw(struct request *request)
{
    struct utter_error error;
    const char *raw = option_values_text(&request->values, OPTION_RAW);
    if (raw == NULL || audio_raw_parse(raw, &request->raw, &error))
        return true;
    fault_print("--raw %s", error.message);
    return false;
}

static bool parse_window(struct request *request)
{
    struct utter_transcribe_options *decode = &request->decode;
    decode->window_ms = option_values_number(&request->values, OPTION_WINDOW);
    decode->stride_ms = option_values_number(&request->values, OPTION_STRIDE);
    if (2 * decode->stride_ms < decode->window_ms)
        return true;
    fault_print("--stride %g: must be less than half of the window, %g s",
                decode->stride_ms / 1000.0, decode->window_ms / 1000.0);
    return false;
}

/* OPTIONS_END: go on. */
static int parse(int argc, char **argv, struct request *request)
{
    /* In the order of the table's choices. */
    static const enum sink_format formats[] = {SINK_TEXT, SINK_JSON, SINK_SRT, SINK_VTT};
    struct option_values *values = &request->values;
    struct transcripts_options *write = &request->write;
    int status = option_values_read(values, COMMAND_TRANSCRIBE, argc, argv, &HELP);
    if (status != OPTIONS_END)
        return status;
    if (optind == argc) {
        fault_print("which file? (see utter transcribe --help)");
        return OPTIONS_USAGE;
    }
    write->files = argv + optind;
    write->file_count = (size_t)(argc - optind);
    write->letter_case = (enum letter_case)option_values_number(values, OPTION_CASE);
    write->output = option_values_text(values, OPTION_TRANSCRIBE_OUTPUT);
    write->format = option_values_text(values, OPTION_TRANSCRIBE_FORMAT) != NULL
                        ? formats[option_values_number(values, OPTION_TRANSCRIBE_FORMAT)]
                        : transcripts_format_of(write->output);
    return parse_raw(request) && parse_window(request) ? OPTIONS_END : OPTIONS_USAGE;
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
        progress_begin(&progress, audio_file_name(file), rate,
                       (int64_t)options.window_ms * rate / 1000);
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

static void warn_of(const struct utter_model *model)
{
    char *name = model_path_name(utter_model_info(model)->directory);
    int wrong = model_path_experimental(model);
    if (wrong > 0 && name != NULL)
        fault_print("%.200s is experimental: about %d of 100 words wrong", name, wrong);
    free(name);
}

/* The engine goes with its last model. NULL when there is no model, which has been said. */
static struct utter_model *open_model(const struct request *request)
{
    struct utter_error error = {UTTER_OK, ""};
    struct utter_engine_options options = UTTER_ENGINE_OPTIONS_INIT;
    options.threads = option_values_number(&request->values, OPTION_THREADS);
    struct utter_model *model = NULL;
    struct utter_engine *engine = NULL;
    char *directory = model_path_find(&request->values, &error);
    if (directory != NULL)
        engine = utter_engine_open(&options, &error);
    if (engine != NULL)
        model = model_path_open(engine, directory, &request->values, &error);
    if (model == NULL)
        fault_print("%s", error.message);
    else
        warn_of(model);
    utter_engine_close(engine);
    free(directory);
    return model;
}

static int transcribe(const struct request *request)
{
    interrupt_prepare();
    struct utter_error error;
    struct transcripts *transcripts = transcripts_open(&request->write, &error);
    if (transcripts == NULL) {
        fault_print("%s", error.message);
        return error.code == UTTER_ERROR_ARGUMENT ? OPTIONS_USAGE : OPTIONS_FAILURE;
    }
    struct utter_model *model = open_model(request);
    bool ok = model != NULL && transcribe_all(request, model, transcripts);
    utter_model_close(model);
    transcripts_close(transcripts);
    return ok ? OPTIONS_OK : OPTIONS_FAILURE;
}

int command_transcribe(int argc, char **argv)
{
    struct request request = {.decode = UTTER_TRANSCRIBE_OPTIONS_INIT};
    int status = parse(argc, argv, &request);
    if (status == OPTIONS_END)
        status = transcribe(&request);
    option_values_free(&request.values);
    return status;
}

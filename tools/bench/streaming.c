/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include "base/error.h"
#include "process.h"
#include "sound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_MS = 100 };

struct stream_times {
    double cpu[BENCH_REPEAT_MAX];   /* seconds, all threads */
    double final[BENCH_REPEAT_MAX]; /* of them, until a FINAL was returned */
};

struct session {
    const struct bench_options *options;
    struct utter_engine *engine;
    struct utter_model *model;
    struct utter_stream *stream;
    const struct utter_model_info *info;
    float *samples; /* [count] */
    int64_t count;
    bool cached;    /* the encoder's mode */
    int64_t speech; /* samples inside utterances */
    int drafts, commits, finals, words;
    struct stream_times times;
};

/* What a FINAL says must be what a transcription of the same samples says. */
static enum utter_code check_final(const struct session *session, const struct utter_event *event,
                                   struct utter_error *error)
{
    struct utter_transcript *transcript = utter_transcribe(
        session->model, session->samples + event->start, event->end - event->start, NULL, error);
    if (!transcript)
        return UTTER_ERROR_MEMORY;
    bool same = strcmp(transcript->text, event->text) == 0;
    utter_transcript_free(transcript);
    if (same)
        return UTTER_OK;
    return error_set(error, UTTER_ERROR_FORMAT,
                     "a FINAL differs from the transcription of its samples; no time is printed");
}

/* Reads the events that are ready; `check` looks at them, and then nothing is timed. */
static enum utter_code read_events(struct session *session, bool check, double *final,
                                   struct utter_error *error)
{
    enum utter_code code = UTTER_OK;
    double begin = clock_cpu();
    const struct utter_event *event;
    while (!code && (event = utter_stream_next(session->stream))) {
        double now = clock_cpu();
        if (event->type == UTTER_EVENT_FINAL)
            *final += now - begin;
        begin = now;
        if (!check)
            continue;
        session->drafts += event->type == UTTER_EVENT_DRAFT;
        session->commits += event->type == UTTER_EVENT_COMMIT;
        if (event->type == UTTER_EVENT_STATE) /* spans of FINALs may overlap */
            session->speech += event->state == UTTER_STATE_SILENCE ? event->start : -event->start;
        if (event->type == UTTER_EVENT_FINAL) {
            session->finals++;
            session->words += (int)event->word_count;
            code = check_final(session, event, error);
        }
    }
    return code;
}

static enum utter_code run(struct session *session, bool check, double *final,
                           struct utter_error *error)
{
    int64_t piece = (int64_t)session->info->sample_rate * PIECE_MS / 1000, at = 0;
    *final = 0;
    utter_stream_reset(session->stream);
    while (at < session->count) {
        int64_t left = session->count - at;
        int64_t taken = utter_stream_feed(session->stream, session->samples + at,
                                          left < piece ? left : piece, at, error);
        if (taken < 0)
            return (enum utter_code)taken;
        at += taken;
        enum utter_code code = read_events(session, check, final, error);
        if (code)
            return code;
    }
    enum utter_code code = utter_stream_flush(session->stream, error);
    return code ? code : read_events(session, check, final, error);
}

static enum utter_code open_all(struct session *session, struct utter_error *error)
{
    struct utter_engine_options engine = UTTER_ENGINE_OPTIONS_INIT;
    engine.threads = session->options->threads;
    session->engine = utter_engine_open(&engine, error);
    if (!session->engine)
        return UTTER_ERROR_SYSTEM;
    struct utter_model_options model = UTTER_MODEL_OPTIONS_INIT;
    model.precision = (enum utter_precision)session->options->precision;
    session->model = utter_model_open(session->engine, session->options->model, &model, error);
    if (!session->model)
        return UTTER_ERROR_FILE;
    session->info = utter_model_info(session->model);
    struct utter_stream_options stream = UTTER_STREAM_OPTIONS_INIT;
    stream.encoder = session->options->encoder ? (enum utter_encoder)session->options->encoder
                                               : session->info->encoder;
    stream.latency = (enum utter_latency)session->options->latency;
    session->cached = stream.encoder == UTTER_ENCODER_CACHED;
    session->stream = utter_stream_open(session->model, &stream, error);
    if (!session->stream)
        return UTTER_ERROR_MEMORY;
    session->count = (int64_t)(session->options->window * session->info->sample_rate);
    session->samples = malloc((size_t)session->count * sizeof(float));
    if (!session->samples)
        return error_memory(error, "the sound");
    sound_make(session->samples, session->count, session->info->sample_rate);
    return UTTER_OK;
}

/* The whole sound for each line read; what it took for each second of speech is printed. */
static enum utter_code serve(struct session *session, struct utter_error *error)
{
    char line[64];
    double final, seconds = (double)session->speech / session->info->sample_rate;
    enum utter_code code = UTTER_OK;
    puts("ready");
    fflush(stdout);
    while (!code && fgets(line, sizeof line, stdin)) {
        double cpu = clock_cpu(), begin = clock_wall();
        code = run(session, false, &final, error);
        printf("%.9f %.9f\n", (clock_wall() - begin) / seconds, (clock_cpu() - cpu) / seconds);
        fflush(stdout);
    }
    return code;
}

static enum utter_code measure(struct session *session, struct utter_error *error)
{
    double final;
    enum utter_code code = open_all(session, error);
    if (!code)
        code = run(session, true, &final, error);
    if (!code && session->speech < 1)
        code = error_set(error, UTTER_ERROR_ARGUMENT, "--window %g: too short to hear speech in",
                         session->options->window);
    if (!code && session->options->on_demand)
        return serve(session, error);
    for (int i = 0; !code && i < session->options->repeat; i++) {
        double begin = clock_cpu();
        code = run(session, false, &session->times.final[i], error);
        session->times.cpu[i] = clock_cpu() - begin;
    }
    return code;
}

static int report(struct session *session)
{
    const struct bench_options *options = session->options;
    double seconds = (double)session->speech / session->info->sample_rate;
    double cpu = bench_median(session->times.cpu, options->repeat) / seconds;
    double final = bench_median(session->times.final, options->repeat) / seconds;
    const char *model = options->shape ? options->shape_name : options->model;
    const char *dtype = session->info->precision == UTTER_PRECISION_INT8 ? "int8" : "fp32";
    const char *encoder = session->cached ? "cached" : "window";
    int64_t peak = process_peak_memory();
    if (options->json)
        return bench_print_json(
            json_pack("{s:s, s:s, s:s, s:s, s:i, s:f, s:f, s:i, s:i, s:i, s:f, s:f, s:I}", "model",
                      model, "dtype", dtype, "encoder", encoder, "kernels", options->kernels->name,
                      "threads", options->threads, "audio", options->window, "speech", seconds,
                      "drafts", session->drafts, "commits", session->commits, "finals",
                      session->finals, "cpu_per_second_of_speech", cpu,
                      "final_cpu_per_second_of_speech", final, "peak_bytes", (json_int_t)peak));
    printf("%s, %s, %s kernels, %d thread%s, %s encoder\n", model, dtype, options->kernels->name,
           options->threads, options->threads == 1 ? "" : "s", encoder);
    printf("stream    %.1f s of audio, %.1f s of them in %d utterances; %d drafts, %d commits\n",
           options->window, seconds, session->finals, session->drafts, session->commits);
    puts("output    each FINAL is the transcription of its samples");
    printf("CPU       %.3f s for each second of speech, the median of %d: %.3f s for drafts and "
           "commits, %.3f s for FINALs\n",
           cpu, options->repeat, cpu - final, final);
    printf("memory    %.0f MB at most\n", (double)peak * 1e-6);
    return 0;
}

int bench_stream(const struct bench_options *options)
{
    struct session *session = calloc(1, sizeof *session);
    struct utter_error error;
    int status;
    if (!session) {
        error_memory(&error, "the benchmark");
        return bench_fail(&error);
    }
    session->options = options;
    status = measure(session, &error) ? bench_fail(&error) : 0;
    if (!status && !options->on_demand)
        status = report(session);
    utter_stream_close(session->stream);
    utter_model_close(session->model);
    utter_engine_close(session->engine);
    free(session->samples);
    free(session);
    return status;
}

/* SPDX-License-Identifier: MIT */
#include "app/evaluation.h"

#include "app/audio_file.h"
#include "app/fault.h"
#include "app/output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct recording {
    float *samples;
    int64_t count;
    int rate;
};

/* All recordings in a row, for options->joined. */
struct joined {
    float *samples;
    int64_t count;
    int64_t capacity;
    int rate;
    char *reference;
    char *offline;
};

struct context {
    struct evaluation *evaluation;
    struct utter_model *model;
    const struct evaluation_options *options;
    struct score *scores; /* of each recording, for the interval */
    struct joined joined;
    struct output *references; /* sclite's files, or NULL */
    struct output *hypotheses;
};

static double clock_seconds(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static bool score_texts(const char *reference, const char *hypothesis, bool characters,
                        struct score *score, struct utter_error *error)
{
    struct score_units a = {0};
    struct score_units b = {0};
    bool (*split)(struct score_units *, const char *) =
        characters ? score_split_characters : score_split_words;
    bool done = split(&a, reference) && split(&b, hypothesis) && score_align(&a, &b, score, NULL);
    score_units_free(&a);
    score_units_free(&b);
    return done || fault_memory(error);
}

static bool add_score(const char *reference, const char *hypothesis, struct score *sum,
                      struct utter_error *error)
{
    struct score score;
    if (!score_texts(reference, hypothesis, false, &score, error))
        return false;
    score_add(sum, &score);
    return true;
}

static bool load(struct recording *recording, const char *path, double gain_db,
                 struct utter_error *error)
{
    struct audio_file *file = audio_file_open(path, NULL, error);
    if (file == NULL)
        return false;
    recording->rate = audio_file_rate(file);
    recording->samples = audio_file_read_all(file, &recording->count, error);
    audio_file_close(file);
    if (recording->samples == NULL)
        return false;
    float gain = (float)pow(10, gain_db / 20);
    for (int64_t i = 0; i < recording->count; i++)
        recording->samples[i] *= gain;
    return true;
}

/* ---- one recording --------------------------------------------------------------------------- */

/* Confidence against truth: the words of `transcript`, each right or wrong by the alignment. */
static bool add_reliability(struct reliability *reliability, const char *reference,
                            const struct utter_word *words, size_t count, struct utter_error *error)
{
    struct score_units truth = {0};
    struct score_units heard = {.count = count};
    struct score score;
    long *pairs = NULL;
    bool *right = calloc(count + 1, sizeof *right);
    char *joined = NULL;
    size_t length = 0;
    FILE *text = open_memstream(&joined, &length);
    bool done = right != NULL && text != NULL;
    for (size_t i = 0; done && i < count; i++)
        fprintf(text, "%s ", words[i].text);
    if (text != NULL)
        done = fclose(text) == 0 && done;
    heard.count = 0;
    done = done && score_split_words(&truth, reference) && score_split_words(&heard, joined) &&
           (pairs = calloc(truth.count + 1, sizeof *pairs)) != NULL &&
           score_align(&truth, &heard, &score, pairs);
    for (size_t i = 0; done && i < truth.count; i++) {
        if (pairs[i] >= 0 && (size_t)pairs[i] < count)
            right[pairs[i]] = strcmp(truth.units[i], heard.units[pairs[i]]) == 0;
    }
    for (size_t i = 0; done && heard.count == count && i < count; i++) {
        int bin = (int)(words[i].confidence * EVALUATION_BINS);
        bin = bin < 0 ? 0 : bin >= EVALUATION_BINS ? EVALUATION_BINS - 1 : bin;
        reliability->words[bin]++;
        reliability->correct[bin] += right[i];
        reliability->confidence[bin] += words[i].confidence;
    }
    score_units_free(&truth);
    score_units_free(&heard);
    free(pairs);
    free(right);
    free(joined);
    return done || fault_memory(error);
}

static bool write_trn(struct output *output, const char *text, size_t number,
                      struct utter_error *error)
{
    char *line = NULL;
    if (output == NULL)
        return true;
    int length = asprintf(&line, "%s (recording-%zu)\n", text, number);
    if (length < 0)
        return fault_memory(error);
    bool done = output_write(output, line, (size_t)length, error);
    free(line);
    return done;
}

static bool compare_stream(struct evaluation *evaluation, const char *reference,
                           const char *offline, const struct measure_heard *heard,
                           struct utter_error *error)
{
    evaluation->stream_seconds += heard->compute_seconds;
    return add_score(reference, heard->commits, &evaluation->commits, error) &&
           add_score(reference, heard->finals, &evaluation->finals, error) &&
           add_score(offline, heard->commits, &evaluation->commits_offline, error) &&
           add_score(offline, heard->finals, &evaluation->finals_offline, error);
}

static bool evaluate_stream(struct context *context, const float *samples, int64_t count, int rate,
                            const char *reference, const char *offline, struct utter_error *error)
{
    struct utter_stream_options options = UTTER_STREAM_OPTIONS_INIT;
    struct measure_heard heard;
    if (context->options->stream_options != NULL)
        options = *context->options->stream_options;
    options.sample_rate = rate;
    if (!measure_stream(context->model, &options, samples, count, &context->evaluation->measure,
                        &heard, error))
        return false;
    bool done = compare_stream(context->evaluation, reference, offline, &heard, error);
    measure_heard_free(&heard);
    return done;
}

static bool evaluate_offline(struct context *context, const struct recording *recording,
                             const char *reference, size_t number, char **text,
                             struct utter_error *error)
{
    struct evaluation *evaluation = context->evaluation;
    struct utter_transcribe_options options = UTTER_TRANSCRIBE_OPTIONS_INIT;
    struct score characters;
    options.sample_rate = recording->rate;
    double begin = clock_seconds(CLOCK_MONOTONIC);
    struct utter_transcript *transcript =
        utter_transcribe(context->model, recording->samples, recording->count, &options, error);
    evaluation->offline_seconds += clock_seconds(CLOCK_MONOTONIC) - begin;
    if (transcript == NULL)
        return false;
    *text = strdup(transcript->text);
    bool done = (*text != NULL || fault_memory(error)) &&
                score_texts(reference, *text, false, &context->scores[number], error) &&
                score_texts(reference, *text, true, &characters, error) &&
                add_reliability(&evaluation->reliability, reference, transcript->words,
                                transcript->word_count, error) &&
                write_trn(context->references, reference, number, error) &&
                write_trn(context->hypotheses, *text, number, error);
    if (done) {
        score_add(&evaluation->words, &context->scores[number]);
        score_add(&evaluation->characters, &characters);
    }
    utter_transcript_free(transcript);
    return done;
}

/* ---- all recordings as one stream ------------------------------------------------------------ */

static bool join_text(char **text, const char *more)
{
    char *joined = NULL;
    if (asprintf(&joined, "%s%s%s", *text != NULL ? *text : "", *text != NULL ? " " : "", more) < 0)
        return false;
    free(*text);
    *text = joined;
    return true;
}

/* The pause is digital silence with the faint hiss of a quiet room, -66 dBFS. */
static void add_pause(float *samples, int64_t count)
{
    uint32_t state = 1;
    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        samples[i] = ((float)(state >> 8) / (1 << 23) - 1) * 9e-4f;
    }
}

static bool join(struct context *context, const struct recording *recording, const char *reference,
                 const char *offline, struct utter_error *error)
{
    struct joined *joined = &context->joined;
    int64_t pause = (int64_t)recording->rate * context->options->pause_ms / 1000;
    int64_t needed = joined->count + recording->count + pause;
    if (joined->rate != 0 && joined->rate != recording->rate)
        return fault_set(error, UTTER_ERROR_UNSUPPORTED,
                         "recordings of %d Hz and of %d Hz cannot be joined", joined->rate,
                         recording->rate);
    joined->rate = recording->rate;
    if (needed > joined->capacity) {
        float *samples = realloc(joined->samples, 2 * (size_t)needed * sizeof *samples);
        if (samples == NULL)
            return fault_memory(error);
        joined->samples = samples;
        joined->capacity = 2 * needed;
    }
    memcpy(joined->samples + joined->count, recording->samples,
           (size_t)recording->count * sizeof *joined->samples);
    add_pause(joined->samples + joined->count + recording->count, pause);
    joined->count = needed;
    return (join_text(&joined->reference, reference) && join_text(&joined->offline, offline)) ||
           fault_memory(error);
}

/* ---- the whole data set ---------------------------------------------------------------------- */

static void show_progress(const struct context *context, size_t done, size_t count)
{
    if (context->options->progress)
        fprintf(stderr, "\r%zu of %zu recordings, word error rate %.1f %% ", done, count,
                100 * score_error_rate(&context->evaluation->words));
}

static bool evaluate_item(struct context *context, const struct dataset_item *item, size_t number,
                          struct utter_error *error)
{
    struct recording recording = {0};
    char *offline = NULL;
    if (!load(&recording, item->audio, context->options->gain_db, error))
        return false;
    context->evaluation->audio_seconds += (double)recording.count / recording.rate;
    context->evaluation->recordings++;
    bool done = evaluate_offline(context, &recording, item->text, number, &offline, error);
    if (done && context->options->joined)
        done = join(context, &recording, item->text, offline, error);
    else if (done && context->options->stream)
        done = evaluate_stream(context, recording.samples, recording.count, recording.rate,
                               item->text, offline, error);
    free(recording.samples);
    free(offline);
    return done;
}

static struct output *open_trn(const char *prefix, const char *ending, struct utter_error *error)
{
    char *path = NULL;
    if (asprintf(&path, "%s.%s.trn", prefix, ending) < 0) {
        fault_memory(error);
        return NULL;
    }
    struct output *output = output_open(path, OUTPUT_REPLACE, error);
    free(path);
    return output;
}

static bool close_trn(struct context *context, bool done, struct utter_error *error)
{
    struct output *outputs[] = {context->references, context->hypotheses};
    for (int i = 0; i < 2; i++) {
        if (!done)
            output_abandon(outputs[i]);
        else if (outputs[i] != NULL)
            done = output_close(outputs[i], error);
    }
    return done;
}

static bool evaluate_all(struct context *context, const struct dataset *dataset,
                         struct utter_error *error)
{
    const struct evaluation_options *options = context->options;
    if (options->trn != NULL &&
        ((context->references = open_trn(options->trn, "ref", error)) == NULL ||
         (context->hypotheses = open_trn(options->trn, "hyp", error)) == NULL))
        return false;
    for (size_t i = 0; i < dataset->count; i++) {
        if (!evaluate_item(context, &dataset->items[i], i, error))
            return false;
        show_progress(context, i + 1, dataset->count);
    }
    const struct joined *joined = &context->joined;
    return joined->samples == NULL ||
           evaluate_stream(context, joined->samples, joined->count, joined->rate, joined->reference,
                           joined->offline, error);
}

bool evaluation_run(struct evaluation *evaluation, struct utter_model *model,
                    const struct dataset *dataset, const struct evaluation_options *options,
                    struct utter_error *error)
{
    struct context context = {.evaluation = evaluation, .model = model, .options = options};
    *evaluation = (struct evaluation){0};
    context.scores = calloc(dataset->count, sizeof *context.scores);
    double begin = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
    bool done = context.scores != NULL || fault_memory(error);
    done = done && evaluate_all(&context, dataset, error);
    done = close_trn(&context, done, error);
    if (options->progress)
        fprintf(stderr, "\r\033[K");
    if (done) {
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        evaluation->peak_kib = usage.ru_maxrss;
        evaluation->cpu_seconds = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
        evaluation->interval = score_bootstrap(context.scores, dataset->count);
    } else {
        evaluation_free(evaluation);
    }
    free(context.scores);
    free(context.joined.samples);
    free(context.joined.reference);
    free(context.joined.offline);
    return done;
}

void evaluation_free(struct evaluation *evaluation)
{
    measure_free(&evaluation->measure);
}

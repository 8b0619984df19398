/* SPDX-License-Identifier: MIT */
#include "app/evaluation.h"

#include "app/clock.h"
#include "app/fault.h"
#include "app/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct context {
    struct evaluation *evaluation;
    struct share *words; /* of each recording */
    struct share *characters;
    struct output *references; /* sclite's files, or NULL */
    struct output *hypotheses;
};

struct share share_of_score(const struct score *score)
{
    return (struct share){
        .part = (double)(score->substitutions + score->insertions + score->deletions),
        .whole = (double)score->reference,
    };
}

bool evaluation_score(const char *reference, const char *hypothesis, bool characters,
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

bool evaluation_load(const struct evaluation *evaluation, size_t number,
                     struct recording *recording, struct utter_error *error)
{
    if (!recording_load(recording, evaluation->dataset->items[number].audio, error))
        return false;
    if (evaluation->options->level_set)
        recording_set_level(recording, evaluation->options->level_dbfs);
    return true;
}

static struct utter_transcript *transcribe(struct evaluation *evaluation,
                                           const struct recording *recording, struct cost *cost,
                                           struct utter_error *error)
{
    struct utter_transcribe_options options = UTTER_TRANSCRIBE_OPTIONS_INIT;
    options.sample_rate = recording->rate;
    double wall = clock_seconds(CLOCK_MONOTONIC);
    double cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
    struct utter_transcript *transcript =
        utter_transcribe(evaluation->model, recording->samples, recording->count, &options, error);
    cost->wall_seconds += clock_seconds(CLOCK_MONOTONIC) - wall;
    cost->cpu_seconds += clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    return transcript;
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

static bool evaluate_transcript(struct context *context, size_t number, struct utter_error *error)
{
    struct evaluation *evaluation = context->evaluation;
    const struct utter_transcript *transcript = evaluation->transcripts[number];
    const char *reference = evaluation->dataset->items[number].text;
    struct score *words = &evaluation->scores[number];
    struct score characters;
    if (!evaluation_score(reference, transcript->text, false, words, error) ||
        !evaluation_score(reference, transcript->text, true, &characters, error) ||
        !add_reliability(&evaluation->reliability, reference, transcript->words,
                         transcript->word_count, error))
        return false;
    score_add(&evaluation->words.score, words);
    score_add(&evaluation->characters.score, &characters);
    context->words[number] = share_of_score(words);
    context->characters[number] = share_of_score(&characters);
    return write_trn(context->references, reference, number, error) &&
           write_trn(context->hypotheses, transcript->text, number, error);
}

static bool join_text(char **text, const char *more)
{
    char *joined = NULL;
    if (asprintf(&joined, "%s%s%s", *text != NULL ? *text : "", *text != NULL ? " " : "", more) < 0)
        return false;
    free(*text);
    *text = joined;
    return true;
}

static bool evaluate_item(struct context *context, size_t number, struct utter_error *error)
{
    struct evaluation *evaluation = context->evaluation;
    const struct evaluation_options *options = evaluation->options;
    struct recording recording;
    if (!evaluation_load(evaluation, number, &recording, error))
        return false;
    evaluation->audio_seconds += (double)recording.count / recording.rate;
    evaluation->transcripts[number] = transcribe(evaluation, &recording, &evaluation->cost, error);
    bool done =
        evaluation->transcripts[number] != NULL && evaluate_transcript(context, number, error);
    if (done && options->joined)
        done = recording_join(&evaluation->joined, &recording, options->pause_ms, error) &&
               (join_text(&evaluation->reference, evaluation->dataset->items[number].text) ||
                fault_memory(error));
    recording_free(&recording);
    return done;
}

/* ---- the whole data set ---------------------------------------------------------------------- */

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

static bool evaluate_all(struct context *context, struct utter_error *error)
{
    struct evaluation *evaluation = context->evaluation;
    const char *prefix = evaluation->options->trn;
    size_t count = evaluation->dataset->count;
    struct progress progress;
    bool done = true;
    if (prefix != NULL && ((context->references = open_trn(prefix, "ref", error)) == NULL ||
                           (context->hypotheses = open_trn(prefix, "hyp", error)) == NULL))
        return false;
    progress_begin(&progress, "transcribing", 0, 1);
    for (size_t i = 0; done && i < count; i++) {
        progress_update(&progress, (int64_t)i, (int64_t)count);
        done = evaluate_item(context, i, error);
    }
    progress_end(&progress);
    if (done && evaluation->options->joined) {
        struct cost unused = {0};
        evaluation->whole = transcribe(evaluation, &evaluation->joined, &unused, error);
        done = evaluation->whole != NULL;
    }
    return done;
}

bool evaluation_open(struct evaluation *evaluation, struct utter_model *model,
                     const struct dataset *dataset, const struct evaluation_options *options,
                     struct utter_error *error)
{
    size_t count = dataset->count;
    struct context context = {.evaluation = evaluation};
    *evaluation = (struct evaluation){.model = model, .dataset = dataset, .options = options};
    evaluation->transcripts = calloc(count, sizeof(struct utter_transcript *));
    evaluation->scores = calloc(count, sizeof *evaluation->scores);
    context.words = calloc(count, sizeof *context.words);
    context.characters = calloc(count, sizeof *context.characters);
    bool done = (evaluation->transcripts != NULL && evaluation->scores != NULL &&
                 context.words != NULL && context.characters != NULL) ||
                fault_memory(error);
    done = done && evaluate_all(&context, error);
    done = close_trn(&context, done, error);
    if (done) {
        evaluation->words.interval = interval_of_ratio(context.words, count);
        evaluation->characters.interval = interval_of_ratio(context.characters, count);
    } else {
        evaluation_close(evaluation);
    }
    free(context.words);
    free(context.characters);
    return done;
}

void evaluation_close(struct evaluation *evaluation)
{
    for (size_t i = 0; evaluation->transcripts != NULL && i < evaluation->dataset->count; i++)
        utter_transcript_free(evaluation->transcripts[i]);
    free(evaluation->transcripts);
    free(evaluation->scores);
    recording_free(&evaluation->joined);
    free(evaluation->reference);
    utter_transcript_free(evaluation->whole);
    *evaluation = (struct evaluation){0};
}

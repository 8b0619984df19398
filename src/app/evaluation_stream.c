/* SPDX-License-Identifier: MIT */
#include "app/evaluation.h"

#include "app/fault.h"

#include <stdlib.h>
#include <string.h>

struct run {
    const struct evaluation *evaluation;
    struct stream_evaluation *streamed;
    struct score *commits; /* of each recording */
    struct score *finals;
    struct score *whole;
};

/* ---- finals beside offline ---------------------------------------------------------------------
 */

static const char **word_texts(const struct utter_word *words, size_t count)
{
    const char **texts = calloc(count + 1, sizeof *texts);
    for (size_t i = 0; texts != NULL && i < count; i++)
        texts[i] = words[i].text;
    return texts;
}

static bool compare_finals(struct run *run, const struct utter_transcript *offline,
                           const struct measure_heard *heard, const struct recording *recording,
                           struct utter_error *error)
{
    struct score score;
    struct score_units a = {.count = offline->word_count};
    struct score_units b = {.count = heard->word_count};
    long *pairs = calloc(offline->word_count + 1, sizeof *pairs);
    a.units = word_texts(offline->words, a.count);
    b.units = word_texts(heard->words, b.count);
    bool done =
        a.units != NULL && b.units != NULL && pairs != NULL && score_align(&a, &b, &score, pairs);
    if (done) {
        score_add(&run->streamed->finals_offline, &score);
        edges_count(offline, heard, pairs, recording->count, recording->rate,
                    &run->streamed->edges);
    }
    score_units_free(&a);
    score_units_free(&b);
    free(pairs);
    return done || fault_memory(error);
}

/* ---- errors of each recording ------------------------------------------------------------------
 */

/*
 * Scores a text of the joined stream, each error with the recording that it belongs to: an
 * insertion goes to that of the word after it.
 */
static bool score_joined(const struct run *run, const char *text, struct score *scores)
{
    const struct dataset *dataset = run->evaluation->dataset;
    struct score_units truth = {0}, heard = {0}, part = {0};
    struct score sum;
    long *pairs = NULL;
    bool done = score_split_words(&truth, run->evaluation->reference) &&
                score_split_words(&heard, text) &&
                (pairs = calloc(truth.count + 1, sizeof *pairs)) != NULL &&
                score_align(&truth, &heard, &sum, pairs);
    size_t word = 0;
    long next = 0;
    for (size_t i = 0; done && i < dataset->count; i++) {
        struct score *score = &scores[i];
        if (!(done = score_split_words(&part, dataset->items[i].text)))
            break;
        score->reference = (long)part.count;
        for (size_t end = word + part.count; word < end; word++) {
            if (pairs[word] < 0) {
                score->deletions++;
                continue;
            }
            bool right = strcmp(truth.units[word], heard.units[pairs[word]]) == 0;
            score->insertions += pairs[word] - next;
            score->correct += right;
            score->substitutions += !right;
            next = pairs[word] + 1;
        }
        score_units_free(&part);
    }
    if (done)
        scores[dataset->count - 1].insertions += (long)heard.count - next;
    score_units_free(&truth);
    score_units_free(&heard);
    free(pairs);
    return done;
}

static bool score_stream(struct run *run, const struct measure_heard *heard, size_t number,
                         struct utter_error *error)
{
    const struct evaluation *evaluation = run->evaluation;
    if (evaluation->options->joined)
        return (score_joined(run, heard->commits, run->commits) &&
                score_joined(run, heard->finals, run->finals) &&
                score_joined(run, evaluation->whole->text, run->whole)) ||
               fault_memory(error);
    const char *reference = evaluation->dataset->items[number].text;
    return evaluation_score(reference, heard->commits, false, &run->commits[number], error) &&
           evaluation_score(reference, heard->finals, false, &run->finals[number], error);
}

/* ---- streams -----------------------------------------------------------------------------------
 */

static bool stream_one(struct run *run, const struct utter_stream_options *given,
                       const struct recording *recording, const struct utter_transcript *offline,
                       size_t number, struct progress *progress, struct utter_error *error)
{
    struct stream_evaluation *streamed = run->streamed;
    struct utter_stream_options options = *given;
    struct measure_heard heard;
    struct score score;
    options.sample_rate = recording->rate;
    if (!measure_stream(run->evaluation->model, &options, recording->samples, recording->count,
                        progress, &streamed->measure, &heard, error))
        return false;
    streamed->audio_seconds += (double)recording->count / recording->rate;
    streamed->cost.wall_seconds += heard.wall_seconds;
    streamed->cost.cpu_seconds += heard.cpu_seconds;
    bool done = score_stream(run, &heard, number, error) &&
                compare_finals(run, offline, &heard, recording, error) &&
                evaluation_score(offline->text, heard.commits, false, &score, error);
    if (done)
        score_add(&streamed->commits_offline, &score);
    measure_heard_free(&heard);
    return done;
}

static bool stream_all(struct run *run, const struct utter_stream_options *options,
                       const char *name, struct utter_error *error)
{
    const struct evaluation *evaluation = run->evaluation;
    size_t count = evaluation->dataset->count;
    struct progress progress;
    bool done = true;
    const struct recording *joined = &evaluation->joined;
    progress_begin(&progress, name, evaluation->options->joined ? joined->rate : 0, 1);
    if (evaluation->options->joined) {
        done = stream_one(run, options, joined, evaluation->whole, 0, &progress, error);
        count = 0;
    }
    for (size_t i = 0; done && i < count; i++) {
        struct recording recording;
        progress_update(&progress, (int64_t)i, (int64_t)count);
        done = evaluation_load(evaluation, i, &recording, error) &&
               stream_one(run, options, &recording, evaluation->transcripts[i], i, NULL, error);
        recording_free(&recording);
    }
    progress_end(&progress);
    return done;
}

/* ---- sums and intervals ------------------------------------------------------------------------
 */

static struct rate make_rate(const struct score *scores, size_t count, struct share *shares)
{
    struct rate rate = {0};
    for (size_t i = 0; i < count; i++) {
        score_add(&rate.score, &scores[i]);
        shares[i] = share_of_score(&scores[i]);
    }
    rate.interval = interval_of_ratio(shares, count);
    return rate;
}

static struct interval more_errors(const struct score *scores, const struct score *than,
                                   size_t count, struct share *shares)
{
    for (size_t i = 0; i < count; i++) {
        shares[i] = share_of_score(&scores[i]);
        shares[i].part -= share_of_score(&than[i]).part;
    }
    return interval_of_ratio(shares, count);
}

static void sum_up(struct run *run, struct share *shares)
{
    struct stream_evaluation *streamed = run->streamed;
    const struct shares *stability = &streamed->measure.stability;
    const struct score *offline = run->evaluation->scores;
    size_t count = run->evaluation->dataset->count;
    streamed->commits = make_rate(run->commits, count, shares);
    streamed->finals = make_rate(run->finals, count, shares);
    streamed->whole = make_rate(run->whole, count, shares);
    streamed->commits_more = more_errors(run->commits, offline, count, shares);
    streamed->finals_more = more_errors(run->finals, offline, count, shares);
    streamed->stability = interval_of_ratio(stability->values, stability->count);
}

bool evaluation_stream(const struct evaluation *evaluation,
                       const struct utter_stream_options *stream_options, const char *name,
                       struct stream_evaluation *streamed, struct utter_error *error)
{
    size_t count = evaluation->dataset->count;
    struct run run = {.evaluation = evaluation, .streamed = streamed};
    *streamed = (struct stream_evaluation){0};
    struct score *scores = calloc(3 * count, sizeof *scores);
    struct share *shares = calloc(count, sizeof *shares);
    bool done = (scores != NULL && shares != NULL) || fault_memory(error);
    if (done) {
        run.commits = scores;
        run.finals = scores + count;
        run.whole = scores + 2 * count;
        done = stream_all(&run, stream_options, name, error);
    }
    if (done)
        sum_up(&run, shares);
    else
        stream_evaluation_free(streamed);
    free(scores);
    free(shares);
    return done;
}

void stream_evaluation_free(struct stream_evaluation *streamed)
{
    measure_free(&streamed->measure);
}

/* SPDX-License-Identifier: MIT */
#include "app/evaluation.h"

#include "app/fault.h"

#include <stdlib.h>
#include <string.h>

/* Words so near to where an utterance begins or ends may have been cut by it. */
static const double EDGE_SECONDS = 0.5;

struct run {
    const struct evaluation *evaluation;
    struct stream_evaluation *streamed;
    struct score *commits; /* of each recording */
    struct score *finals;
    struct score *whole;
};

/* ---- errors at the edges of utterances --------------------------------------------------------
 */

/* The beginning of the first recording and the end of the last cut nothing. */
static bool near_edge(const struct measure_heard *heard, int64_t at, int64_t count, int64_t reach)
{
    for (size_t i = 0; i < heard->utterance_count; i++) {
        const struct span *span = &heard->utterances[i];
        if ((span->start > 0 && llabs(at - span->start) < reach) ||
            (span->end < count && llabs(at - span->end) < reach))
            return true;
    }
    return false;
}

static int64_t middle(const struct utter_word *word)
{
    return (word->start + word->end) / 2;
}

static bool is_heard(const struct measure_heard *heard, int64_t at)
{
    for (size_t i = 0; i < heard->utterance_count; i++)
        if (at >= heard->utterances[i].start && at < heard->utterances[i].end)
            return true;
    return false;
}

/* Of what is longer than a word, several written without a space, the first and the last count. */
static long count_outside(const struct utter_transcript *offline, const struct measure_heard *heard,
                          int64_t reach)
{
    long outside = 0;
    for (size_t i = 0; i < offline->word_count; i++) {
        const struct utter_word *word = &offline->words[i];
        bool several = word->end - word->start > 2 * reach;
        int64_t first = several ? word->start : middle(word);
        int64_t last = several ? word->end - 1 : first;
        outside += !is_heard(heard, first) || !is_heard(heard, last);
    }
    return outside;
}

/* Whether `at` lies within a word, near its beginning or end: there may be minutes between them
 * when it is several words that the model wrote without a space. */
static bool is_within(int64_t at, const struct utter_word *word, int64_t reach)
{
    return at > word->start && at < word->end &&
           (at - word->start < reach || word->end - at < reach);
}

/* Whether a final has `word` where offline has it. */
static bool is_whole(const struct measure_heard *heard, const struct utter_word *word)
{
    for (size_t i = 0; i < heard->word_count; i++) {
        int64_t at = middle(&heard->words[i]);
        if (at >= word->start && at < word->end && strcmp(heard->words[i].text, word->text) == 0)
            return true;
    }
    return false;
}

/* Words within which an utterance begins or ends, and which finals do not have whole. */
static long count_cut(const struct utter_transcript *offline, const struct measure_heard *heard,
                      int64_t reach)
{
    long cut = 0;
    for (size_t i = 0; i < offline->word_count; i++) {
        const struct utter_word *word = &offline->words[i];
        bool within = false;
        for (size_t k = 0; k < heard->utterance_count && !within; k++)
            within = is_within(heard->utterances[k].start, word, reach) ||
                     is_within(heard->utterances[k].end, word, reach);
        cut += within && !is_whole(heard, word);
    }
    return cut;
}

/* Whether words `i` and `i + 1` are the same, and an utterance ends between them, near both. */
static bool same_across_edge(const struct measure_heard *heard, size_t i, int64_t reach)
{
    const struct utter_word *word = &heard->words[i];
    if (i + 1 >= heard->word_count || strcmp(word[0].text, word[1].text) != 0)
        return false;
    for (size_t k = 0; k < heard->utterance_count; k++) {
        int64_t edge = heard->utterances[k].end;
        if (edge > middle(&word[0]) && edge <= middle(&word[1]) && edge - word[0].end < reach &&
            word[1].start - edge < reach)
            return true;
    }
    return false;
}

static bool is_doubled(const struct measure_heard *heard, size_t i, int64_t reach)
{
    return same_across_edge(heard, i, reach) || (i > 0 && same_across_edge(heard, i - 1, reach));
}

/* Of the alignment of finals with the offline words: the errors near an utterance's edge. */
static void count_edges(const struct utter_transcript *offline, const struct measure_heard *heard,
                        const long *pairs, const struct recording *recording, int64_t reach,
                        struct stream_evaluation *streamed)
{
    struct score *edges = &streamed->edges;
    size_t next = 0;
    for (size_t i = 0; i <= offline->word_count; i++) {
        bool last = i == offline->word_count;
        if (!last && pairs[i] < 0)
            edges->deletions +=
                near_edge(heard, middle(&offline->words[i]), recording->count, reach);
        if (!last && pairs[i] < 0)
            continue;
        size_t pair = last ? heard->word_count : (size_t)pairs[i];
        for (; next < pair; next++) {
            edges->insertions +=
                near_edge(heard, middle(&heard->words[next]), recording->count, reach);
            streamed->doubled += is_doubled(heard, next, reach);
        }
        if (last)
            break;
        if (strcmp(offline->words[i].text, heard->words[pair].text) != 0)
            edges->substitutions +=
                near_edge(heard, middle(&heard->words[pair]), recording->count, reach);
        next = pair + 1;
    }
    edges->reference += (long)offline->word_count;
}

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
    int64_t reach = (int64_t)(EDGE_SECONDS * recording->rate);
    long *pairs = calloc(offline->word_count + 1, sizeof *pairs);
    a.units = word_texts(offline->words, a.count);
    b.units = word_texts(heard->words, b.count);
    bool done =
        a.units != NULL && b.units != NULL && pairs != NULL && score_align(&a, &b, &score, pairs);
    if (done) {
        score_add(&run->streamed->finals_offline, &score);
        count_edges(offline, heard, pairs, recording, reach, run->streamed);
        run->streamed->outside += count_outside(offline, heard, reach);
        run->streamed->cut += count_cut(offline, heard, reach);
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

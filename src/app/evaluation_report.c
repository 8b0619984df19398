/* SPDX-License-Identifier: MIT */
#include "app/evaluation_report.h"

#include <stdio.h>
#include <sys/resource.h>

static double percent(double share)
{
    return 100 * share;
}

static double per_second(double seconds, double audio_seconds)
{
    return audio_seconds > 0 ? seconds / audio_seconds : 0;
}

static long peak_kib(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

static double utterance_share(const struct stream_evaluation *streamed)
{
    return per_second(streamed->measure.utterance_seconds, streamed->audio_seconds);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

json_t *interval_json(const struct interval *interval)
{
    return json_pack("[f, f]", interval->low, interval->high);
}

static json_t *score_json(const struct score *score)
{
    return json_pack("{s:f, s:I, s:I, s:I, s:I, s:I}", "rate", score_error_rate(score), "reference",
                     (json_int_t)score->reference, "correct", (json_int_t)score->correct,
                     "substitutions", (json_int_t)score->substitutions, "insertions",
                     (json_int_t)score->insertions, "deletions", (json_int_t)score->deletions);
}

static json_t *rate_json(const struct rate *rate)
{
    json_t *json = score_json(&rate->score);
    json_object_set_new(json, "interval_95", interval_json(&rate->interval));
    return json;
}

static json_t *quantile_json(const struct latencies *latencies, double share)
{
    struct latency_quantile quantile = latency_quantile(latencies, share);
    return json_pack("{s:f, s:o, s:f, s:f}", "seconds", quantile.both, "interval_95",
                     interval_json(&quantile.interval), "audio", quantile.audio, "compute",
                     quantile.compute);
}

static json_t *latency_json(const struct latencies *latencies)
{
    return json_pack("{s:I, s:o, s:o}", "words", (json_int_t)latencies->count, "p50",
                     quantile_json(latencies, 0.5), "p95", quantile_json(latencies, 0.95));
}

static json_t *reliability_json(const struct reliability *reliability)
{
    json_t *bins = json_array();
    for (int i = 0; i < EVALUATION_BINS; i++) {
        long words = reliability->words[i];
        json_array_append_new(
            bins, json_pack("{s:f, s:f, s:I, s:f, s:f}", "from", (double)i / EVALUATION_BINS, "to",
                            (double)(i + 1) / EVALUATION_BINS, "words", (json_int_t)words, "mean",
                            words ? reliability->confidence[i] / (double)words : 0.0, "correct",
                            words ? (double)reliability->correct[i] / (double)words : 0.0));
    }
    return bins;
}

static json_t *cost_json(const struct cost *cost, double audio_seconds)
{
    return json_pack("{s:f, s:f}", "real_time_factor",
                     per_second(cost->wall_seconds, audio_seconds), "cpu_seconds_per_second",
                     per_second(cost->cpu_seconds, audio_seconds));
}

static json_t *stream_json(const struct evaluation *evaluation,
                           const struct stream_evaluation *streamed)
{
    const struct measure *measure = &streamed->measure;
    json_t *json = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "commits",
        rate_json(&streamed->commits), "finals", rate_json(&streamed->finals),
        "commits_above_words_95", interval_json(&streamed->commits_more), "finals_above_words_95",
        interval_json(&streamed->finals_more), "commits_against_offline",
        score_json(&streamed->commits_offline), "finals_against_offline",
        score_json(&streamed->finals_offline), "finals_against_offline_at_edges",
        score_json(&streamed->edges.score), "commits_against_finals", score_json(&measure->seams),
        "draft_latency", latency_json(&measure->draft), "commit_latency",
        latency_json(&measure->commit), "final_latency", latency_json(&measure->final));
    json_t *more = json_pack(
        "{s:f, s:o, s:f, s:I, s:f, s:I, s:o}", "unstable_partial_word_ratio",
        measure_unstable_ratio(measure), "unstable_partial_word_ratio_95",
        interval_json(&streamed->stability), "edit_overhead", measure_edit_overhead(measure),
        "utterances", (json_int_t)measure->utterances, "utterance_share", utterance_share(streamed),
        "lost_samples", (json_int_t)measure->gap_samples, "cost",
        cost_json(&streamed->cost, streamed->audio_seconds));
    json_object_update(json, more);
    json_decref(more);
    const struct edge_errors *edges = &streamed->edges;
    json_object_set_new(json, "offline_words_outside_utterances", json_integer(edges->outside));
    json_object_set_new(json, "offline_words_cut", json_integer(edges->cut));
    json_object_set_new(json, "words_doubled_at_edges", json_integer(edges->doubled));
    if (evaluation->options->joined)
        json_object_set_new(json, "offline_joined", rate_json(&streamed->whole));
    return json;
}

json_t *evaluation_json(const struct evaluation *evaluation,
                        const struct stream_evaluation *streamed)
{
    json_t *report = json_pack(
        "{s:s, s:I, s:f, s:o, s:o, s:o, s:I, s:o}", "model",
        utter_model_info(evaluation->model)->directory, "recordings",
        (json_int_t)evaluation->dataset->count, "audio_seconds", evaluation->audio_seconds, "words",
        rate_json(&evaluation->words), "characters", rate_json(&evaluation->characters), "cost",
        cost_json(&evaluation->cost, evaluation->audio_seconds), "peak_kib", (json_int_t)peak_kib(),
        "reliability", reliability_json(&evaluation->reliability));
    if (report != NULL && streamed != NULL)
        json_object_set_new(report, "stream", stream_json(evaluation, streamed));
    return report;
}

/* ---- text ------------------------------------------------------------------------------------ */

static void print_score(const char *name, const struct score *score)
{
    printf("%-28s %7.2f %%  %8ld %8ld %8ld %8ld", name, percent(score_error_rate(score)),
           score->reference, score->substitutions, score->insertions, score->deletions);
}

static void print_rate(const char *name, const struct rate *rate)
{
    print_score(name, &rate->score);
    printf("   %6.2f to %.2f %%\n", percent(rate->interval.low), percent(rate->interval.high));
}

static void print_difference(const char *name, const struct score *score)
{
    print_score(name, score);
    printf("\n");
}

static void print_latency(const char *name, const struct latencies *latencies, double share)
{
    struct latency_quantile quantile = latency_quantile(latencies, share);
    printf("%-16s %4.0f %% %9.2f %9.2f %9.3f    %5.2f to %.2f\n", name, percent(share),
           quantile.both, quantile.audio, quantile.compute, quantile.interval.low,
           quantile.interval.high);
}

static void print_latencies(const char *name, const struct latencies *latencies)
{
    print_latency(name, latencies, 0.5);
    print_latency("", latencies, 0.95);
}

static void print_reliability(const struct reliability *reliability)
{
    printf("\nconfidence    words   mean confidence   right\n");
    for (int i = 0; i < EVALUATION_BINS; i++) {
        long words = reliability->words[i];
        if (words > 0)
            printf("%.1f to %.1f %8ld %15.2f %9.1f %%\n", (double)i / EVALUATION_BINS,
                   (double)(i + 1) / EVALUATION_BINS, words,
                   reliability->confidence[i] / (double)words,
                   percent((double)reliability->correct[i] / (double)words));
    }
}

static void print_cost(const char *what, const struct cost *cost, double audio_seconds)
{
    printf("%s at %.3f seconds a second of audio, %.3f CPU seconds\n", what,
           per_second(cost->wall_seconds, audio_seconds),
           per_second(cost->cpu_seconds, audio_seconds));
}

static void print_stream(const struct evaluation *evaluation,
                         const struct stream_evaluation *streamed)
{
    const struct measure *measure = &streamed->measure;
    printf("\nstreamed                      errors      of     subst   insert   delete   95 %%\n");
    print_rate("commits", &streamed->commits);
    print_rate("finals", &streamed->finals);
    if (evaluation->options->joined)
        print_rate("offline, joined", &streamed->whole);
    printf("commits above words          %7.2f to %.2f %%\n", percent(streamed->commits_more.low),
           percent(streamed->commits_more.high));
    printf("finals above words           %7.2f to %.2f %%\n", percent(streamed->finals_more.low),
           percent(streamed->finals_more.high));
    printf("\ndifferences\n");
    print_difference("commits from offline", &streamed->commits_offline);
    print_difference("commits from finals", &measure->seams);
    print_difference("finals from offline", &streamed->finals_offline);
    print_difference("  at utterances' edges", &streamed->edges.score);
    printf("\nlatency in seconds        both     audio   compute     95 %% of both\n");
    print_latencies("draft", &measure->draft);
    print_latencies("commit", &measure->commit);
    print_latencies("final", &measure->final);
    printf("\nunstable partial word ratio %.3f (%.3f to %.3f), edit overhead %.3f\n",
           measure_unstable_ratio(measure), streamed->stability.low, streamed->stability.high,
           measure_edit_overhead(measure));
    printf(
        "%ld utterances, %.1f %% of the audio; offline words in none of them: %ld, cut by an edge: "
        "%ld; words doubled at one: %ld\n",
        measure->utterances, percent(utterance_share(streamed)), streamed->edges.outside,
        streamed->edges.cut, streamed->edges.doubled);
    print_cost("streamed", &streamed->cost, streamed->audio_seconds);
}

void evaluation_print(const struct evaluation *evaluation, const struct stream_evaluation *streamed)
{
    printf("%zu recordings, %.1f minutes\n", evaluation->dataset->count,
           evaluation->audio_seconds / 60);
    printf("\n                              errors      of     subst   insert   delete   95 %%\n");
    print_rate("words", &evaluation->words);
    print_rate("characters", &evaluation->characters);
    print_cost("transcribed", &evaluation->cost, evaluation->audio_seconds);
    printf("at most %ld MiB of memory\n", peak_kib() / 1024);
    print_reliability(&evaluation->reliability);
    if (streamed != NULL)
        print_stream(evaluation, streamed);
}

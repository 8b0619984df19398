/* SPDX-License-Identifier: MIT */
#include "app/evaluation.h"

#include <stdio.h>

static double percent(double share)
{
    return 100 * share;
}

static double per_second(double seconds, const struct evaluation *evaluation)
{
    return evaluation->audio_seconds > 0 ? seconds / evaluation->audio_seconds : 0;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static json_t *score_json(const struct score *score)
{
    return json_pack("{s:f, s:I, s:I, s:I, s:I, s:I}", "rate", score_error_rate(score), "reference",
                     (json_int_t)score->reference, "correct", (json_int_t)score->correct,
                     "substitutions", (json_int_t)score->substitutions, "insertions",
                     (json_int_t)score->insertions, "deletions", (json_int_t)score->deletions);
}

static json_t *latency_json(const struct latencies *latencies)
{
    return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "words", (json_int_t)latencies->count,
                     "p50", latency_quantile(latencies, 0.5), "p95",
                     latency_quantile(latencies, 0.95), "audio_p50",
                     latency_quantile_audio(latencies, 0.5), "audio_p95",
                     latency_quantile_audio(latencies, 0.95), "compute_p50",
                     latency_quantile_compute(latencies, 0.5), "compute_p95",
                     latency_quantile_compute(latencies, 0.95));
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

static json_t *stream_json(const struct evaluation *evaluation)
{
    const struct measure *measure = &evaluation->measure;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:I, s:I, s:f}", "commits",
                     score_json(&evaluation->commits), "finals", score_json(&evaluation->finals),
                     "commits_against_offline", score_json(&evaluation->commits_offline),
                     "finals_against_offline", score_json(&evaluation->finals_offline),
                     "commits_against_finals", score_json(&measure->seams), "draft_latency",
                     latency_json(&measure->draft), "commit_latency",
                     latency_json(&measure->commit), "final_latency", latency_json(&measure->final),
                     "unstable_partial_word_ratio", measure_unstable_ratio(measure),
                     "edit_overhead", measure_edit_overhead(measure), "utterances",
                     (json_int_t)measure->utterances, "lost_samples",
                     (json_int_t)measure->gap_samples, "real_time_factor",
                     per_second(evaluation->stream_seconds, evaluation));
}

json_t *evaluation_json(const struct evaluation *evaluation, bool stream)
{
    json_t *report = json_pack(
        "{s:I, s:f, s:o, s:o, s:[f, f], s:f, s:f, s:I, s:o}", "recordings",
        (json_int_t)evaluation->recordings, "audio_seconds", evaluation->audio_seconds, "words",
        score_json(&evaluation->words), "characters", score_json(&evaluation->characters),
        "word_error_rate_95", evaluation->interval.low, evaluation->interval.high,
        "real_time_factor", per_second(evaluation->offline_seconds, evaluation),
        "cpu_seconds_per_second", per_second(evaluation->cpu_seconds, evaluation), "peak_kib",
        (json_int_t)evaluation->peak_kib, "reliability",
        reliability_json(&evaluation->reliability));
    if (report != NULL && stream)
        json_object_set_new(report, "stream", stream_json(evaluation));
    return report;
}

/* ---- text ------------------------------------------------------------------------------------ */

static void print_score(const char *name, const struct score *score)
{
    printf("%-24s %7.2f %%  %8ld %8ld %8ld %8ld\n", name, percent(score_error_rate(score)),
           score->reference, score->substitutions, score->insertions, score->deletions);
}

static void print_latency(const char *name, const struct latencies *latencies)
{
    printf("%-24s %7.2f %7.2f   %7.2f %7.2f   %7.3f %7.3f\n", name,
           latency_quantile(latencies, 0.5), latency_quantile(latencies, 0.95),
           latency_quantile_audio(latencies, 0.5), latency_quantile_audio(latencies, 0.95),
           latency_quantile_compute(latencies, 0.5), latency_quantile_compute(latencies, 0.95));
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

static void print_stream(const struct evaluation *evaluation)
{
    const struct measure *measure = &evaluation->measure;
    printf("\nstreamed\n");
    print_score("commits", &evaluation->commits);
    print_score("finals", &evaluation->finals);
    print_score("commits against offline", &evaluation->commits_offline);
    print_score("finals against offline", &evaluation->finals_offline);
    print_score("commits against finals", &measure->seams);
    printf("\nlatency in seconds           p50     p95   audio p50     p95  compute p50    p95\n");
    print_latency("draft", &measure->draft);
    print_latency("commit", &measure->commit);
    print_latency("final", &measure->final);
    printf("\nunstable partial word ratio %.3f, edit overhead %.3f, %ld utterances\n",
           measure_unstable_ratio(measure), measure_edit_overhead(measure), measure->utterances);
    printf("streamed at %.3f seconds a second of audio\n",
           per_second(evaluation->stream_seconds, evaluation));
}

void evaluation_print(const struct evaluation *evaluation, bool stream)
{
    printf("%zu recordings, %.1f minutes\n", evaluation->recordings,
           evaluation->audio_seconds / 60);
    printf("\n                             errors      of     subst   insert   delete\n");
    print_score("words", &evaluation->words);
    print_score("characters", &evaluation->characters);
    printf("words, 95 %% interval      %6.2f to %.2f %%\n", percent(evaluation->interval.low),
           percent(evaluation->interval.high));
    printf("transcribed at %.3f seconds a second of audio; %.3f CPU seconds in all; peak %ld MiB\n",
           per_second(evaluation->offline_seconds, evaluation),
           per_second(evaluation->cpu_seconds, evaluation), evaluation->peak_kib / 1024);
    print_reliability(&evaluation->reliability);
    if (stream)
        print_stream(evaluation);
}

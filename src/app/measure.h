/* SPDX-License-Identifier: MIT */
/**
 * How a stream feels to its reader: when words are seen, and how often they change under the eye.
 *
 * Feeds a recording to a stream as a microphone would, 20 ms at a time, as fast as it goes. A
 * word's latency runs from its end in FINAL's alignment to the moment it is shown, and has two
 * parts: the audio that had to arrive first, and what it then waited for computing, its own and
 * what was still going on, as if the audio had come at the speed of a microphone.
 *
 * Unstable partial word ratio: of two screens running, the words of the former behind the first
 * difference are unstable; their number by that of the final words (Shangguan et al. 2020,
 * "Analyzing the Quality and Stability of a Streaming End-to-End On-Device Speech Recognizer").
 * FINAL is the last screen. Only with a decode every 0.5 s of speech or more often is it one that
 * can be compared.
 * Edit overhead: the share of word edits on the screen (a word added or taken away) that the final
 * text did not need (Baumann et al. 2009).
 *
 * One thread at a time.
 */
#ifndef APP_MEASURE_H
#define APP_MEASURE_H

#include "app/interval.h"
#include "app/progress.h"
#include "app/score.h"
#include "utter.h"

/** Seconds, one pair a word. */
struct latency {
    float audio;
    float compute;
};

struct latencies {
    struct latency *values;
    size_t count;
    size_t capacity;
};

/** A stretch of audio, in samples. */
struct span {
    int64_t start;
    int64_t end;
};

/** One more number a recording or utterance. */
struct shares {
    struct share *values;
    size_t count;
    size_t capacity;
};

struct measure {
    struct latencies draft;  /**< first shown as it stayed, draft or committed */
    struct latencies commit; /**< committed */
    struct latencies final;  /**< in a FINAL */
    long final_words;
    long shown_words; /**< added to the screen, all in all */
    long unstable_words;
    long screens; /**< changes of the screen */
    long utterances;
    double utterance_seconds;
    struct shares stability; /**< of each utterance: unstable words by final words */
    int64_t gap_samples;
    struct score seams; /**< commits against their own utterance's FINAL: what windows changed */
};

/** What was heard in one stream; the caller frees it with measure_heard_free(). */
struct measure_heard {
    char *commits;            /**< all committed words */
    char *finals;             /**< all finals' texts */
    struct utter_word *words; /**< the finals' words, texts owned; for confidence */
    size_t word_count;
    size_t word_capacity;
    struct span *utterances;
    size_t utterance_count;
    size_t utterance_capacity;
    double wall_seconds; /**< spent in the stream's functions */
    double cpu_seconds;  /**< of the process, meanwhile */
};

/**
 * Runs one stream over `samples` and adds what it did to `measure`. A `progress` that has begun is
 * told the samples; NULL: none.
 */
bool measure_stream(struct utter_model *model, const struct utter_stream_options *options,
                    const float *samples, int64_t count, struct progress *progress,
                    struct measure *measure, struct measure_heard *heard,
                    struct utter_error *error);

void measure_heard_free(struct measure_heard *heard);
void measure_free(struct measure *measure);

bool shares_add(struct shares *shares, double part, double whole);

double measure_unstable_ratio(const struct measure *measure);
double measure_edit_overhead(const struct measure *measure);

/** A quantile of latencies: of audio + compute, with its 95 % interval, and of each part alone. */
struct latency_quantile {
    double both;
    struct interval interval;
    double audio;
    double compute;
};

/** `share` of the values are not above it. Zeros when there are none, or no memory. */
struct latency_quantile latency_quantile(const struct latencies *latencies, double share);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * One evaluation of a model on a data set: whole recordings first, then, as often as is wanted and
 * with any options, the same recordings streamed. One thread at a time.
 */
#ifndef APP_EVALUATION_H
#define APP_EVALUATION_H

#include "app/dataset.h"
#include "app/edges.h"
#include "app/interval.h"
#include "app/measure.h"
#include "app/progress.h"
#include "app/recording.h"
#include "app/score.h"

enum { EVALUATION_BINS = 10 };

struct evaluation_options {
    bool joined; /**< all recordings as one stream, `pause_ms` of their own rooms between */
    int pause_ms;
    bool level_set;
    double level_dbfs; /**< what recording_set_level() makes of every recording */
    const char *trn;   /**< also write PREFIX.ref.trn and PREFIX.hyp.trn for sclite; or NULL */
};

/** An error rate and its 95 % interval, by recordings. */
struct rate {
    struct score score;
    struct interval interval;
};

/** Words by confidence: how many, and how many of them are right. */
struct reliability {
    long words[EVALUATION_BINS];
    long correct[EVALUATION_BINS];
    double confidence[EVALUATION_BINS]; /**< sum */
};

/** What computing took. */
struct cost {
    double wall_seconds;
    double cpu_seconds; /**< of all threads */
};

struct evaluation {
    struct utter_model *model; /**< borrowed, like the two after it */
    const struct dataset *dataset;
    const struct evaluation_options *options;

    double audio_seconds;
    struct cost cost;
    struct rate words; /**< of utter_transcribe() */
    struct rate characters;
    struct reliability reliability;
    struct utter_transcript **transcripts; /**< [dataset->count] */
    struct score *scores;                  /**< [dataset->count] words of each */
    struct recording joined;               /**< when options say so: the stream, */
    char *reference;                       /**< what is said in it, */
    struct utter_transcript *whole;        /**< and what utter_transcribe() makes of it */
};

/** What streams with one set of options do. */
struct stream_evaluation {
    double audio_seconds;
    struct cost cost;
    struct rate commits;
    struct rate finals;
    struct interval commits_more; /**< their error rate above that of whole recordings */
    struct interval finals_more;
    struct rate whole;            /**< when joined: of utter_transcribe() on the whole stream */
    struct score commits_offline; /**< against utter_transcribe() on the same samples */
    struct score finals_offline;
    struct edge_errors edges;  /**< of the latter, those at the edges of utterances */
    struct interval stability; /**< of the unstable partial word ratio */
    struct measure measure;
};

/** Transcribes every recording. On failure nothing is held. */
bool evaluation_open(struct evaluation *evaluation, struct utter_model *model,
                     const struct dataset *dataset, const struct evaluation_options *options,
                     struct utter_error *error);
void evaluation_close(struct evaluation *evaluation);

/** Streams them. On failure nothing is held. `name` is what a progress bar calls it. */
bool evaluation_stream(const struct evaluation *evaluation,
                       const struct utter_stream_options *stream_options, const char *name,
                       struct stream_evaluation *streamed, struct utter_error *error);
void stream_evaluation_free(struct stream_evaluation *streamed);

/** Aligns two texts. */
bool evaluation_score(const char *reference, const char *hypothesis, bool characters,
                      struct score *score, struct utter_error *error);
/** The recording with that number as the options want it. */
bool evaluation_load(const struct evaluation *evaluation, size_t number,
                     struct recording *recording, struct utter_error *error);
struct share share_of_score(const struct score *score);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * One evaluation of a model on a data set, whole recordings or streamed, and its report as text or
 * JSON. One thread at a time.
 */
#ifndef APP_EVALUATION_H
#define APP_EVALUATION_H

#include "app/dataset.h"
#include "app/measure.h"
#include "app/score.h"

#include <jansson.h>

enum { EVALUATION_BINS = 10 };

struct evaluation_options {
    bool stream; /**< also feed every recording to a stream */
    bool joined; /**< all recordings as one stream, `pause_ms` of their own noise floor between */
    int pause_ms;
    double gain_db; /**< applied to the samples */
    bool progress;  /**< a line on standard error */
    const char
        *trn; /**< also write PREFIX.ref.trn and PREFIX.hyp.trn, which sclite reads; or NULL */
    const struct utter_stream_options *stream_options;
};

/** Words by confidence: how many, and how many of them are right. */
struct reliability {
    long words[EVALUATION_BINS];
    long correct[EVALUATION_BINS];
    double confidence[EVALUATION_BINS]; /**< sum */
};

struct evaluation {
    size_t recordings;
    double audio_seconds;
    double offline_seconds; /**< wall clock */
    double cpu_seconds;     /**< of the process, streams included */
    double stream_seconds;
    long peak_kib;
    struct score words; /**< of utter_transcribe() */
    struct score characters;
    struct score_interval interval; /**< of words */
    struct score commits;           /**< of a stream's commits */
    struct score finals;
    struct score commits_offline; /**< commits against the offline text */
    struct score finals_offline;
    struct reliability reliability;
    struct measure measure;
};

bool evaluation_run(struct evaluation *evaluation, struct utter_model *model,
                    const struct dataset *dataset, const struct evaluation_options *options,
                    struct utter_error *error);
void evaluation_free(struct evaluation *evaluation);

/** The caller releases it; NULL when out of memory. */
json_t *evaluation_json(const struct evaluation *evaluation, bool stream);
void evaluation_print(const struct evaluation *evaluation, bool stream);

#endif

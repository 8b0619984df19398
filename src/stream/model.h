/* SPDX-License-Identifier: MIT */
/**
 * The objects behind utter_engine and utter_model. Both count their users, from any thread;
 * otherwise they never change.
 */
#ifndef STREAM_MODEL_H
#define STREAM_MODEL_H

#include "base/log.h"
#include "base/pool.h"
#include "ctc/labels.h"
#include "stream/acoustic.h"
#include "w2v2/w2v2.h"

#include <stdatomic.h>

struct utter_engine {
    atomic_int users;
    struct pool *pool;
    struct log log;
};

struct utter_model {
    atomic_int users;
    struct utter_engine *engine; /* held */
    struct w2v2 *w2v2;
    char **tokens; /* [info.vocabulary_size] as spelt in the files */
    struct ctc_labels labels;
    char *directory;
    struct utter_model_info info;
};

struct utter_engine *engine_hold(struct utter_engine *engine);
struct utter_model *model_hold(struct utter_model *model);

/** What an acoustic model of it will be like, without one. */
void model_describe_acoustic(const struct utter_model *model, struct acoustic *acoustic);
/** The model with workspaces for what `room` says. */
enum utter_code model_acoustic(const struct utter_model *model, const struct acoustic_room *room,
                               struct acoustic *acoustic, struct utter_error *error);

#endif

/* SPDX-License-Identifier: MIT */
#include "stream/model.h"

#include "base/error.h"
#include "model/checkpoint.h"
#include "stream/options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static enum utter_code read_labels(struct utter_model *model, const struct vocabulary *vocabulary,
                                   struct utter_error *error)
{
    const struct ctc_spelling spelling = {
        .size = vocabulary->size,
        .tokens = (const char *const *)vocabulary->tokens,
        .group = vocabulary->label,
        .blank = vocabulary->blank,
        .delimiter = vocabulary->delimiter,
        .replace_delimiter = vocabulary->replace_word_delimiter,
        .do_lower_case = vocabulary->do_lower_case,
        .clean_up_tokenization_spaces = vocabulary->clean_up_tokenization_spaces,
    };
    model->tokens = calloc((size_t)vocabulary->size, sizeof *model->tokens);
    for (int i = 0; model->tokens && i < vocabulary->size; i++)
        if (!(model->tokens[i] = strdup(vocabulary->tokens[i])))
            return error_memory(error, "the vocabulary");
    if (!model->tokens)
        return error_memory(error, "the vocabulary");
    return ctc_labels_open(&model->labels, &spelling, error);
}

static void describe(struct utter_model *model, const struct checkpoint *checkpoint)
{
    const struct model_config *config = w2v2_config(model->w2v2);
    model->info = (struct utter_model_info){
        .directory = model->directory,
        .architecture = config->model_type,
        .sample_rate = config->sampling_rate,
        .frame_samples = config->frame_samples,
        .receptive_field = config->receptive_field,
        .vocabulary_size = config->vocab_size,
        .blank = checkpoint->vocabulary.blank,
        .layer_count = config->num_hidden_layers,
        .parameter_count = checkpoint->parameter_count,
        .weight_bytes = w2v2_weight_bytes(model->w2v2),
        .encoder = checkpoint->measured.encoder,
        .latency = checkpoint->measured.latency,
        .word_error_rate = (float)checkpoint->measured.word_error_rate,
        .precision = w2v2_precision(model->w2v2) == W2V2_PRECISION_INT8 ? UTTER_PRECISION_INT8
                                                                        : UTTER_PRECISION_FLOAT32,
    };
}

/* The files are open only in here: what is used afterwards is a copy, safe from what happens to
 * them. */
static enum utter_code load(struct utter_model *model, enum w2v2_precision precision,
                            struct utter_error *error)
{
    enum utter_code code = UTTER_ERROR_FORMAT;
    struct checkpoint *checkpoint = checkpoint_open(model->directory, error);
    if (!checkpoint)
        return code;
    model->info.vocabulary_size = checkpoint->vocabulary.size;
    code = read_labels(model, &checkpoint->vocabulary, error);
    if (!code) {
        model->w2v2 = w2v2_open(checkpoint, model->engine->pool, precision, error);
        if (model->w2v2)
            describe(model, checkpoint);
        else
            code = UTTER_ERROR_FORMAT;
    }
    checkpoint_close(checkpoint);
    return code;
}

static enum utter_code read_precision(enum utter_precision given, enum w2v2_precision *precision,
                                      struct utter_error *error)
{
    switch (given) {
    case UTTER_PRECISION_STORED:
        *precision = W2V2_PRECISION_STORED;
        return UTTER_OK;
    case UTTER_PRECISION_FLOAT32:
        *precision = W2V2_PRECISION_FLOAT32;
        return UTTER_OK;
    case UTTER_PRECISION_INT8:
        *precision = W2V2_PRECISION_INT8;
        return UTTER_OK;
    }
    return error_set(error, UTTER_ERROR_ARGUMENT,
                     "utter_model_options: precision is %d, no value of enum utter_precision",
                     (int)given);
}

struct utter_model *utter_model_open(struct utter_engine *engine, const char *directory,
                                     const struct utter_model_options *given,
                                     struct utter_error *error)
{
    struct utter_model_options options = {0};
    if (!engine || !directory) {
        error_set(error, UTTER_ERROR_ARGUMENT, "utter_model_open: %s is NULL",
                  engine ? "directory" : "engine");
        return NULL;
    }
    if (options_read(&options, sizeof options, given, "utter_model_options", error))
        return NULL;
    enum w2v2_precision precision = W2V2_PRECISION_STORED;
    if (read_precision(options.precision, &precision, error))
        return NULL;
    struct utter_model *model = calloc(1, sizeof *model);
    if (!model) {
        error_memory(error, "the model");
        return NULL;
    }
    atomic_init(&model->users, 1);
    model->engine = engine_hold(engine);
    model->directory = strdup(directory);
    if (!model->directory) {
        error_memory(error, "the model");
        goto fail;
    }
    if (load(model, precision, error))
        goto fail;
    log_write(&engine->log, UTTER_LOG_INFO,
              "model %s: %s, %d layers, %" PRId64 " parameters, %d labels", directory,
              model->info.architecture, model->info.layer_count, model->info.parameter_count,
              model->info.vocabulary_size);
    return model;
fail:
    utter_model_close(model);
    return NULL;
}

struct utter_model *model_hold(struct utter_model *model)
{
    atomic_fetch_add(&model->users, 1);
    return model;
}

void utter_model_close(struct utter_model *model)
{
    if (!model || atomic_fetch_sub(&model->users, 1) > 1)
        return;
    w2v2_close(model->w2v2);
    ctc_labels_close(&model->labels);
    for (int i = 0; model->tokens && i < model->info.vocabulary_size; i++)
        free(model->tokens[i]);
    free(model->tokens);
    utter_engine_close(model->engine);
    free(model->directory);
    free(model);
}

const struct utter_model_info *utter_model_info(const struct utter_model *model)
{
    return model ? &model->info : NULL;
}

const char *utter_model_token(const struct utter_model *model, int id)
{
    if (!model || id < 0 || id >= model->info.vocabulary_size)
        return NULL;
    return model->tokens[id];
}

/* SPDX-License-Identifier: MIT */
/* utter eval: how many words a model gets wrong, and how a stream of it feels to its reader. */
#include "app/command.h"
#include "app/evaluation.h"
#include "app/fault.h"
#include "app/model_path.h"
#include "app/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct option_help HELP = {
    "usage: utter eval [OPTION...] DATASET\n"
    "\n"
    "Counts the words and characters that a model gets wrong, as NIST's sclite does.\n"
    "DATASET is a table (tab-separated, columns `file` and `text`), or a directory of\n"
    "recordings with their texts (NAME.flac and NAME.txt), or LibriSpeech's layout.\n"
    "\n",
    "\n"
    "examples:\n"
    "  utter eval --model ~/wav2vec2-base-960h LibriSpeech/test-clean\n"
    "  utter eval --stream --json dev.tsv\n",
};

struct eval {
    struct option_values values;
    const char *dataset;
    bool json;
    struct evaluation_options evaluation;
    struct utter_stream_options stream;
};

static int report(const struct eval *eval, const struct evaluation *evaluation)
{
    if (!eval->json) {
        evaluation_print(evaluation, eval->evaluation.stream);
        return OPTIONS_OK;
    }
    json_t *json = evaluation_json(evaluation, eval->evaluation.stream);
    bool done = json != NULL && json_dumpf(json, stdout, JSON_INDENT(2)) == 0;
    json_decref(json);
    printf("\n");
    if (!done)
        fault_print("standard output: the report could not be written");
    return done ? OPTIONS_OK : OPTIONS_FAILURE;
}

static int evaluate(const struct eval *eval)
{
    struct utter_engine_options engine_options = UTTER_ENGINE_OPTIONS_INIT;
    struct utter_error error;
    struct dataset dataset = {0};
    struct evaluation evaluation;
    struct utter_engine *engine = NULL;
    struct utter_model *model = NULL;
    int status = OPTIONS_FAILURE;
    engine_options.threads = option_values_number(&eval->values, OPTION_THREADS);
    char *directory = model_path_find(&eval->values, &error);
    if (directory != NULL && dataset_open(&dataset, eval->dataset, &error) &&
        (engine = utter_engine_open(&engine_options, &error)) != NULL &&
        (model = utter_model_open(engine, directory, NULL, &error)) != NULL &&
        evaluation_run(&evaluation, model, &dataset, &eval->evaluation, &error)) {
        status = report(eval, &evaluation);
        evaluation_free(&evaluation);
    } else {
        fault_print("%s", error.message);
    }
    utter_model_close(model);
    utter_engine_close(engine);
    dataset_close(&dataset);
    free(directory);
    return status;
}

static void take_options(struct eval *eval)
{
    const struct option_values *values = &eval->values;
    struct evaluation_options *evaluation = &eval->evaluation;
    eval->json = option_values_number(values, OPTION_JSON);
    eval->stream.left_context_ms = option_values_number(values, OPTION_LEFT);
    eval->stream.hop_ms = option_values_number(values, OPTION_HOP);
    eval->stream.right_context_ms = option_values_number(values, OPTION_RIGHT);
    eval->stream.gate_off = !option_values_number(values, OPTION_GATE);
    evaluation->joined = option_values_text(values, OPTION_JOIN) != NULL;
    evaluation->pause_ms = option_values_number(values, OPTION_JOIN);
    evaluation->stream = option_values_number(values, OPTION_STREAM) || evaluation->joined;
    evaluation->trn = option_values_text(values, OPTION_TRN);
    evaluation->gain_db = option_values_number(values, OPTION_GAIN);
    evaluation->progress = isatty(STDERR_FILENO);
    evaluation->stream_options = &eval->stream;
}

int command_eval(int argc, char **argv)
{
    struct eval eval = {.stream = UTTER_STREAM_OPTIONS_INIT};
    int status = option_values_read(&eval.values, COMMAND_EVAL, argc, argv, &HELP);
    if (status == OPTIONS_END && optind != argc - 1) {
        fault_print("eval: name one data set (see utter eval --help)");
        status = OPTIONS_USAGE;
    }
    if (status == OPTIONS_END) {
        eval.dataset = argv[optind];
        take_options(&eval);
        status = evaluate(&eval);
    }
    option_values_free(&eval.values);
    return status;
}

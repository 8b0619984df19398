/* SPDX-License-Identifier: MIT */
/* utter eval: how many words a model gets wrong, and how a stream of it feels to its reader. */
#include "app/command.h"
#include "app/evaluation.h"
#include "app/evaluation_report.h"
#include "app/fault.h"
#include "app/interrupt.h"
#include "app/model_path.h"
#include "app/options.h"
#include "app/output.h"
#include "app/stream_settings.h"
#include "app/sweep.h"

#include <stdio.h>
#include <stdlib.h>

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
    "  utter eval --stream --json dev.tsv\n"
    "  utter eval --sweep curve.json --hop 0.2,0.4,0.8 dev.tsv\n",
};

struct eval {
    struct option_values values;
    const char *dataset;
    bool stream;
    bool json;
    struct evaluation_options evaluation;
    struct utter_stream_options stream_options;
    struct sweep sweep;
};

static bool report(const struct eval *eval, const struct evaluation *evaluation,
                   const struct stream_evaluation *streamed, struct utter_error *error)
{
    if (!eval->json) {
        evaluation_print(evaluation, streamed);
        return true;
    }
    json_t *json = evaluation_json(evaluation, streamed);
    bool done = json != NULL && json_dumpf(json, stdout, JSON_INDENT(2)) == 0;
    json_decref(json);
    printf("\n");
    return done ||
           fault_set(error, UTTER_ERROR_SYSTEM, "standard output: the report could not be written");
}

static bool stream_and_report(struct eval *eval, const struct evaluation *evaluation,
                              struct utter_error *error)
{
    struct stream_evaluation streamed;
    if (eval->sweep.path != NULL)
        return sweep_run(&eval->sweep, evaluation, &eval->stream_options, error);
    if (!eval->stream)
        return report(eval, evaluation, NULL, error);
    if (!evaluation_stream(evaluation, &eval->stream_options, "streaming", &streamed, error))
        return false;
    bool done = report(eval, evaluation, &streamed, error);
    stream_evaluation_free(&streamed);
    return done;
}

static int evaluate(struct eval *eval)
{
    struct utter_engine_options engine_options = UTTER_ENGINE_OPTIONS_INIT;
    struct utter_error error;
    struct dataset dataset = {0};
    struct evaluation evaluation;
    struct utter_engine *engine = NULL;
    struct utter_model *model = NULL;
    int status = OPTIONS_FAILURE;
    engine_options.threads = option_values_number(&eval->values, OPTION_THREADS);
    char *directory = NULL;
    if ((eval->sweep.path == NULL || output_check(eval->sweep.path, &error)) &&
        (directory = model_path_find(&eval->values, &error)) != NULL &&
        dataset_open(&dataset, eval->dataset, &error) &&
        (engine = utter_engine_open(&engine_options, &error)) != NULL &&
        (model = model_path_open(engine, directory, &eval->values, &error)) != NULL &&
        evaluation_open(&evaluation, model, &dataset, &eval->evaluation, &error)) {
        if (stream_and_report(eval, &evaluation, &error))
            status = OPTIONS_OK;
        evaluation_close(&evaluation);
    }
    if (status != OPTIONS_OK)
        fault_print("%s", error.message);
    utter_model_close(model);
    utter_engine_close(engine);
    dataset_close(&dataset);
    free(directory);
    return status;
}

static bool take_axis(const struct option_values *values, enum option_id id, double maximum,
                      struct sweep_axis *axis)
{
    struct utter_error error;
    char label[256];
    const char *list = option_values_text(values, id);
    option_values_label(values, id, label, sizeof label);
    if (list == NULL || sweep_parse_axis(label, list, 0.02, maximum, axis, &error))
        return true;
    fault_print("%s", error.message);
    return false;
}

/* Without --sweep an axis has one value at most. */
static bool take_axes(struct eval *eval)
{
    struct utter_stream_options *options = &eval->stream_options;
    const struct {
        enum option_id id;
        double maximum; /* seconds */
        struct sweep_axis *axis;
        int *value;
    } axes[] = {
        {OPTION_LEFT, 60, &eval->sweep.left, &options->left_context_ms},
        {OPTION_HOP, 10, &eval->sweep.hop, &options->hop_ms},
        {OPTION_RIGHT, 10, &eval->sweep.right, &options->right_context_ms},
    };
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) {
        if (!take_axis(&eval->values, axes[i].id, axes[i].maximum, axes[i].axis))
            return false;
        if (eval->sweep.path == NULL && axes[i].axis->count > 1) {
            fault_print("--%s: a list of values needs --sweep FILE",
                        option_table_row(axes[i].id)->name);
            return false;
        }
        *axes[i].value = axes[i].axis->values[0];
    }
    return true;
}

static bool take_options(struct eval *eval)
{
    const struct option_values *values = &eval->values;
    struct evaluation_options *evaluation = &eval->evaluation;
    eval->json = option_values_number(values, OPTION_JSON);
    eval->sweep.path = option_values_text(values, OPTION_SWEEP);
    evaluation->joined = option_values_text(values, OPTION_JOIN) != NULL;
    evaluation->pause_ms = option_values_number(values, OPTION_JOIN);
    evaluation->trn = option_values_text(values, OPTION_TRN);
    evaluation->level_set = option_values_text(values, OPTION_LEVEL) != NULL;
    evaluation->level_dbfs = option_values_number(values, OPTION_LEVEL);
    eval->stream = option_values_number(values, OPTION_STREAM) || evaluation->joined;
    stream_settings_take(values, &eval->stream_options);
    if (eval->sweep.path == NULL || !eval->json)
        return take_axes(eval);
    fault_print("--sweep: not together with --json");
    return false;
}

int command_eval(int argc, char **argv)
{
    struct eval eval = {.stream_options = UTTER_STREAM_OPTIONS_INIT};
    int status = option_values_read(&eval.values, COMMAND_EVAL, argc, argv, &HELP);
    if (status == OPTIONS_END && optind != argc - 1) {
        fault_print("eval: name one data set (see utter eval --help)");
        status = OPTIONS_USAGE;
    }
    if (status == OPTIONS_END && !take_options(&eval))
        status = OPTIONS_USAGE;
    if (status == OPTIONS_END) {
        eval.dataset = argv[optind];
        interrupt_prepare();
        status = evaluate(&eval);
    }
    option_values_free(&eval.values);
    return status;
}

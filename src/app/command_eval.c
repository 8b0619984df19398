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

static const char HELP[] =
    "usage: utter eval [OPTION...] DATASET\n"
    "\n"
    "Counts the words and characters that a model gets wrong, as NIST's sclite does.\n"
    "DATASET is a table (tab-separated, columns `file` and `text`), or a directory of\n"
    "recordings with their texts (NAME.flac and NAME.txt), or LibriSpeech's layout.\n"
    "\n"
    "  -m, --model DIR        the model; default: the one that comes with utter\n"
    "      --stream           also caption every recording live, as fast as it goes:\n"
    "                         latencies, stability, and what streaming costs in words\n"
    "      --join SECONDS     as --stream, all recordings as one stream, with pauses\n"
    "      --gain DB          make the recordings louder or softer first\n"
    "      --left SECONDS     of the stream: left context\n"
    "      --hop SECONDS      of the stream: from one decode to the next\n"
    "      --right SECONDS    of the stream: right context\n"
    "      --no-gate          of the stream: decode silence too\n"
    "      --trn PREFIX       also write PREFIX.ref.trn and PREFIX.hyp.trn for sclite\n"
    "      --json             the report as JSON\n"
    "  -j, --threads N        threads to compute with; default: one a core\n"
    "\n"
    "examples:\n"
    "  utter eval --model ~/wav2vec2-base-960h LibriSpeech/test-clean\n"
    "  utter eval --stream --json dev.tsv\n";

enum option_value {
    OPTION_STREAM = 256,
    OPTION_JOIN,
    OPTION_GAIN,
    OPTION_LEFT,
    OPTION_HOP,
    OPTION_RIGHT,
    OPTION_NO_GATE,
    OPTION_TRN,
    OPTION_JSON,
    OPTION_HELP = 'h',
};

struct eval {
    const char *dataset;
    const char *model;
    int threads;
    int gain_db;
    bool json;
    struct evaluation_options evaluation;
    struct utter_stream_options stream;
};

static const struct option OPTIONS[] = {
    {"model", required_argument, NULL, 'm'},
    {"threads", required_argument, NULL, 'j'},
    {"stream", no_argument, NULL, OPTION_STREAM},
    {"join", required_argument, NULL, OPTION_JOIN},
    {"gain", required_argument, NULL, OPTION_GAIN},
    {"left", required_argument, NULL, OPTION_LEFT},
    {"hop", required_argument, NULL, OPTION_HOP},
    {"right", required_argument, NULL, OPTION_RIGHT},
    {"no-gate", no_argument, NULL, OPTION_NO_GATE},
    {"trn", required_argument, NULL, OPTION_TRN},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static bool take_option(struct eval *eval, int option)
{
    switch (option) {
    case 'm':
        eval->model = optarg;
        return true;
    case 'j':
        return options_integer("--threads", optarg, 1, 1024, &eval->threads);
    case OPTION_STREAM:
        eval->evaluation.stream = true;
        return true;
    case OPTION_JOIN:
        eval->evaluation.stream = eval->evaluation.joined = true;
        return options_seconds("--join", optarg, 0, 3600, &eval->evaluation.pause_ms);
    case OPTION_GAIN:
        return options_integer("--gain", optarg, -120, 60, &eval->gain_db);
    case OPTION_LEFT:
        return options_seconds("--left", optarg, 0, 60, &eval->stream.left_context_ms);
    case OPTION_HOP:
        return options_seconds("--hop", optarg, 0.02, 60, &eval->stream.hop_ms);
    case OPTION_RIGHT:
        return options_seconds("--right", optarg, 0, 60, &eval->stream.right_context_ms);
    case OPTION_NO_GATE:
        eval->stream.gate_off = true;
        return true;
    case OPTION_TRN:
        eval->evaluation.trn = optarg;
        return true;
    case OPTION_JSON:
        return eval->json = true;
    default:
        return false;
    }
}

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
    engine_options.threads = eval->threads;
    char *directory = model_path_find(eval->model, &error);
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

int command_eval(int argc, char **argv)
{
    struct eval eval = {.stream = UTTER_STREAM_OPTIONS_INIT};
    for (int option; (option = options_next(argc, argv, "m:j:h", OPTIONS)) != OPTIONS_END;) {
        if (option == OPTION_HELP)
            return options_help(HELP);
        if (!take_option(&eval, option))
            return OPTIONS_USAGE;
    }
    if (optind != argc - 1) {
        fault_print("eval: name one data set (see utter eval --help)");
        return OPTIONS_USAGE;
    }
    eval.dataset = argv[optind];
    eval.evaluation.gain_db = eval.gain_db;
    eval.evaluation.progress = isatty(STDERR_FILENO);
    eval.evaluation.stream_options = &eval.stream;
    return evaluate(&eval);
}

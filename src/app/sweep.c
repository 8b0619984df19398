/* SPDX-License-Identifier: MIT */
#include "app/sweep.h"

#include "app/evaluation_report.h"
#include "app/fault.h"
#include "app/interrupt.h"
#include "app/options.h"
#include "app/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct sweep_axis LEFT = {{1000, 2000, 4000, 8000}, 4};
static const struct sweep_axis HOP = {{200, 400, 800}, 3};
static const struct sweep_axis RIGHT = {{160, 320, 640, 960}, 4};

/* ---- lists ----------------------------------------------------------------------------------- */

bool sweep_parse_axis(const char *name, const char *list, double minimum, double maximum,
                      struct sweep_axis *axis, struct utter_error *error)
{
    char value[32];
    *axis = (struct sweep_axis){.count = 0};
    for (const char *at = list;; at++) {
        size_t length = strcspn(at, ",");
        if (axis->count == SWEEP_VALUES_MAX || length >= sizeof value)
            return fault_set(error, UTTER_ERROR_ARGUMENT, "%s %s: %d values at most, as 0.2,0.4",
                             name, list, SWEEP_VALUES_MAX);
        memcpy(value, at, length);
        value[length] = '\0';
        if (!options_seconds(name, value, minimum, maximum, &axis->values[axis->count++], error))
            return false;
        at += length;
        if (*at == '\0')
            return true;
    }
}

/* ---- a row ----------------------------------------------------------------------------------- */

static void set_real(json_t *row, const char *name, double value)
{
    json_object_set_new(row, name, json_real(value));
}

static void set_latency(json_t *row, const char *p50, const char *p95,
                        const struct latencies *latencies)
{
    set_real(row, p50, latency_quantile(latencies, 0.5).both);
    set_real(row, p95, latency_quantile(latencies, 0.95).both);
}

static const char *encoder_name(enum utter_encoder encoder)
{
    return encoder == UTTER_ENCODER_CACHED ? "cached" : "window";
}

static json_t *make_row(const struct evaluation *evaluation,
                        const struct stream_evaluation *streamed,
                        const struct utter_stream_options *options)
{
    const struct measure *measure = &streamed->measure;
    json_t *row = json_object();
    json_object_set_new(row, "encoder", json_string(encoder_name(options->encoder)));
    set_real(row, "left_seconds", options->left_context_ms / 1000.0);
    set_real(row, "hop_seconds", options->hop_ms / 1000.0);
    set_real(row, "right_seconds", options->right_context_ms / 1000.0);
    set_real(row, "offline_word_error_rate", score_error_rate(&evaluation->words.score));
    set_real(row, "commit_word_error_rate", score_error_rate(&streamed->commits.score));
    set_real(row, "commit_word_error_rate_low", streamed->commits.interval.low);
    set_real(row, "commit_word_error_rate_high", streamed->commits.interval.high);
    set_real(row, "commit_above_offline_low", streamed->commits_more.low);
    set_real(row, "commit_above_offline_high", streamed->commits_more.high);
    set_real(row, "final_word_error_rate", score_error_rate(&streamed->finals.score));
    set_latency(row, "draft_latency_p50", "draft_latency_p95", &measure->draft);
    set_latency(row, "commit_latency_p50", "commit_latency_p95", &measure->commit);
    set_latency(row, "final_latency_p50", "final_latency_p95", &measure->final);
    set_real(row, "unstable_partial_word_ratio", measure_unstable_ratio(measure));
    set_real(row, "unstable_partial_word_ratio_low", streamed->stability.low);
    set_real(row, "unstable_partial_word_ratio_high", streamed->stability.high);
    set_real(row, "cpu_seconds_per_second", streamed->cost.cpu_seconds / streamed->audio_seconds);
    return row;
}

static void print_heading(void)
{
    printf("%-7s %6s %6s %6s %10s %8s %8s %8s %8s %8s %8s\n", "encoder", "left", "hop", "right",
           "commits", "finals", "draft", "commit", "final", "unstable", "CPU");
}

static void print_row(const struct stream_evaluation *streamed,
                      const struct utter_stream_options *options)
{
    const struct measure *measure = &streamed->measure;
    printf(
        "%-7s %6.2f %6.2f %6.2f %8.2f %% %6.2f %% %8.2f %8.2f %8.2f %8.3f %8.4f\n",
        encoder_name(options->encoder), options->left_context_ms / 1000.0, options->hop_ms / 1000.0,
        options->right_context_ms / 1000.0, 100 * score_error_rate(&streamed->commits.score),
        100 * score_error_rate(&streamed->finals.score),
        latency_quantile(&measure->draft, 0.5).both, latency_quantile(&measure->commit, 0.5).both,
        latency_quantile(&measure->final, 0.5).both, measure_unstable_ratio(measure),
        streamed->cost.cpu_seconds / streamed->audio_seconds);
    fflush(stdout);
}

/* ---- the table ------------------------------------------------------------------------------- */

static void write_row(FILE *text, json_t *row, bool heading)
{
    const char *key;
    json_t *value;
    const char *separator = "";
    json_object_foreach(row, key, value)
    {
        if (heading)
            fprintf(text, "%s%s", separator, key);
        else if (json_is_string(value))
            fprintf(text, "%s%s", separator, json_string_value(value));
        else
            fprintf(text, "%s%.6g", separator, json_number_value(value));
        separator = "\t";
    }
    fprintf(text, "\n");
}

/* The table as text; the caller frees it. NULL when out of memory. */
static char *table_text(const json_t *rows, bool tsv)
{
    char *bytes = NULL;
    size_t length = 0;
    if (!tsv)
        return json_dumps(rows, JSON_INDENT(2));
    FILE *text = open_memstream(&bytes, &length);
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        if (i == 0)
            write_row(text, json_array_get(rows, i), true);
        write_row(text, json_array_get(rows, i), false);
    }
    fclose(text);
    return bytes;
}

static bool write_table(const char *path, const json_t *rows, struct utter_error *error)
{
    const char *dot = strrchr(path, '.');
    char *text = table_text(rows, dot != NULL && strcmp(dot, ".tsv") == 0);
    if (text == NULL)
        return fault_memory(error);
    interrupt_hold(); /* nothing half-written */
    struct output *output = output_open(path, OUTPUT_REPLACE, error);
    bool done = output != NULL && output_write(output, text, strlen(text), error);
    if (done)
        done = output_close(output, error);
    else
        output_abandon(output);
    interrupt_release();
    free(text);
    return done;
}

static bool run_one(const struct sweep *sweep, const struct evaluation *evaluation,
                    const struct utter_stream_options *options, json_t *rows,
                    struct utter_error *error)
{
    struct stream_evaluation streamed;
    char name[64];
    snprintf(name, sizeof name, "%s, left %.2f s, hop %.2f s, right %.2f s",
             encoder_name(options->encoder), options->left_context_ms / 1000.0,
             options->hop_ms / 1000.0, options->right_context_ms / 1000.0);
    if (!evaluation_stream(evaluation, options, name, &streamed, error))
        return false;
    print_row(&streamed, options);
    json_array_append_new(rows, make_row(evaluation, &streamed, options));
    stream_evaluation_free(&streamed);
    return write_table(sweep->path, rows, error);
}

bool sweep_run(struct sweep *sweep, const struct evaluation *evaluation,
               const struct utter_stream_options *given, struct utter_error *error)
{
    struct utter_stream_options options = *given;
    json_t *rows = json_array();
    bool done = rows != NULL || fault_memory(error);
    if (sweep->left.count == 0)
        sweep->left = LEFT;
    if (sweep->hop.count == 0)
        sweep->hop = HOP;
    if (sweep->right.count == 0)
        sweep->right = RIGHT;
    int each = sweep->left.count * sweep->hop.count * sweep->right.count;
    int encoders = given->encoder == 0 ? 2 : 1;
    print_heading();
    for (int i = 0; done && i < encoders * each; i++) {
        if (given->encoder == 0)
            options.encoder = i < each ? UTTER_ENCODER_WINDOW : UTTER_ENCODER_CACHED;
        options.right_context_ms = sweep->right.values[i % sweep->right.count];
        options.hop_ms = sweep->hop.values[i / sweep->right.count % sweep->hop.count];
        options.left_context_ms =
            sweep->left.values[i % each / sweep->right.count / sweep->hop.count];
        done = run_one(sweep, evaluation, &options, rows, error);
    }
    json_decref(rows);
    return done;
}

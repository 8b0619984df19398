/* SPDX-License-Identifier: MIT */
/*
 * utter-golden DIRECTORY...: compares the recogniser with what the reference implementation made of
 * the same checkpoint and samples (README.md), stage by stage, with every set of kernels that this
 * machine has, on one thread and on two. Exit status 1 when anything is outside the tolerance.
 */
#include "model/file.h"
#include "model/safetensors.h"
#include "w2v2/w2v2.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 2 };

/* What rounding to 8 bits may cost: root mean square of the logits' differences over their own. */
static const double INT8_TOLERANCE = 0.2;

struct golden {
    const char *directory;
    double tolerance;
    json_t *cases;
    struct file file;
    struct safetensors expected;
    struct checkpoint *checkpoint;
    bool failed;
};

/* One run of one case. */
struct run {
    struct golden *golden;
    const char *name; /* of the case */
    const char *setting;
    enum w2v2_precision precision;
    float *logits; /* as seen, [frames, vocab] */
    int stages;    /* compared */
    double worst;  /* difference over the greatest allowed */
    char worst_stage[32];
};

static void fail(struct golden *golden, const char *what, const char *detail)
{
    printf("%s: %s: %s\n", golden->directory, what, detail);
    golden->failed = true;
}

/* A copy of expected tensor <name>.<stage>, or NULL; freed by the caller. */
static float *read_expected(const struct golden *golden, const char *name, const char *stage,
                            int64_t *count)
{
    char full[160];
    snprintf(full, sizeof full, "%s.%s", name, stage);
    const struct safetensors_tensor *tensor = safetensors_find(&golden->expected, full);
    if (!tensor)
        return NULL;
    size_t bytes = (size_t)(tensor->end - tensor->begin);
    float *values = malloc(bytes + 1);
    if (values)
        memcpy(values, golden->expected.data + tensor->begin, bytes);
    *count = (int64_t)(bytes / sizeof *values);
    return values;
}

/* max |difference| / (tolerance × max(1, max |expected|)); NaN counts as infinite */
static double compare(const float *values, const float *expected, int64_t count, double tolerance)
{
    double most = 0, scale = 1;
    for (int64_t i = 0; i < count; i++) {
        double difference = fabs((double)values[i] - expected[i]);
        if (!(difference <= most))
            most = isnan(difference) ? INFINITY : difference;
        scale = fmax(scale, fabs((double)expected[i]));
    }
    return most / (tolerance * scale);
}

/* root mean square of the differences over (tolerance × that of the expected values) */
static double compare_int8(const float *values, const float *expected, int64_t count)
{
    double differences = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) {
        differences += pow((double)values[i] - expected[i], 2);
        squares += pow(expected[i], 2);
    }
    double share = sqrt(differences / squares) / INT8_TOLERANCE;
    return isnan(share) ? INFINITY : share;
}

static void see(void *user, enum w2v2_stage stage, int layer, const float *values, int64_t rows,
                int64_t columns)
{
    static const char *const names[] = {"extractor", "projection", "positional", "layer", "logits"};
    struct run *run = user;
    char name[32];
    snprintf(name, sizeof name, stage == W2V2_STAGE_LAYER ? "%s.%d" : "%s", names[stage], layer);
    if (stage == W2V2_STAGE_LOGITS)
        memcpy(run->logits, values, (size_t)(rows * columns) * sizeof *values);
    int64_t count = 0;
    bool int8 = run->precision == W2V2_PRECISION_INT8;
    if (int8 && stage != W2V2_STAGE_LOGITS)
        return;
    float *expected = read_expected(run->golden, run->name, name, &count);
    if (!expected)
        return;
    double share = INFINITY;
    if (int8 && count == rows * columns)
        share = compare_int8(values, expected, count);
    else if (count == rows * columns)
        share = compare(values, expected, count, run->golden->tolerance);
    free(expected);
    run->stages++;
    if (share >= run->worst) {
        run->worst = share;
        snprintf(run->worst_stage, sizeof run->worst_stage, "%s", name);
    }
    if (!(share <= 1)) {
        printf("%s: %s, %s: %s is off by %.3g of what is allowed\n", run->golden->directory,
               run->name, run->setting, name, share);
        run->golden->failed = true;
    }
}

/* The log-softmax against one in double precision. */
static void check_log_probs(struct run *run, const float *log_probs, int64_t frames, int64_t vocab)
{
    for (int64_t i = 0; i < frames; i++) {
        const float *logits = run->logits + i * vocab;
        double greatest = logits[0], sum = 0;
        for (int64_t j = 1; j < vocab; j++)
            greatest = fmax(greatest, logits[j]);
        for (int64_t j = 0; j < vocab; j++)
            sum += exp(logits[j] - greatest);
        for (int64_t j = 0; j < vocab; j++) {
            double expected = logits[j] - greatest - log(sum);
            if (!(fabs(log_probs[i * vocab + j] - expected) <= 4e-6 * fmax(1, fabs(expected)))) {
                fail(run->golden, run->name, "log-probabilities are not the logits' log-softmax");
                return;
            }
        }
    }
}

struct result {
    float *log_probs;
    int64_t count;
};

/* A pass of which some frames alone are wanted must give their bits. */
static bool wanted_are_the_same(const struct w2v2 *w2v2, struct pool *pool,
                                struct w2v2_workspace *workspace, const float *features,
                                int64_t frames, const float *expected, float *log_probs)
{
    int64_t vocab = w2v2_config(w2v2)->vocab_size, half = frames / 2;
    const struct w2v2_wanted some[] = {
        {0, half}, {half, frames - half}, {frames / 3, 1}, {half, 0}};
    bool same = true;
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        size_t bytes = (size_t)(some[i].count * vocab) * sizeof *log_probs;
        w2v2_encode(w2v2, pool, workspace, features, frames, &some[i], log_probs, NULL);
        same = same && memcmp(log_probs, expected + some[i].first * vocab, bytes) == 0;
    }
    return same;
}

/* The same pass in two halves must give the same bits. */
static void check_halves(struct run *run, const struct w2v2 *w2v2, struct pool *pool,
                         struct w2v2_workspace *workspace, const float *samples, int64_t count,
                         const struct result *result)
{
    const struct model_config *config = w2v2_config(w2v2);
    int64_t frames = config_frames(config, count);
    float *features =
        malloc((size_t)(frames * config->conv_dim[config->conv_layers - 1]) * sizeof *features);
    float *log_probs = malloc((size_t)result->count * sizeof *log_probs);
    if (features && log_probs) {
        w2v2_features(w2v2, pool, workspace, samples, count, features);
        w2v2_encode(w2v2, pool, workspace, features, frames, NULL, log_probs, NULL);
    }
    if (!features || !log_probs ||
        memcmp(log_probs, result->log_probs, (size_t)result->count * sizeof *log_probs) != 0)
        fail(run->golden, run->name, "two halves of a pass differ from a whole one");
    else if (!wanted_are_the_same(w2v2, pool, workspace, features, frames, result->log_probs,
                                  log_probs))
        fail(run->golden, run->name, "frames that are wanted alone differ from those of all");
    free(features);
    free(log_probs);
}

/* Runs one case; the log-probabilities are the caller's to free. */
static struct result run_case(struct run *run, const struct w2v2 *w2v2, struct pool *pool,
                              const char *input)
{
    const struct model_config *config = w2v2_config(w2v2);
    int64_t count = 0;
    float *samples = read_expected(run->golden, input, "input", &count);
    int64_t frames = config_frames(config, count);
    struct result result = {.count = frames * config->vocab_size};
    struct w2v2_workspace *workspace = w2v2_workspace_open(w2v2, count, NULL);
    run->logits = calloc((size_t)result.count, sizeof *run->logits);
    result.log_probs = calloc((size_t)result.count, sizeof *result.log_probs);
    if (samples && workspace && run->logits && result.log_probs) {
        struct w2v2_watcher watcher = {.see = see, .user = run};
        w2v2_log_probs(w2v2, pool, workspace, samples, count, NULL, result.log_probs, &watcher);
        check_log_probs(run, result.log_probs, frames, config->vocab_size);
        check_halves(run, w2v2, pool, workspace, samples, count, &result);
    }
    if (run->stages == 0)
        fail(run->golden, run->name, "nothing was compared");
    free(run->logits);
    w2v2_workspace_close(workspace);
    free(samples);
    return result;
}

/* All cases with one set of kernels on 1 .. THREADS_MAX threads, which must agree bit for bit. */
static void run_kernels(struct golden *golden, const struct kernels *kernels,
                        enum w2v2_precision precision, json_t *entry)
{
    const char *name = json_string_value(json_object_get(entry, "name"));
    char input[128];
    snprintf(input, sizeof input, "%s", json_string_value(json_object_get(entry, "input")));
    *strrchr(input, '.') = '\0';
    struct result results[THREADS_MAX] = {0};
    for (int threads = 1; threads <= THREADS_MAX; threads++) {
        struct pool *pool = pool_open(threads, NULL);
        struct w2v2 *w2v2 =
            pool ? w2v2_open_kernels(golden->checkpoint, pool, precision, kernels, NULL) : NULL;
        char setting[64];
        snprintf(setting, sizeof setting, "%s, %s, %d thread(s)", kernels->name,
                 precision == W2V2_PRECISION_INT8 ? "int8" : "fp32", threads);
        struct run run = {golden, name, setting, precision};
        if (w2v2) {
            results[threads - 1] = run_case(&run, w2v2, pool, input);
            printf("%-40s %-16s %-32s %2d stages, worst %.3f of the tolerance in %s\n",
                   golden->directory, name, setting, run.stages, run.worst, run.worst_stage);
        } else {
            fail(golden, name, "cannot open the model");
        }
        w2v2_close(w2v2);
        pool_close(pool);
    }
    if (results[0].log_probs && results[1].log_probs &&
        memcmp(results[0].log_probs, results[1].log_probs,
               (size_t)results[0].count * sizeof(float)) != 0)
        fail(golden, name, "one thread and two give different bits");
    for (int i = 0; i < THREADS_MAX; i++)
        free(results[i].log_probs);
}

static bool open_golden(struct golden *golden, const char *directory, struct utter_error *error)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/cases.json", directory);
    json_t *root = json_load_file(path, 0, NULL);
    golden->directory = directory;
    golden->tolerance = json_number_value(json_object_get(root, "tolerance"));
    golden->cases = json_incref(json_object_get(root, "cases"));
    json_decref(root);
    if (!json_array_size(golden->cases) || !(golden->tolerance > 0)) {
        snprintf(error->message, sizeof error->message, "cases.json holds no cases");
        return false;
    }
    snprintf(path, sizeof path, "%s/expected.safetensors", directory);
    if (file_map(&golden->file, path, error) < 0 ||
        safetensors_open(&golden->expected, golden->file.bytes, golden->file.size, path, error) < 0)
        return false;
    golden->checkpoint = checkpoint_open(directory, error);
    return golden->checkpoint != NULL;
}

static bool check_directory(const char *directory)
{
    struct golden golden = {0};
    struct utter_error error;
    if (!open_golden(&golden, directory, &error))
        fail(&golden, "cannot be opened", error.message);
    for (size_t i = 0; !golden.failed && i < json_array_size(golden.cases); i++) {
        json_t *entry = json_array_get(golden.cases, i);
        if (json_object_get(entry, "chunks"))
            continue; /* windows with strides are the stream's business, not a pass's */
        for (int set = 0; set < KERNELS_SETS; set++) {
            const struct kernels *kernels = kernels_find((enum instruction_set)set);
            if (!kernels)
                continue;
            run_kernels(&golden, kernels, W2V2_PRECISION_FLOAT32, entry);
            run_kernels(&golden, kernels, W2V2_PRECISION_INT8, entry);
        }
    }
    checkpoint_close(golden.checkpoint);
    safetensors_close(&golden.expected);
    file_unmap(&golden.file);
    json_decref(golden.cases);
    return !golden.failed;
}

int main(int argc, char **argv)
{
    bool passed = argc > 1;
    for (int i = 1; i < argc; i++)
        passed = check_directory(argv[i]) && passed;
    puts(passed ? "all within tolerance" : "FAILED");
    return passed ? 0 : 1;
}

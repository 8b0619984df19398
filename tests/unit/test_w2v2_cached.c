/* SPDX-License-Identifier: MIT */
/*
 * The encoder in chunks against what the reference implementation computes for the same chunks
 * without a cache (tests/golden/README.md), with every set of kernels, on one thread and on three.
 */
#include "w2v2/cached.h"

#include "model/file.h"
#include "model/safetensors.h"
#include "stream/stream.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = {"base", "large",        "digits",
                                    "xlsr", "layer-stable", "hubert-bare"};
enum { NAMES = sizeof names / sizeof *names };

struct golden {
    struct file file;
    struct safetensors tensors;
    struct checkpoint *checkpoint;
    const float *features; /* [frames, conv_dim[last]] */
    int64_t frames;
};

static const void *find(const struct golden *golden, const char *name, int64_t *rows)
{
    const struct safetensors_tensor *tensor = safetensors_find(&golden->tensors, name);
    assert_non_null(tensor);
    *rows = tensor->shape[0];
    return golden->tensors.data + tensor->begin;
}

static void golden_open(struct golden *golden, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, GOLDEN_DIRECTORY "/%s", name);
    golden->checkpoint = checkpoint_open(path, NULL);
    assert_non_null(golden->checkpoint);
    snprintf(path, sizeof path, GOLDEN_DIRECTORY "/streaming/%s.safetensors", name);
    assert_int_equal(file_map(&golden->file, path, NULL), UTTER_OK);
    assert_int_equal(
        safetensors_open(&golden->tensors, golden->file.bytes, golden->file.size, path, NULL),
        UTTER_OK);
    golden->features = find(golden, "features", &golden->frames);
}

static void golden_close(struct golden *golden)
{
    checkpoint_close(golden->checkpoint);
    safetensors_close(&golden->tensors);
    file_unmap(&golden->file);
}

struct step {
    int64_t frames, settled, left;
};

/* What runs the same model. */
struct variant {
    const struct kernels *kernels;
    enum w2v2_precision precision;
};

static const enum w2v2_precision precisions[] = {W2V2_PRECISION_FLOAT32, W2V2_PRECISION_INT8};

static bool is_int8(const struct variant *variant)
{
    return variant->precision == W2V2_PRECISION_INT8;
}

/* A recogniser with a cache of just the size that a plan needs, or of more. */
struct recogniser {
    struct pool *pool;
    struct w2v2 *w2v2;
    struct w2v2_cache *cache;
};

static struct recogniser recogniser_open(const struct golden *golden, const struct variant *variant,
                                         int threads, const struct step *plan, int64_t chunks,
                                         int64_t spare)
{
    int64_t frames = 1, left = 0;
    for (int64_t i = 0; i < chunks; i++) {
        frames = plan[i].frames > frames ? plan[i].frames : frames;
        left = plan[i].left > left ? plan[i].left : left;
    }
    struct recogniser recogniser = {.pool = pool_open(threads, NULL)};
    assert_non_null(recogniser.pool);
    recogniser.w2v2 = w2v2_open_kernels(golden->checkpoint, recogniser.pool, variant->precision,
                                        variant->kernels, NULL);
    assert_non_null(recogniser.w2v2);
    assert_int_equal(w2v2_precision(recogniser.w2v2), variant->precision);
    recogniser.cache = w2v2_cache_open(recogniser.w2v2, left + spare, frames + spare, NULL);
    assert_non_null(recogniser.cache);
    return recogniser;
}

static void recogniser_close(struct recogniser *recogniser)
{
    w2v2_cache_close(recogniser->cache);
    w2v2_close(recogniser->w2v2);
    pool_close(recogniser->pool);
}

/* Log-probabilities of every frame of every chunk: [rows, vocab], to be freed. */
static float *run(const struct golden *golden, struct recogniser *recogniser,
                  const struct step *plan, int64_t chunks, int64_t rows)
{
    const struct model_config *config = w2v2_config(recogniser->w2v2);
    int64_t columns = config->conv_dim[config->conv_layers - 1], first = 0, row = 0;
    float *log_probs = malloc((size_t)(rows * config->vocab_size) * sizeof *log_probs);
    assert_non_null(log_probs);
    for (int64_t i = 0; i < chunks; i++) {
        /* Only the chunk's own features are there to be read. */
        size_t bytes = (size_t)(plan[i].frames * columns) * sizeof(float);
        float *features = malloc(bytes);
        assert_non_null(features);
        assert_true(first + plan[i].frames <= golden->frames && row + plan[i].frames <= rows);
        memcpy(features, golden->features + first * columns, bytes);
        w2v2_encode_cached(recogniser->w2v2, recogniser->pool, recogniser->cache, features,
                           plan[i].frames, plan[i].settled, plan[i].left,
                           log_probs + row * config->vocab_size);
        free(features);
        first += plan[i].settled;
        row += plan[i].frames;
    }
    assert_int_equal(row, rows);
    return log_probs;
}

static int64_t settled_frames(const struct step *plan, int64_t chunks)
{
    int64_t frames = 0;
    while (chunks-- > 0)
        frames += plan[chunks].settled;
    return frames;
}

static double log_sum(const float *logits, int64_t count)
{
    double greatest = logits[0], sum = 0;
    for (int64_t i = 1; i < count; i++)
        greatest = fmax(greatest, logits[i]);
    for (int64_t i = 0; i < count; i++)
        sum += exp(logits[i] - greatest);
    return greatest + log(sum);
}

/* Floats: the greatest difference. Bytes: the root mean square, as in the golden tests. */
static void check_values(const char *what, bool int8, const float *log_probs, const float *logits,
                         int64_t rows, int64_t vocab)
{
    double most = 0, scale = 1, differences = 0, squares = 0;
    for (int64_t i = 0; i < rows; i++) {
        double sum = log_sum(logits + i * vocab, vocab);
        for (int64_t j = i * vocab; j < (i + 1) * vocab; j++) {
            double difference = fabs(log_probs[j] - (logits[j] - sum));
            most = difference <= most ? most : isnan(difference) ? INFINITY : difference;
            scale = fmax(scale, fabs(logits[j]));
            differences += difference * difference;
            squares += pow(logits[j] - sum, 2);
        }
    }
    double share = int8 ? sqrt(differences / squares) / 0.2 : most / (1e-4 * scale);
    print_message("%-48s %.3f of the tolerance\n", what, share);
    assert_true(share <= 1);
}

/* One plan: right, and the same bits on three threads, in a larger cache, and after a reset. */
static void check_plan(const struct golden *golden, const char *name, const char *setting,
                       const struct variant *variant)
{
    char what[128];
    int64_t chunks, rows, vocab = golden->checkpoint->config.vocab_size;
    snprintf(what, sizeof what, "%s.plan", setting);
    const struct step *plan = find(golden, what, &chunks);
    assert_int_equal(settled_frames(plan, chunks), golden->frames);
    snprintf(what, sizeof what, "%s.logits", setting);
    const float *logits = find(golden, what, &rows);
    struct recogniser recogniser = recogniser_open(golden, variant, 1, plan, chunks, 0);
    float *expected = run(golden, &recogniser, plan, chunks, rows);
    snprintf(what, sizeof what, "%s, %s, %s%s", name, setting, variant->kernels->name,
             is_int8(variant) ? ", int8" : "");
    check_values(what, is_int8(variant), expected, logits, rows, vocab);
    recogniser_close(&recogniser);

    recogniser = recogniser_open(golden, variant, 3, plan, chunks, 50);
    for (int i = 0; i < 2; i++) {
        float *again = run(golden, &recogniser, plan, chunks, rows);
        assert_memory_equal(again, expected, (size_t)(rows * vocab) * sizeof *again);
        free(again);
        w2v2_cache_reset(recogniser.cache);
    }
    recogniser_close(&recogniser);
    free(expected);
}

static void check_kernels(const struct golden *golden, const char *name, const char *setting,
                          const struct kernels *kernels)
{
    for (int i = 0; kernels && i < 2; i++)
        check_plan(golden, name, setting, &(struct variant){kernels, precisions[i]});
}

/* What a tensor is called before ".plan" */
static bool is_plan(const struct safetensors_tensor *tensor, char *setting, size_t size)
{
    const char *dot = strrchr(tensor->name, '.');
    if (!dot || strcmp(dot, ".plan") != 0)
        return false;
    snprintf(setting, size, "%.*s", (int)(dot - tensor->name), tensor->name);
    return true;
}

static void test_equals_reference(void **state)
{
    (void)state;
    for (int i = 0; i < NAMES; i++) {
        struct golden golden = {0};
        int plans = 0;
        golden_open(&golden, names[i]);
        for (size_t j = 0; j < golden.tensors.count; j++) {
            char setting[64];
            if (!is_plan(&golden.tensors.tensors[j], setting, sizeof setting))
                continue;
            plans++;
            for (int set = 0; set < KERNELS_SETS; set++)
                check_kernels(&golden, names[i], setting, kernels_find((enum instruction_set)set));
        }
        assert_true(plans >= 2);
        golden_close(&golden);
    }
}

static bool has_plan(const struct golden *golden, const char *beginning)
{
    char setting[64];
    for (size_t i = 0; i < golden->tensors.count; i++)
        if (is_plan(&golden->tensors.tensors[i], setting, sizeof setting) &&
            strncmp(setting, beginning, strlen(beginning)) == 0)
            return true;
    return false;
}

/* The reference was asked for the left context, hop and right context that users get. */
static void test_shipped_settings_are_among_them(void **state)
{
    (void)state;
    static const char *const checkpoints[] = {"base", "large"};
    const struct acoustic acoustic = {
        .sample_rate = 16000, .frame_samples = 320, .encoder = UTTER_ENCODER_CACHED};
    int frame_ms = acoustic.frame_samples * 1000 / acoustic.sample_rate;
    for (int i = 0; i < 2; i++) {
        struct golden golden = {0};
        golden_open(&golden, checkpoints[i]);
        for (int latency = UTTER_LATENCY_LOW; latency <= UTTER_LATENCY_HIGH; latency++) {
            struct utter_stream_options given = UTTER_STREAM_OPTIONS_INIT, options;
            char beginning[64];
            given.latency = (enum utter_latency)latency;
            assert_int_equal(stream_options(&options, &given, &acoustic, NULL), UTTER_OK);
            snprintf(beginning, sizeof beginning, "%d-%d-%d-", options.left_context_ms / frame_ms,
                     options.hop_ms / frame_ms, options.right_context_ms / frame_ms);
            if (!has_plan(&golden, beginning))
                fail_msg("no reference for %s of %s", beginning, checkpoints[i]);
        }
        golden_close(&golden);
    }
}

static void test_one_chunk_is_whole(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * NAMES; i++) {
        struct golden golden = {0};
        golden_open(&golden, names[i / 2]);
        struct variant variant = {kernels_best(), precisions[i % 2]};
        const struct model_config *config = &golden.checkpoint->config;
        struct step plan = {golden.frames, golden.frames, 1000};
        struct recogniser recogniser = recogniser_open(&golden, &variant, 2, &plan, 1, 0);
        float *chunked = run(&golden, &recogniser, &plan, 1, golden.frames);
        int64_t samples = config->receptive_field + (golden.frames - 1) * config->frame_samples;
        struct w2v2_workspace *workspace = w2v2_workspace_open(recogniser.w2v2, samples, NULL);
        assert_non_null(workspace);
        size_t bytes = (size_t)(golden.frames * config->vocab_size) * sizeof(float);
        float *whole = malloc(bytes);
        assert_non_null(whole);
        w2v2_encode(recogniser.w2v2, recogniser.pool, workspace, golden.features, golden.frames,
                    NULL, whole, NULL);
        assert_memory_equal(chunked, whole, bytes);
        free(whole);
        free(chunked);
        w2v2_workspace_close(workspace);
        recogniser_close(&recogniser);
        golden_close(&golden);
    }
}

/* A draft between two chunks leaves no trace. */
static void test_drafts_leave_no_trace(void **state)
{
    (void)state;
    static const struct step plain[] = {{90, 50, 40}, {80, 80, 40}, {120, 120, 40}};
    static const struct step drafted[] = {{20, 0, 40},  {90, 50, 40}, {44, 0, 0},    {79, 0, 40},
                                          {80, 80, 40}, {1, 0, 40},   {120, 120, 40}};
    for (int i = 0; i < 2 * NAMES; i++) {
        struct golden golden = {0};
        golden_open(&golden, names[i / 2]);
        struct variant variant = {kernels_best(), precisions[i % 2]};
        int64_t vocab = golden.checkpoint->config.vocab_size;
        size_t bytes = (size_t)(120 * vocab) * sizeof(float);
        struct recogniser recogniser = recogniser_open(&golden, &variant, 2, drafted, 7, 0);
        float *first = run(&golden, &recogniser, plain, 3, 290);
        w2v2_cache_reset(recogniser.cache);
        float *second = run(&golden, &recogniser, drafted, 7, 434);
        assert_memory_equal(first + 170 * vocab, second + 314 * vocab, bytes);
        free(first);
        free(second);
        recogniser_close(&recogniser);
        golden_close(&golden);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_reference),
        cmocka_unit_test(test_shipped_settings_are_among_them),
        cmocka_unit_test(test_one_chunk_is_whole),
        cmocka_unit_test(test_drafts_leave_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

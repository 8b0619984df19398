/* SPDX-License-Identifier: MIT */
/*
 * Weights that are packed after the model was opened: passes give the same bits before, while and
 * after that happens, with every set of kernels, and the files are let go of in the end.
 */
#include "w2v2/w2v2.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 32-bit floats, both kinds of halves, and each order of norms. */
static const char *const names[] = {"base", "large", "group-plain", "digits"};
enum {
    NAMES = sizeof names / sizeof *names,
    SAMPLES = 16000,
    LONG = 16000 * 6, /* more frames than are multiplied without packing */
    PASSES = 7,       /* more than a model takes to have packed all */
};

static float sound[LONG];

static int make_sound(void **state)
{
    (void)state;
    unsigned random = 4711;
    for (int i = 0; i < LONG; i++) {
        random = random * 1103515245u + 12345u;
        sound[i] = (float)(random >> 16 & 0x7fff) / 32768.0f - 0.5f;
    }
    return 0;
}

static struct checkpoint *open_checkpoint(const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, GOLDEN_DIRECTORY "/%s", name);
    struct checkpoint *checkpoint = checkpoint_open(path, NULL);
    assert_non_null(checkpoint);
    return checkpoint;
}

static size_t output_bytes(const struct w2v2 *w2v2, int64_t samples)
{
    const struct model_config *config = w2v2_config(w2v2);
    return (size_t)(config_frames(config, samples) * config->vocab_size) * sizeof(float);
}

/* The log-probabilities of a pass, to be freed. */
static float *decode(const struct w2v2 *w2v2, struct pool *pool, int64_t samples)
{
    struct w2v2_workspace *workspace = w2v2_workspace_open(w2v2, samples, NULL);
    float *log_probs = malloc(output_bytes(w2v2, samples));
    assert_true(workspace && log_probs);
    w2v2_log_probs(w2v2, pool, workspace, sound, samples, NULL, log_probs, NULL);
    w2v2_workspace_close(workspace);
    return log_probs;
}

static void check_decode(const struct w2v2 *w2v2, struct pool *pool, int64_t samples,
                         const float *expected)
{
    float *log_probs = decode(w2v2, pool, samples);
    assert_memory_equal(log_probs, expected, output_bytes(w2v2, samples));
    free(log_probs);
}

static int holders(const struct checkpoint *checkpoint)
{
    return atomic_load(&checkpoint->holders);
}

/* Of a model that is all packed; where something was deferred, it is again with the next model. */
static float *decode_packed(struct checkpoint *checkpoint, struct pool *pool,
                            enum w2v2_precision precision, const struct kernels *kernels,
                            int64_t samples)
{
    struct w2v2 *w2v2 = w2v2_open_kernels(checkpoint, pool, precision, kernels, NULL);
    assert_non_null(w2v2);
    int pieces = 0;
    while (w2v2_prepare(w2v2, pool))
        pieces++;
    assert_int_equal(pieces > 0, precision == W2V2_PRECISION_FLOAT32);
    assert_int_equal(holders(checkpoint), 1);
    float *log_probs = decode(w2v2, pool, samples);
    w2v2_close(w2v2);
    return log_probs;
}

static void check_passes(struct checkpoint *checkpoint, enum w2v2_precision precision,
                         const struct kernels *kernels)
{
    for (int threads = 1; threads <= 2; threads++) {
        struct pool *pool = pool_open(threads, NULL);
        assert_non_null(pool);
        float *expected = decode_packed(checkpoint, pool, precision, kernels, SAMPLES);
        struct w2v2 *w2v2 = w2v2_open_kernels(checkpoint, pool, precision, kernels, NULL);
        assert_non_null(w2v2);
        assert_int_equal(holders(checkpoint), precision == W2V2_PRECISION_FLOAT32 ? 2 : 1);
        for (int i = 0; i < PASSES; i++)
            check_decode(w2v2, pool, SAMPLES, expected);
        assert_int_equal(holders(checkpoint), 1);
        assert_false(w2v2_prepare(w2v2, pool));
        w2v2_close(w2v2);
        pool_close(pool);
        free(expected);
    }
}

static void test_all_passes_are_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < NAMES; i++) {
        struct checkpoint *checkpoint = open_checkpoint(names[i]);
        for (int set = 0; set < KERNELS_SETS; set++) {
            const struct kernels *kernels = kernels_find((enum instruction_set)set);
            if (!kernels)
                continue;
            check_passes(checkpoint, W2V2_PRECISION_FLOAT32, kernels);
            check_passes(checkpoint, W2V2_PRECISION_INT8, kernels);
        }
        checkpoint_close(checkpoint);
    }
}

/* So many rows pack everything at once. */
static void test_a_long_window_is_the_same(void **state)
{
    (void)state;
    struct checkpoint *checkpoint = open_checkpoint("large");
    struct pool *pool = pool_open(2, NULL);
    enum w2v2_precision precision = W2V2_PRECISION_FLOAT32;
    float *expected = decode_packed(checkpoint, pool, precision, kernels_best(), LONG);
    struct w2v2 *w2v2 = w2v2_open(checkpoint, pool, precision, NULL);
    check_decode(w2v2, pool, LONG, expected);
    assert_int_equal(holders(checkpoint), 1);
    w2v2_close(w2v2);
    pool_close(pool);
    checkpoint_close(checkpoint);
    free(expected);
}

/* The model reads what it needs though the caller closed the checkpoint; or it is never used. */
static void test_the_caller_may_close_the_checkpoint(void **state)
{
    (void)state;
    struct pool *pool = pool_open(1, NULL);
    enum w2v2_precision precision = W2V2_PRECISION_FLOAT32;
    struct checkpoint *checkpoint = open_checkpoint("base");
    float *expected = decode_packed(checkpoint, pool, precision, kernels_best(), SAMPLES);
    struct w2v2 *unused = w2v2_open(checkpoint, pool, precision, NULL);
    struct w2v2 *w2v2 = w2v2_open(checkpoint, pool, precision, NULL);
    checkpoint_close(checkpoint);
    w2v2_close(unused);
    check_decode(w2v2, pool, SAMPLES, expected);
    w2v2_close(w2v2);
    pool_close(pool);
    free(expected);
}

/* A pool that no longer works has packed nothing. */
static void test_a_cancelled_pool_packs_nothing(void **state)
{
    (void)state;
    struct pool *pool = pool_open(1, NULL), *cancelled = pool_open(1, NULL);
    enum w2v2_precision precision = W2V2_PRECISION_FLOAT32;
    struct checkpoint *checkpoint = open_checkpoint("base");
    float *expected = decode_packed(checkpoint, pool, precision, kernels_best(), SAMPLES);
    struct w2v2 *w2v2 = w2v2_open(checkpoint, pool, precision, NULL);
    pool_cancel(cancelled);
    for (int i = 0; i < PASSES; i++) {
        assert_true(w2v2_prepare(w2v2, cancelled));
        free(decode(w2v2, cancelled, SAMPLES));
    }
    check_decode(w2v2, pool, SAMPLES, expected);
    w2v2_close(w2v2);
    pool_close(pool);
    pool_close(cancelled);
    checkpoint_close(checkpoint);
    free(expected);
}

struct user {
    pthread_t thread;
    const struct w2v2 *w2v2;
    int threads;
    const float *expected;
    bool same;
};

static void *use(void *argument)
{
    struct user *user = argument;
    struct pool *pool = pool_open(user->threads, NULL);
    user->same = pool != NULL;
    for (int i = 0; pool && i < PASSES; i++) {
        float *log_probs = decode(user->w2v2, pool, SAMPLES);
        user->same =
            user->same && memcmp(log_probs, user->expected, output_bytes(user->w2v2, SAMPLES)) == 0;
        free(log_probs);
        if (i % 2)
            w2v2_prepare(user->w2v2, pool);
    }
    pool_close(pool);
    return NULL;
}

static void test_two_workspaces_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * NAMES; i++) {
        enum w2v2_precision precision = i % 2 ? W2V2_PRECISION_INT8 : W2V2_PRECISION_FLOAT32;
        struct checkpoint *checkpoint = open_checkpoint(names[i / 2]);
        struct pool *pool = pool_open(2, NULL);
        float *expected = decode_packed(checkpoint, pool, precision, kernels_best(), SAMPLES);
        struct w2v2 *w2v2 = w2v2_open(checkpoint, pool, precision, NULL);
        checkpoint_close(checkpoint);
        struct user users[2];
        for (int j = 0; j < 2; j++) {
            users[j] = (struct user){.w2v2 = w2v2, .threads = 1 + j, .expected = expected};
            assert_int_equal(pthread_create(&users[j].thread, NULL, use, &users[j]), 0);
        }
        for (int j = 0; j < 2; j++) {
            pthread_join(users[j].thread, NULL);
            assert_true(users[j].same);
        }
        w2v2_close(w2v2);
        pool_close(pool);
        free(expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_passes_are_the_same),
        cmocka_unit_test(test_a_long_window_is_the_same),
        cmocka_unit_test(test_the_caller_may_close_the_checkpoint),
        cmocka_unit_test(test_a_cancelled_pool_packs_nothing),
        cmocka_unit_test(test_two_workspaces_at_once),
    };
    return cmocka_run_group_tests(tests, make_sound, NULL);
}

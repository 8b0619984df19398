/* SPDX-License-Identifier: MIT */
/* Attention of every set of kernels against double precision, on random shapes. */
#include "nn/attention.h"

#include "kernel_test.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* -2 .. 2 */
static float *random_values(int64_t count)
{
    float *values = random_floats(count);
    for (int64_t i = 0; i < count; i++)
        values[i] *= 2;
    return values;
}

/* Scores of 50 and more: of float32 a 2e-7th of them may be lost, of 16-bit integers a 5e-5th. */
static double tolerance(const struct kernels *kernels, const struct attention_shape *shape)
{
    return shape->int16 && kernels->int16 ? 1e-2 : 5e-5;
}

static void check_values(const struct kernels *kernels, const struct attention_shape *shape,
                         const struct attention *attention)
{
    double *weights = malloc((size_t)shape->keys * sizeof *weights);
    assert_non_null(weights);
    for (int64_t at = 0; at < shape->heads * shape->queries; at++) {
        int64_t head = at / shape->queries * shape->head_size, i = at % shape->queries;
        double greatest = -INFINITY, sum = 0;
        for (int64_t j = 0; j < shape->keys; j++) {
            weights[j] = 0;
            for (int64_t k = head; k < head + shape->head_size; k++)
                weights[j] += (double)attention->query[i * attention->query_stride + k] *
                              attention->key[j * attention->key_stride + k];
            greatest = fmax(greatest, weights[j]);
        }
        for (int64_t j = 0; j < shape->keys; j++) {
            weights[j] = exp(weights[j] - greatest);
            sum += weights[j];
        }
        for (int64_t k = head; k < head + shape->head_size; k++) {
            double expected = 0;
            for (int64_t j = 0; j < shape->keys; j++)
                expected += weights[j] / sum * attention->value[j * attention->key_stride + k];
            double difference = attention->context[i * attention->context_stride + k] - expected;
            assert_true(fabs(difference) <= tolerance(kernels, shape));
        }
    }
    free(weights);
}

/* The context, in a new buffer. */
static float *run(const struct kernels *kernels, const struct attention_shape *shape,
                  struct attention *attention, int threads)
{
    struct pool *pool = pool_open(threads, NULL);
    assert_non_null(pool);
    attention->context = random_values(shape->queries * attention->context_stride);
    attention->scratch = random_floats(attention_scratch_floats(kernels, shape, threads));
    attention_run(kernels, pool, shape, attention);
    free(attention->scratch);
    pool_close(pool);
    return attention->context;
}

static void check_kernels(const struct kernels *kernels)
{
    for (int round = 0; round < 48; round++) {
        struct attention_shape shape = {1 + random_number() % (round % 6 ? 60 : 300),
                                        1 + random_number() % (round % 6 ? 60 : 300),
                                        1 + random_number() % 5, 1 + random_number() % 100,
                                        round % 2};
        int64_t hidden = shape.heads * shape.head_size;
        int64_t query_stride = hidden + random_number() % 9;
        int64_t key_stride = 2 * hidden + random_number() % 9;
        float *query = random_values(shape.queries * query_stride);
        float *key = random_values(shape.keys * key_stride);
        struct attention attention = {
            .query = query,
            .query_stride = query_stride,
            .key = key,
            .value = key + hidden,
            .key_stride = key_stride,
            .context_stride = hidden + random_number() % 9,
        };
        float *first = run(kernels, &shape, &attention, 1);
        check_values(kernels, &shape, &attention);
        float *second = run(kernels, &shape, &attention, 3);
        for (int64_t i = 0; i < shape.queries; i++)
            assert_memory_equal(first + i * attention.context_stride,
                                second + i * attention.context_stride,
                                (size_t)hidden * sizeof *first);
        free(first);
        free(second);
        free(query);
        free(key);
    }
}

static void test_attention(void **state)
{
    (void)state;
    for_all_kernels(check_kernels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_attention)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

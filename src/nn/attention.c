/* SPDX-License-Identifier: MIT */
#include "nn/attention.h"

#include "nn/attention_int16.h"
#include "nn/gemm.h"

#include <string.h>

enum { BLOCK_TILES = 4 /* of queries, whose scores exist together */ };

struct job {
    const struct kernels *kernels;
    const struct attention_shape *shape;
    const struct attention *attention;
    int64_t panels;      /* of keys */
    int64_t width;       /* keys, padded to whole vectors */
    int64_t blocks;      /* of queries */
    int64_t value_width; /* head_size, padded to whole vectors */
};

static int64_t round_up(int64_t count, int64_t multiple)
{
    return (count + multiple - 1) / multiple * multiple;
}

static struct job make_job(const struct kernels *kernels, const struct attention_shape *shape)
{
    int64_t block = (int64_t)kernels->rows * BLOCK_TILES;
    return (struct job){
        .kernels = kernels,
        .shape = shape,
        .panels = (shape->keys + kernels->panel - 1) / kernels->panel,
        .width = round_up(shape->keys, kernels->lanes),
        .blocks = (shape->queries + block - 1) / block,
        .value_width = round_up(shape->head_size, kernels->lanes),
    };
}

/* Of each head: its keys in panels, transposed, [panels][head_size][columns]; then its values. */
static int64_t floats_of_head(const struct job *job)
{
    return job->shape->head_size * job->width + job->shape->keys * job->value_width;
}

/* Of each thread: a block's scores, their sums, and the context, padded to whole vectors. */
static int64_t floats_of_thread(const struct job *job)
{
    return job->kernels->rows * BLOCK_TILES * (job->width + 1 + job->value_width);
}

int64_t attention_scratch_floats(const struct kernels *kernels, const struct attention_shape *shape,
                                 int threads)
{
    struct job job = make_job(kernels, shape);
    int64_t floats = floats_of_head(&job) * shape->heads + floats_of_thread(&job) * threads;
    if (!shape->int16 || !kernels->int16)
        return floats;
    int64_t words = attention_int16_scratch_floats(kernels, shape, threads);
    return words > floats ? words : floats;
}

static float *keys_of(const struct job *job, int64_t head)
{
    return job->attention->scratch + head * floats_of_head(job);
}

static float *values_of(const struct job *job, int64_t head)
{
    return keys_of(job, head) + job->shape->head_size * job->width;
}

/* Brings a panel's keys and values of a head together: they are far apart where they come from. */
static void gather(void *context, int64_t index, int thread)
{
    (void)thread;
    const struct job *job = context;
    const struct attention *attention = job->attention;
    int64_t head = index / job->panels, size = job->shape->head_size;
    int64_t first = index % job->panels * job->kernels->panel, left = job->width - first;
    int64_t columns = left < job->kernels->panel ? left : job->kernels->panel;
    float *keys = keys_of(job, head) + first * size;
    float *values = values_of(job, head) + first * job->value_width;
    memset(keys, 0, (size_t)(size * columns) * sizeof *keys);
    for (int64_t j = 0; j < columns && first + j < job->shape->keys; j++) {
        int64_t from = (first + j) * attention->key_stride + head * size;
        for (int64_t k = 0; k < size; k++)
            keys[k * columns + j] = attention->key[from + k];
        float *value = values + j * job->value_width;
        memcpy(value, attention->value + from, (size_t)size * sizeof *value);
        memset(value + size, 0, (size_t)(job->value_width - size) * sizeof *value);
    }
}

/* scores [rows, width] = exp(Q Kᵀ - each row's greatest), and the sum of each row */
static void score(const struct job *job, int64_t head, const float *query, int64_t rows,
                  float *scores, float *sums)
{
    const struct kernels *kernels = job->kernels;
    struct gemm_tile tile = {
        .a = query,
        .row_stride = job->attention->query_stride,
        .taps = 1,
        .tap_length = job->shape->head_size,
        .b = keys_of(job, head),
        .c = scores,
        .c_stride = job->width,
    };
    for (int64_t first = 0; first < job->width; first += kernels->panel) {
        int64_t left = job->width - first;
        tile.step = left < kernels->panel ? left : kernels->panel;
        tile.vectors = (int)(tile.step / kernels->lanes);
        gemm_tiles(kernels, &tile, rows);
        tile.b += tile.step * tile.tap_length;
        tile.c += tile.step;
    }
    for (int64_t i = 0; i < rows; i++)
        sums[i] = kernels->exponentials(scores + i * job->width, job->shape->keys);
}

/* mixed [rows, value_width] = scores V, in panels of nearly one width. */
static void mix(const struct job *job, int64_t head, const float *scores, int64_t rows,
                float *mixed)
{
    const struct kernels *kernels = job->kernels;
    int64_t vectors = job->value_width / kernels->lanes;
    int64_t most = kernels->panel / kernels->lanes;
    int64_t panels = (vectors + most - 1) / most;
    struct gemm_tile tile = {
        .a = scores,
        .row_stride = job->width,
        .taps = 1,
        .tap_length = job->shape->keys,
        .b = values_of(job, head),
        .step = job->value_width,
        .c = mixed,
        .c_stride = job->value_width,
    };
    for (int64_t i = 0; i < panels; i++) {
        tile.vectors = (int)(vectors / panels + (i < vectors % panels));
        gemm_tiles(kernels, &tile, rows);
        tile.b += tile.vectors * kernels->lanes;
        tile.c += tile.vectors * kernels->lanes;
    }
}

static void attend(void *context, int64_t index, int thread)
{
    const struct job *job = context;
    const struct attention *attention = job->attention;
    const struct attention_shape *shape = job->shape;
    int64_t head = index / job->blocks, block = job->kernels->rows * BLOCK_TILES;
    int64_t first = index % job->blocks * block, size = shape->head_size;
    int64_t rows = shape->queries - first < block ? shape->queries - first : block;
    float *scores = keys_of(job, shape->heads) + thread * floats_of_thread(job);
    float *sums = scores + block * job->width, *mixed = sums + block;
    score(job, head, attention->query + first * attention->query_stride + head * size, rows, scores,
          sums);
    mix(job, head, scores, rows, mixed);
    for (int64_t i = 0; i < rows; i++)
        job->kernels->scale(
            mixed + i * job->value_width, 1.0f / sums[i],
            attention->context + (first + i) * attention->context_stride + head * size, size);
}

void attention_run(const struct kernels *kernels, struct pool *pool,
                   const struct attention_shape *shape, const struct attention *attention)
{
    struct job job = make_job(kernels, shape);
    job.attention = attention;
    if (shape->int16 && kernels->int16 && shape->keys <= ATTENTION_INT16_KEYS_MAX) {
        attention_int16_run(kernels, pool, shape, attention);
        return;
    }
    pool_run(pool, shape->heads * job.panels, gather, &job);
    pool_run(pool, shape->heads * job.blocks, attend, &job);
}

/* SPDX-License-Identifier: MIT */
#include "nn/attention.h"

#include "nn/gemm.h"

#include <string.h>

enum { BLOCK_TILES = 4 /* of queries, whose scores exist together */ };

struct job {
    const struct kernels *kernels;
    const struct attention_shape *shape;
    const struct attention *attention;
    int64_t panels;    /* of keys */
    int64_t width;     /* keys, padded to whole panels */
    int64_t blocks;    /* of queries */
    int64_t out_width; /* head_size, padded to whole vectors */
};

static struct job make_job(const struct kernels *kernels, const struct attention_shape *shape)
{
    int64_t block = (int64_t)kernels->rows * BLOCK_TILES;
    struct job job = {.kernels = kernels, .shape = shape};
    job.panels = (shape->keys + kernels->panel - 1) / kernels->panel;
    job.width = job.panels * kernels->panel;
    job.blocks = (shape->queries + block - 1) / block;
    job.out_width = (shape->head_size + kernels->lanes - 1) / kernels->lanes * kernels->lanes;
    return job;
}

/* Of each thread: a block's scores, then its context, padded to whole vectors. */
static int64_t floats_of_thread(const struct job *job)
{
    return job->kernels->rows * BLOCK_TILES * (job->width + job->out_width);
}

int64_t attention_scratch_floats(const struct kernels *kernels, const struct attention_shape *shape,
                                 int threads)
{
    struct job job = make_job(kernels, shape);
    return job.width * shape->heads * shape->head_size + floats_of_thread(&job) * threads;
}

/* A panel of a head's keys, transposed: [head_size][panel]. */
static float *key_panel(const struct job *job, int64_t head, int64_t panel)
{
    int64_t floats = job->shape->head_size * job->kernels->panel;
    return job->attention->scratch + (head * job->panels + panel) * floats;
}

static void transpose_keys(void *context, int64_t index, int thread)
{
    (void)thread;
    const struct job *job = context;
    int64_t head = index / job->panels, panel = index % job->panels;
    int64_t size = job->shape->head_size, columns = job->kernels->panel;
    float *to = key_panel(job, head, panel);
    memset(to, 0, (size_t)(size * columns) * sizeof *to);
    for (int64_t j = 0; j < columns && panel * columns + j < job->shape->keys; j++) {
        const float *key =
            job->attention->key + (panel * columns + j) * job->attention->key_stride + head * size;
        for (int64_t k = 0; k < size; k++)
            to[k * columns + j] = key[k];
    }
}

/* scores [rows, width] = Q Kᵀ, then softmax over the keys. */
static void score(const struct job *job, int64_t head, const float *query, int64_t rows,
                  float *scores)
{
    struct gemm_tile tile = {
        .a = query,
        .row_stride = job->attention->query_stride,
        .taps = 1,
        .tap_length = job->shape->head_size,
        .step = job->kernels->panel,
        .c_stride = job->width,
        .vectors = job->kernels->panel / job->kernels->lanes,
    };
    for (int64_t panel = 0; panel < job->panels; panel++) {
        tile.b = key_panel(job, head, panel);
        tile.c = scores + panel * job->kernels->panel;
        gemm_tiles(job->kernels, &tile, rows);
    }
    for (int64_t i = 0; i < rows; i++)
        job->kernels->softmax(scores + i * job->width, job->shape->keys);
}

/* mixed [rows, out_width] = scores V, in panels of nearly one width. */
static void mix(const struct job *job, const float *scores, const float *value, int64_t rows,
                float *mixed)
{
    const struct kernels *kernels = job->kernels;
    int64_t vectors = job->out_width / kernels->lanes;
    int64_t most = kernels->panel / kernels->lanes;
    int64_t panels = (vectors + most - 1) / most;
    struct gemm_tile tile = {
        .a = scores,
        .row_stride = job->width,
        .taps = 1,
        .tap_length = job->shape->keys,
        .b = value,
        .step = job->attention->key_stride,
        .c = mixed,
        .c_stride = job->out_width,
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
    float *scores = key_panel(job, shape->heads, 0) + thread * floats_of_thread(job);
    float *mixed = scores + block * job->width;
    score(job, head, attention->query + first * attention->query_stride + head * size, rows,
          scores);
    mix(job, scores, attention->value + head * size, rows, mixed);
    for (int64_t i = 0; i < rows; i++)
        memcpy(attention->context + (first + i) * attention->context_stride + head * size,
               mixed + i * job->out_width, (size_t)size * sizeof *mixed);
}

void attention_run(const struct kernels *kernels, struct pool *pool,
                   const struct attention_shape *shape, const struct attention *attention)
{
    struct job job = make_job(kernels, shape);
    job.attention = attention;
    pool_run(pool, shape->heads * job.panels, transpose_keys, &job);
    pool_run(pool, shape->heads * job.blocks, attend, &job);
}

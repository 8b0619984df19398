/* SPDX-License-Identifier: MIT */
#include "nn/attention_int16.h"

#include <math.h>
#include <string.h>

enum {
    BLOCK_TILES = 4, /* of queries, which a task takes one after the other */
    AHEAD = 8,       /* rows: they are fetched so much before they are read */
};

static const float LOG2_E = 1.44269504f;

/* A pair of words takes as much memory as a float: sizes below are in pairs. */
struct job {
    const struct kernels *kernels;
    const struct attention_shape *shape;
    const struct attention *attention;
    int64_t panels;      /* of keys */
    int64_t width;       /* keys, padded to whole vectors */
    int64_t pairs;       /* of a query's or key's words */
    int64_t value_width; /* head_size, padded to whole vectors */
    int64_t block;       /* queries a task */
    int64_t blocks;
    int levels; /* of queries and keys */
};

static int64_t divide_up(int64_t count, int64_t size)
{
    return (count + size - 1) / size;
}

static int64_t round_up(int64_t count, int64_t multiple)
{
    return divide_up(count, multiple) * multiple;
}

static struct job make_job(const struct kernels *kernels, const struct attention_shape *shape)
{
    int64_t pairs = divide_up(shape->head_size, 2), block = (int64_t)kernels->int8_rows;
    double levels = floor(sqrt((double)INT32_MAX / (double)(2 * pairs)));
    block *= BLOCK_TILES;
    return (struct job){
        .kernels = kernels,
        .shape = shape,
        .panels = divide_up(shape->keys, kernels->int8_panel),
        .width = round_up(shape->keys, kernels->lanes),
        .pairs = pairs,
        .value_width = round_up(shape->head_size, kernels->lanes),
        .block = block,
        .blocks = divide_up(shape->queries, block),
        .levels = levels < INT16_MAX ? (int)levels : INT16_MAX,
    };
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* Of each head. */
struct head {
    float *key_steps;   /* [width] */
    float *value_steps; /* [width] */
    int16_t *keys;      /* [panels][pairs][columns][2] */
    int16_t *values;    /* [width / 2][value_width][2] */
};

static int64_t floats_of_head(const struct job *job)
{
    return job->width * (2 + job->pairs) + job->width / 2 * job->value_width;
}

static struct head head_of(const struct job *job, int64_t index)
{
    float *memory = job->attention->scratch + index * floats_of_head(job);
    return (struct head){
        .key_steps = memory,
        .value_steps = memory + job->width,
        .keys = (int16_t *)(memory + 2 * job->width),
        .values = (int16_t *)(memory + (2 + job->pairs) * job->width),
    };
}

/* Of each thread, for a tile of queries. */
struct room {
    int64_t sums_stride;
    int32_t *sums;  /* [rows, sums_stride] of scores, then of values */
    float *terms;   /* [width] */
    int16_t *words; /* [rows, width] that values are multiplied by */
    int16_t *rows;  /* [rows, pairs × 2] queries */
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t floats_of_room(const struct job *job)
{
    int64_t rows = job->kernels->int8_rows;
    int64_t floats = rows * (larger(job->width, job->value_width) + job->pairs) + job->width +
                     divide_up(rows * job->width, 2);
    return round_up(floats, 16);
}

static struct room room_of(const struct job *job, int thread)
{
    int64_t rows = job->kernels->int8_rows, stride = larger(job->width, job->value_width);
    float *memory = job->attention->scratch + job->shape->heads * floats_of_head(job) +
                    thread * floats_of_room(job);
    float *words = memory + rows * stride + job->width;
    return (struct room){
        .sums_stride = stride,
        .sums = (int32_t *)memory,
        .terms = memory + rows * stride,
        .words = (int16_t *)words,
        .rows = (int16_t *)(words + divide_up(rows * job->width, 2)),
    };
}

int64_t attention_int16_scratch_floats(const struct kernels *kernels,
                                       const struct attention_shape *shape, int threads)
{
    struct job job = make_job(kernels, shape);
    return floats_of_head(&job) * shape->heads + floats_of_room(&job) * threads;
}

/* ---- keys and values ------------------------------------------------------------------------- */

/* Words of a row of a head, zeros up to a whole pair; returns their step. */
static float round_row(const struct job *job, const float *row, int levels, int16_t *words)
{
    int64_t size = job->shape->head_size;
    words[2 * job->pairs - 1] = 0;
    return job->kernels->int16->round(row, size, levels, words);
}

/* Rows of a head lie far apart, where nothing fetches them by itself. */
static void fetch(const struct job *job, const float *row)
{
    enum { LINE = 16 /* floats */ };
    for (int64_t k = 0; k < job->shape->head_size; k += LINE)
        __builtin_prefetch(row + k);
}

/* One key becomes a column of its panel. */
static void place_key(const int16_t *words, int64_t pairs, int64_t columns, int16_t *to)
{
    for (int64_t k = 0; k < pairs; k++)
        memcpy(to + 2 * k * columns, words + 2 * k, 2 * sizeof *words);
}

/* Two values become one row of pairs. */
static void place_values(const int16_t *first, const int16_t *second, int64_t count, int16_t *to)
{
    for (int64_t k = 0; k < count; k++) {
        to[2 * k] = first[k];
        to[2 * k + 1] = second[k];
    }
}

/* Brings a panel's keys and values of a head together: they are far apart where they come from. */
static void gather(void *context, int64_t index, int thread)
{
    const struct job *job = context;
    const struct attention *attention = job->attention;
    struct head head = head_of(job, index / job->panels);
    int64_t column = index / job->panels * job->shape->head_size, size = 2 * job->pairs;
    int64_t first = index % job->panels * job->kernels->int8_panel, left = job->width - first;
    int64_t columns = left < job->kernels->int8_panel ? left : job->kernels->int8_panel;
    int16_t *keys = head.keys + first * size;
    int16_t *key = room_of(job, thread).rows, *values = key + size; /* two of these */
    for (int64_t j = first; j < first + columns; j++) {
        int16_t *value = values + j % 2 * size;
        int64_t from = j * attention->key_stride + column;
        bool exists = j < job->shape->keys;
        if (j + AHEAD < job->shape->keys) {
            fetch(job, attention->key + from + AHEAD * attention->key_stride);
            fetch(job, attention->value + from + AHEAD * attention->key_stride);
        }
        head.key_steps[j] = head.value_steps[j] = 0;
        if (exists) {
            head.key_steps[j] = round_row(job, attention->key + from, job->levels, key);
            head.value_steps[j] = round_row(job, attention->value + from, INT16_MAX, value);
        } else {
            memset(key, 0, (size_t)size * sizeof *key);
            memset(value, 0, (size_t)size * sizeof *value);
        }
        place_key(key, job->pairs, columns, keys + 2 * (j - first));
        if (j % 2)
            place_values(values, value, job->shape->head_size,
                         head.values + (j - 1) * job->value_width);
    }
}

/* ---- queries --------------------------------------------------------------------------------- */

/* sums [rows, width] = Q Kᵀ */
static void score(const struct job *job, const struct head *head, const struct room *room, int rows)
{
    const struct kernels *kernels = job->kernels;
    for (int64_t first = 0; first < job->width; first += kernels->int8_panel) {
        int64_t left = job->width - first;
        int64_t columns = left < kernels->int8_panel ? left : kernels->int8_panel;
        kernels->int16->tile(&(struct int16_tile){
            .a = room->rows,
            .row_stride = 2 * job->pairs,
            .pairs = job->pairs,
            .b = head->keys + first * 2 * job->pairs,
            .step = columns,
            .sums = room->sums + first,
            .sums_stride = room->sums_stride,
            .rows = rows,
            .vectors = (int)(columns / kernels->lanes),
        });
    }
}

/* sums [rows, value_width] = words V, in panels of nearly one width */
static void mix(const struct job *job, const struct head *head, const struct room *room, int rows)
{
    const struct kernels *kernels = job->kernels;
    int64_t vectors = job->value_width / kernels->lanes, column = 0;
    int64_t panels = divide_up(job->value_width, kernels->int8_panel);
    struct int16_tile tile = {
        .a = room->words,
        .row_stride = job->width,
        .pairs = divide_up(job->shape->keys, 2),
        .step = job->value_width,
        .sums_stride = room->sums_stride,
        .rows = rows,
    };
    for (int64_t i = 0; i < panels; i++) {
        tile.vectors = (int)(vectors / panels + (i < vectors % panels));
        tile.b = head->values + 2 * column;
        tile.sums = room->sums + column;
        kernels->int16->tile(&tile);
        column += tile.vectors * kernels->lanes;
    }
}

/* Queries first .. first + rows - 1 of a head, which fill a tile at most. */
static void attend_tile(const struct job *job, int64_t index, const struct room *room,
                        int64_t first, int rows)
{
    const struct int16_kernels *int16 = job->kernels->int16;
    const struct attention *attention = job->attention;
    const struct head head = head_of(job, index);
    int64_t size = job->shape->head_size, column = index * size;
    float factors[64]; /* of each row: more than any tile has */
    for (int i = 0; i < rows; i++)
        factors[i] =
            LOG2_E * round_row(job,
                               attention->query + (first + i) * attention->query_stride + column,
                               job->levels, room->rows + i * 2 * job->pairs);
    score(job, &head, room, rows);
    for (int i = 0; i < rows; i++)
        factors[i] = int16->softmax(&(struct int16_scores){
            .sums = room->sums + i * room->sums_stride,
            .key_steps = head.key_steps,
            .value_steps = head.value_steps,
            .factor = factors[i],
            .count = job->shape->keys,
            .terms = room->terms,
            .words = room->words + i * job->width,
        });
    mix(job, &head, room, rows);
    for (int i = 0; i < rows; i++)
        int16->scale(room->sums + i * room->sums_stride, factors[i],
                     attention->context + (first + i) * attention->context_stride + column, size);
}

static void attend(void *context, int64_t index, int thread)
{
    const struct job *job = context;
    struct room room = room_of(job, thread);
    int64_t first = index % job->blocks * job->block, left = job->shape->queries - first;
    int64_t rows = left < job->block ? left : job->block;
    int64_t tiles = divide_up(rows, job->kernels->int8_rows);
    for (int64_t i = 0; i < tiles; i++) {
        int count = (int)(rows / tiles + (i < rows % tiles));
        attend_tile(job, index / job->blocks, &room, first, count);
        first += count;
    }
}

void attention_int16_run(const struct kernels *kernels, struct pool *pool,
                         const struct attention_shape *shape, const struct attention *attention)
{
    struct job job = make_job(kernels, shape);
    job.attention = attention;
    pool_run(pool, shape->heads * job.panels, gather, &job);
    pool_run(pool, shape->heads * job.blocks, attend, &job);
}

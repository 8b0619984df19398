/* SPDX-License-Identifier: MIT */
#include "nn/gemm.h"

#include <stddef.h>
#include <string.h>

enum {
    BLOCK_INPUTS = 768, /* of a panel at a time: its rows of B stay in the second-level cache */
    BLOCK_ROWS = 216,   /* of X at a time: they share that cache with the panel */
    TILE_FLOATS_MAX = 16 * 64,
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t round_up(int64_t count, int64_t multiple)
{
    return (count + multiple - 1) / multiple * multiple;
}

/* ---- packed weights -------------------------------------------------------------------------- */

static int64_t columns_of_group(const struct gemm_shape *shape)
{
    return shape->outputs / shape->groups;
}

static int64_t panels_of_group(const struct kernels *kernels, const struct gemm_shape *shape)
{
    return (columns_of_group(shape) + kernels->panel - 1) / kernels->panel;
}

static int64_t floats_of_group(const struct kernels *kernels, const struct gemm_shape *shape)
{
    return round_up(columns_of_group(shape), kernels->lanes) * shape->inputs;
}

int64_t gemm_packed_floats(const struct kernels *kernels, const struct gemm_shape *shape)
{
    return round_up(floats_of_group(kernels, shape) * shape->groups, 16);
}

/* Where a panel is: `index` counts the panels of all groups. */
struct panel {
    int64_t group;
    int64_t column;  /* its first, counted over all groups */
    int64_t columns; /* without padding */
    int64_t width;   /* with padding: a multiple of the lanes */
    int64_t offset;  /* of its weights, in floats */
};

static struct panel find_panel(const struct kernels *kernels, const struct gemm_shape *shape,
                               int64_t index)
{
    int64_t per_group = panels_of_group(kernels, shape), columns = columns_of_group(shape);
    struct panel panel = {.group = index / per_group};
    int64_t first = index % per_group * kernels->panel;
    panel.column = panel.group * columns + first;
    panel.columns = smaller(kernels->panel, columns - first);
    panel.width = round_up(panel.columns, kernels->lanes);
    panel.offset = panel.group * floats_of_group(kernels, shape) + first * shape->inputs;
    return panel;
}

struct packing {
    const struct kernels *kernels;
    const struct gemm_shape *shape;
    gemm_source *source;
    const void *context;
    float *memory;
    float *scratch;
};

static void pack_panel(void *context, int64_t index, int thread)
{
    const struct packing *packing = context;
    int64_t inputs = packing->shape->inputs;
    struct panel panel = find_panel(packing->kernels, packing->shape, index);
    float *to = packing->memory + panel.offset;
    float *row = packing->scratch + thread * inputs;
    memset(to, 0, (size_t)(panel.width * inputs) * sizeof *to);
    for (int64_t j = 0; j < panel.columns; j++) {
        packing->source(packing->context, panel.column + j, row);
        for (int64_t k = 0; k < inputs; k++)
            to[k * panel.width + j] = row[k];
    }
}

struct gemm_weights gemm_pack(const struct kernels *kernels, const struct gemm_shape *shape,
                              gemm_source *source, const void *context, const float *bias,
                              float *memory, float *scratch, struct pool *pool)
{
    struct packing packing = {kernels, shape, source, context, memory, scratch};
    pool_run(pool, panels_of_group(kernels, shape) * shape->groups, pack_panel, &packing);
    return (struct gemm_weights){kernels, *shape, memory, bias};
}

struct gemm_weights gemm_scale(const struct gemm_weights *weights, const float *scale,
                               const float *bias, float *memory)
{
    const struct gemm_shape *shape = &weights->shape;
    int64_t panels = panels_of_group(weights->kernels, shape) * shape->groups;
    for (int64_t i = 0; i < panels; i++) {
        struct panel panel = find_panel(weights->kernels, shape, i);
        const float *from = weights->panels + panel.offset;
        float *to = memory + panel.offset;
        for (int64_t k = 0; k < shape->inputs; k++) {
            for (int64_t j = 0; j < panel.width; j++) {
                float factor = j < panel.columns ? scale[panel.column + j] : 0.0f;
                to[k * panel.width + j] = from[k * panel.width + j] * factor;
            }
        }
    }
    return (struct gemm_weights){weights->kernels, *shape, memory, bias};
}

/* ---- products -------------------------------------------------------------------------------- */

/* The rows in tiles of nearly one size, so that no last tile is a thin one. */
void gemm_tiles(const struct kernels *kernels, struct gemm_tile tile, int64_t rows)
{
    int64_t tiles = (rows + kernels->rows - 1) / kernels->rows;
    for (int64_t i = 0; i < tiles; i++) {
        tile.rows = (int)(rows / tiles + (i < rows % tiles));
        kernels->tile(&tile);
        tile.a += tile.rows * tile.row_stride;
        tile.c += tile.rows * tile.c_stride;
    }
}

static void copy_columns(float *to, int64_t to_stride, const float *from, int64_t from_stride,
                         int64_t rows, int64_t columns)
{
    for (int64_t i = 0; i < rows; i++)
        memcpy(to + i * to_stride, from + i * from_stride, (size_t)columns * sizeof *to);
}

/* As gemm_tiles(), but C has only `columns` columns, which no vector's width divides. */
static void narrow_tiles(const struct kernels *kernels, struct gemm_tile tile, int64_t rows,
                         int64_t columns)
{
    float sums[TILE_FLOATS_MAX];
    float *c = tile.c;
    int64_t c_stride = tile.c_stride;
    memset(sums, 0, sizeof sums);
    tile.c = sums;
    tile.c_stride = tile.vectors * kernels->lanes;
    for (int64_t i = 0; i < rows; i += tile.rows) {
        tile.rows = (int)smaller(kernels->rows, rows - i);
        if (tile.accumulate)
            copy_columns(sums, tile.c_stride, c + i * c_stride, c_stride, tile.rows, columns);
        kernels->tile(&tile);
        copy_columns(c + i * c_stride, c_stride, sums, tile.c_stride, tile.rows, columns);
        tile.a += tile.rows * tile.row_stride;
    }
}

struct product {
    const struct gemm_weights *weights;
    const struct gemm_input *input;
    const struct gemm_output *output;
    int64_t panels;
    int64_t block_rows;
};

/* One panel's columns for one block of rows, a block of inputs after the other. */
static void multiply_panel(const struct product *product, const struct panel *panel,
                           struct gemm_tile tile, int64_t rows)
{
    const struct kernels *kernels = product->weights->kernels;
    const struct gemm_input *input = product->input;
    const float *row = tile.a;
    int64_t taps = BLOCK_INPUTS / input->tap_length;
    if (taps < 1)
        taps = 1;
    tile.step = panel->width;
    tile.vectors = (int)(panel->width / kernels->lanes);
    for (int64_t tap = 0; tap < input->taps; tap += taps) {
        for (int64_t k = 0; k < input->tap_length; k += tile.tap_length) {
            tile.taps = smaller(taps, input->taps - tap);
            tile.tap_length = smaller(BLOCK_INPUTS, input->tap_length - k);
            tile.a = row + tap * input->tap_stride + k;
            if (panel->columns % kernels->lanes)
                narrow_tiles(kernels, tile, rows, panel->columns);
            else
                gemm_tiles(kernels, tile, rows);
            tile.b += tile.taps * tile.tap_length * panel->width;
            tile.accumulate = true;
        }
    }
}

static void run_panel(void *context, int64_t index, int thread)
{
    (void)thread;
    const struct product *product = context;
    const struct gemm_weights *weights = product->weights;
    const struct gemm_input *input = product->input;
    const struct gemm_output *output = product->output;
    struct panel panel = find_panel(weights->kernels, &weights->shape, index % product->panels);
    int64_t first = index / product->panels * product->block_rows;
    int64_t rows = smaller(product->block_rows, input->rows - first);
    float *c = output->values + first * output->row_stride + panel.column;
    struct gemm_tile tile = {
        .a = input->values + first * input->row_stride + panel.group * input->tap_length,
        .row_stride = input->row_stride,
        .tap_stride = input->tap_stride,
        .b = weights->panels + panel.offset,
        .c = c,
        .c_stride = output->row_stride,
    };
    multiply_panel(product, &panel, tile, rows);
    struct gemm_finish finish = {
        .c = c,
        .c_stride = output->row_stride,
        .rows = rows,
        .columns = panel.columns,
        .bias = weights->bias ? weights->bias + panel.column : NULL,
        .activation = output->activation,
        .residual_stride = output->residual_stride,
    };
    if (output->residual)
        finish.residual = output->residual + first * output->residual_stride + panel.column;
    if (finish.bias || finish.residual || finish.activation != ACTIVATION_LINEAR)
        weights->kernels->finish(&finish);
}

void gemm_run(const struct gemm_weights *weights, struct pool *pool, const struct gemm_input *input,
              const struct gemm_output *output)
{
    if (input->rows < 1)
        return;
    int64_t blocks = (input->rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
    struct product product = {
        .weights = weights,
        .input = input,
        .output = output,
        .panels = panels_of_group(weights->kernels, &weights->shape) * weights->shape.groups,
        .block_rows = (input->rows + blocks - 1) / blocks,
    };
    blocks = (input->rows + product.block_rows - 1) / product.block_rows;
    pool_run(pool, blocks * product.panels, run_panel, &product);
}

struct gemm_input gemm_rows(const float *values, int64_t rows, int64_t columns, int64_t stride)
{
    return (struct gemm_input){values, rows, stride, 1, columns, columns};
}

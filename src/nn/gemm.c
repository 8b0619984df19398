/* SPDX-License-Identifier: MIT */
#include "nn/gemm.h"

#include "base/memory.h"
#include "nn/transpose.h"

#include <stddef.h>
#include <string.h>

enum {
    BLOCK_INPUTS = 768, /* of a panel at a time: its rows of B stay in the second-level cache */
    BLOCK_ROWS = 144,   /* of X at a time: they share that cache with two panels */
    TASKS_A_THREAD = 4, /* at least, where there are panels enough: threads are not equally fast */
    TILE_FLOATS_MAX = 16 * 64,
    PACK_OUTPUTS = TRANSPOSE_ROWS, /* whose weights are read together */
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

int64_t gemm_pack_floats(int64_t inputs)
{
    return PACK_OUTPUTS * inputs;
}

/* `scratch` is one thread's: [gemm_pack_floats(inputs)]. */
static void fill_panel(const struct packing *packing, const struct panel *panel, float *scratch,
                       float *to)
{
    int64_t inputs = packing->shape->inputs;
    const float *rows[PACK_OUTPUTS];
    for (int64_t j = 0; j < panel->width; j += PACK_OUTPUTS) {
        int64_t outputs = smaller(PACK_OUTPUTS, panel->width - j);
        for (int64_t i = 0; i < outputs; i++) {
            float *row = scratch + i * inputs;
            if (j + i < panel->columns)
                rows[i] = packing->source(packing->context, panel->column + j + i, row);
            else
                rows[i] = memset(row, 0, (size_t)inputs * sizeof *row);
        }
        transpose(rows, outputs, inputs, to + j, panel->width);
    }
}

static void pack_panel(void *context, int64_t index, int thread)
{
    const struct packing *packing = context;
    int64_t inputs = packing->shape->inputs;
    struct panel panel = find_panel(packing->kernels, packing->shape, index);
    float *to = packing->memory + panel.offset;
    memory_expect(to, (size_t)(panel.width * inputs) * sizeof *to);
    fill_panel(packing, &panel, packing->scratch + thread * gemm_pack_floats(inputs), to);
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

static void copy_columns(float *to, int64_t to_stride, const float *from, int64_t from_stride,
                         int64_t rows, int64_t columns)
{
    for (int64_t i = 0; i < rows; i++)
        memcpy(to + i * to_stride, from + i * from_stride, (size_t)columns * sizeof *to);
}

/* A tile whose C has fewer columns than its vectors have lanes: sums go through a tile aside. */
static void multiply_narrow(const struct kernels *kernels, struct gemm_tile tile, int64_t columns)
{
    float sums[TILE_FLOATS_MAX] = {0};
    float *c = tile.c;
    int64_t c_stride = tile.c_stride;
    tile.c = sums;
    tile.c_stride = tile.vectors * kernels->lanes;
    if (tile.accumulate)
        copy_columns(sums, tile.c_stride, c, c_stride, tile.rows, columns);
    kernels->tile(&tile);
    copy_columns(c, c_stride, sums, tile.c_stride, tile.rows, columns);
}

/*
 * The rows in tiles of nearly one size, so that no last tile is a thin one. Meanwhile `ahead`, as
 * many floats as this B has, comes nearer: it is what the next call will read.
 */
static void multiply_rows(const struct kernels *kernels, struct gemm_tile tile, int64_t rows,
                          int64_t columns, const float *ahead, struct gemm_finish *finish)
{
    int64_t tiles = (rows + kernels->rows - 1) / kernels->rows;
    int64_t share = (tile.step + tiles - 1) / tiles;
    const float *ahead_end = ahead ? ahead + tile.taps * tile.tap_length * tile.step : NULL;
    tile.ahead = ahead ? ahead : tile.b;
    tile.ahead_step = ahead ? share : 0;
    for (int64_t i = 0; i < tiles; i++) {
        tile.rows = (int)(rows / tiles + (i < rows % tiles));
        if (columns % kernels->lanes)
            multiply_narrow(kernels, tile, columns);
        else
            kernels->tile(&tile);
        if (finish) {
            finish->c = tile.c;
            finish->rows = tile.rows;
            kernels->finish(finish);
            if (finish->residual)
                finish->residual += tile.rows * finish->residual_stride;
        }
        tile.a += tile.rows * tile.row_stride;
        tile.c += tile.rows * tile.c_stride;
        tile.ahead += tile.taps * tile.tap_length * tile.ahead_step;
        if (ahead && tile.ahead >= ahead_end) {
            tile.ahead = tile.b;
            tile.ahead_step = 0;
        }
    }
}

void gemm_tiles(const struct kernels *kernels, const struct gemm_tile *tile, int64_t rows)
{
    multiply_rows(kernels, *tile, rows, tile->vectors * kernels->lanes, NULL, NULL);
}

/* One task: a block of rows by some neighbouring panels. */
struct block {
    const struct gemm_weights *weights;
    const struct gemm_input *input;
    const struct gemm_output *output;
    int64_t first_row;
    int64_t rows;
    int64_t first_panel;
    int64_t end_panel;
    const float *panels; /* the first one's weights, and those of the others behind them */
};

/* What is done to a panel's columns when their sums are complete. */
static struct gemm_finish make_finish(const struct block *block, const struct panel *panel)
{
    const struct gemm_output *output = block->output;
    const float *bias = block->weights->bias;
    struct gemm_finish finish = {
        .c_stride = output->row_stride,
        .columns = panel->columns,
        .bias = bias ? bias + panel->column : NULL,
        .activation = output->activation,
        .residual_stride = output->residual_stride,
    };
    if (output->residual)
        finish.residual =
            output->residual + block->first_row * output->residual_stride + panel->column;
    return finish;
}

/* Inputs `from` .. `from + tile.taps × tile.tap_length - 1` for all panels of the block. */
static void multiply_inputs(const struct block *block, struct gemm_tile tile, int64_t from,
                            bool last)
{
    const struct gemm_weights *weights = block->weights;
    const struct kernels *kernels = weights->kernels;
    const struct gemm_output *output = block->output;
    const float *row = tile.a;
    bool finishes = weights->bias || output->residual || output->activation != ACTIVATION_LINEAR;
    struct panel panel = find_panel(kernels, &weights->shape, block->first_panel);
    const int64_t first = panel.offset;
    for (int64_t i = block->first_panel; i < block->end_panel; i++) {
        struct panel next = find_panel(kernels, &weights->shape, i + 1);
        const float *ahead = NULL;
        if (i + 1 < block->end_panel)
            ahead = block->panels + (next.offset - first) + from * next.width;
        tile.a = row + panel.group * block->input->tap_length;
        tile.b = block->panels + (panel.offset - first) + from * panel.width;
        tile.step = panel.width;
        tile.vectors = (int)(panel.width / kernels->lanes);
        tile.c = output->values + block->first_row * output->row_stride + panel.column;
        struct gemm_finish finish = make_finish(block, &panel);
        multiply_rows(kernels, tile, block->rows, panel.columns, ahead,
                      last && finishes ? &finish : NULL);
        panel = next;
    }
}

/* Inputs in blocks, so that the block's rows stay in the cache while the panels go by. */
static void multiply_block(const struct block *block)
{
    const struct gemm_input *input = block->input;
    const float *first = input->values + block->first_row * input->row_stride;
    struct gemm_tile tile = {
        .row_stride = input->row_stride,
        .tap_stride = input->tap_stride,
        .c_stride = block->output->row_stride,
    };
    int64_t from = 0,
            taps = BLOCK_INPUTS / input->tap_length > 1 ? BLOCK_INPUTS / input->tap_length : 1;
    for (int64_t tap = 0; tap < input->taps; tap += taps) {
        for (int64_t k = 0; k < input->tap_length; k += tile.tap_length) {
            tile.taps = smaller(taps, input->taps - tap);
            tile.tap_length = smaller(BLOCK_INPUTS, input->tap_length - k);
            tile.a = first + tap * input->tap_stride + k;
            int64_t end = from + tile.taps * tile.tap_length;
            multiply_inputs(block, tile, from, end == block->weights->shape.inputs);
            tile.accumulate = true;
            from = end;
        }
    }
}

struct product {
    struct block whole;
    int64_t block_rows;
    int64_t block_panels;
    int64_t columns_of_blocks;
};

static void run_block(void *context, int64_t index, int thread)
{
    (void)thread;
    const struct product *product = context;
    struct block block = product->whole;
    block.first_row = index / product->columns_of_blocks * product->block_rows;
    block.rows = smaller(product->block_rows, block.rows - block.first_row);
    block.first_panel = index % product->columns_of_blocks * product->block_panels;
    block.end_panel = smaller(block.first_panel + product->block_panels, block.end_panel);
    block.panels +=
        find_panel(block.weights->kernels, &block.weights->shape, block.first_panel).offset;
    multiply_block(&block);
}

static int64_t divide_up(int64_t count, int64_t size)
{
    return (count + size - 1) / size;
}

void gemm_run(const struct gemm_weights *weights, struct pool *pool, const struct gemm_input *input,
              const struct gemm_output *output)
{
    if (input->rows < 1)
        return;
    int threads = pool ? pool_threads(pool) : 1;
    int64_t panels = panels_of_group(weights->kernels, &weights->shape) * weights->shape.groups;
    int64_t row_blocks = divide_up(input->rows, BLOCK_ROWS);
    int64_t wanted = threads > 1 ? divide_up(threads * TASKS_A_THREAD, row_blocks) : 1;
    struct product product = {
        .whole = {weights, input, output, 0, input->rows, 0, panels, weights->panels},
        .block_rows = divide_up(input->rows, row_blocks),
        .block_panels = divide_up(panels, smaller(wanted, panels)),
    };
    product.columns_of_blocks = divide_up(panels, product.block_panels);
    row_blocks = divide_up(input->rows, product.block_rows);
    if (pool) {
        pool_run(pool, row_blocks * product.columns_of_blocks, run_block, &product);
    } else {
        for (int64_t i = 0; i < row_blocks * product.columns_of_blocks; i++)
            run_block(&product, i, 0);
    }
}

/* ---- products with weights that are not packed ----------------------------------------------- */

struct unpacked {
    struct packing packing;
    struct block whole;
};

int64_t gemm_unpacked_floats(const struct kernels *kernels, int64_t inputs)
{
    return kernels->panel * inputs + gemm_pack_floats(inputs);
}

/* All rows by one panel. */
static void run_unpacked(void *context, int64_t index, int thread)
{
    const struct unpacked *unpacked = context;
    const struct packing *packing = &unpacked->packing;
    const struct gemm_shape *shape = packing->shape;
    struct panel panel = find_panel(packing->kernels, shape, index);
    float *memory =
        packing->scratch + thread * gemm_unpacked_floats(packing->kernels, shape->inputs);
    fill_panel(packing, &panel, memory + packing->kernels->panel * shape->inputs, memory);
    struct block block = unpacked->whole;
    int64_t end = block.rows, blocks = divide_up(end, BLOCK_ROWS), rows = divide_up(end, blocks);
    block.first_panel = index;
    block.end_panel = index + 1;
    block.panels = memory;
    for (; block.first_row < end; block.first_row += rows) {
        block.rows = smaller(rows, end - block.first_row);
        multiply_block(&block);
    }
}

void gemm_run_unpacked(const struct gemm_weights *weights, gemm_source *source, const void *context,
                       float *scratch, struct pool *pool, const struct gemm_input *input,
                       const struct gemm_output *output)
{
    if (input->rows < 1)
        return;
    struct unpacked unpacked = {
        .packing = {weights->kernels, &weights->shape, source, context, NULL, scratch},
        .whole = {.weights = weights, .input = input, .output = output, .rows = input->rows},
    };
    pool_run(pool, panels_of_group(weights->kernels, &weights->shape) * weights->shape.groups,
             run_unpacked, &unpacked);
}

struct gemm_input gemm_rows(const float *values, int64_t rows, int64_t columns, int64_t stride)
{
    return (struct gemm_input){values, rows, stride, 1, columns, columns};
}

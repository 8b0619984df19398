/* SPDX-License-Identifier: MIT */
#include "nn/int8.h"

#include "base/memory.h"
#include "nn/transpose.h"

#include <string.h>

enum {
    TASKS_A_THREAD = 6,      /* at least, where there are panels enough */
    TASK_VALUES = 32 * 1024, /* that a task quantises */
    BLOCK_ROWS = 144,        /* that are multiplied by one panel after the other */
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t divide_up(int64_t count, int64_t size)
{
    return (count + size - 1) / size;
}

static int64_t round_up(int64_t count, int64_t multiple)
{
    return divide_up(count, multiple) * multiple;
}

/* ---- packed weights -------------------------------------------------------------------------- */

/* What follows from kernels and shape. A group's columns are padded to whole vectors. */
struct layout {
    int64_t columns; /* of a group */
    int64_t padded;
    int64_t quads;
    int64_t panels; /* of a group; the last may be narrower */
};

static struct layout lay_out(const struct kernels *kernels, const struct gemm_shape *shape)
{
    int64_t columns = shape->outputs / shape->groups;
    return (struct layout){
        .columns = columns,
        .padded = round_up(columns, kernels->lanes),
        .quads = divide_up(shape->inputs, 4),
        .panels = divide_up(columns, kernels->int8_panel),
    };
}

int64_t int8_packed_floats(const struct kernels *kernels, const struct gemm_shape *shape)
{
    struct layout layout = lay_out(kernels, shape);
    /* Three floats and its bytes, 4 of which are as large as a float, for every column. */
    return round_up(layout.padded * shape->groups * (3 + layout.quads), 16);
}

int64_t int8_pack_floats(const struct kernels *kernels, int64_t inputs)
{
    return inputs + round_up(kernels->int8_panel * divide_up(inputs, 4), 16);
}

struct packing {
    const struct kernels *kernels;
    const struct gemm_shape *shape;
    struct layout layout;
    int8_source *source;
    const void *context;
    const float *bias;
    float *panels; /* four bytes each */
    float *steps, *totals, *biases;
    float *scratch;
};

/* Four inputs of every column side by side, as one: [quads][width] of [width][quads]. */
static void interleave(const float *rows, int64_t width, int64_t quads, float *to)
{
    const float *pointers[TRANSPOSE_ROWS];
    for (int64_t j = 0; j < width; j += TRANSPOSE_ROWS) {
        int64_t count = smaller(TRANSPOSE_ROWS, width - j);
        for (int64_t i = 0; i < count; i++)
            pointers[i] = rows + (j + i) * quads;
        transpose(pointers, count, quads, to + j, width);
    }
}

static void pack_panel(void *context, int64_t index, int thread)
{
    const struct packing *packing = context;
    const struct layout *layout = &packing->layout;
    const int64_t inputs = packing->shape->inputs, quads = layout->quads;
    int64_t group = index / layout->panels;
    int64_t first = index % layout->panels * packing->kernels->int8_panel;
    int64_t width = smaller(packing->kernels->int8_panel, layout->padded - first);
    int64_t padded = group * layout->padded + first;
    float *floats = packing->scratch + thread * int8_pack_floats(packing->kernels, inputs);
    float *rows = floats + inputs, *to = packing->panels + padded * quads;
    memory_expect(to, (size_t)(width * quads) * sizeof *to);
    memset(rows, 0, (size_t)(width * quads) * sizeof *rows);
    for (int64_t j = 0; j < width; j++) {
        int64_t output = group * layout->columns + first + j;
        int32_t total = 0;
        int8_t *row = (int8_t *)(rows + j * quads);
        bool exists = first + j < layout->columns;
        float step = exists ? packing->source(packing->context, output, row, floats) : 0;
        for (int64_t k = 0; k < inputs; k++)
            total += row[k];
        packing->steps[padded + j] = step;
        packing->totals[padded + j] = step * (float)total;
        packing->biases[padded + j] = exists && packing->bias ? packing->bias[output] : 0;
    }
    interleave(rows, width, quads, to);
}

struct int8_weights int8_pack(const struct kernels *kernels, const struct gemm_shape *shape,
                              int8_source *source, const void *context, const float *bias,
                              float *memory, float *scratch, struct pool *pool)
{
    struct layout layout = lay_out(kernels, shape);
    int64_t columns = layout.padded * shape->groups;
    float *steps = memory + columns * layout.quads;
    struct packing packing = {
        .kernels = kernels,
        .shape = shape,
        .layout = layout,
        .source = source,
        .context = context,
        .bias = bias,
        .panels = memory,
        .steps = steps,
        .totals = steps + columns,
        .biases = steps + 2 * columns,
        .scratch = scratch,
    };
    pool_run(pool, layout.panels * shape->groups, pack_panel, &packing);
    return (struct int8_weights){kernels,       *shape,         (const int8_t *)memory,
                                 packing.steps, packing.totals, packing.biases};
}

/* ---- products -------------------------------------------------------------------------------- */

/* Rows of one group whose bytes are in the scratch together. */
struct slab {
    const struct int8_weights *weights;
    const struct gemm_input *input;
    const struct gemm_output *output;
    struct layout layout;
    int64_t stride; /* bytes from a row to the next */
    int64_t group;
    int64_t first;
    int64_t rows;
    uint8_t *bytes; /* [rows, stride] */
    struct int8_scale *scales;
    int64_t quantised;  /* rows that a task quantises */
    int64_t block_rows; /* that a task multiplies */
    int64_t block_panels;
    int64_t rows_of_blocks;
};

static void quantise(const struct slab *slab, int64_t first, int64_t rows)
{
    const struct gemm_input *input = slab->input;
    struct int8_rows job = {
        .values = input->values + (slab->first + first) * input->row_stride +
                  slab->group * input->tap_length,
        .rows = rows,
        .row_stride = input->row_stride,
        .taps = input->taps,
        .tap_length = input->tap_length,
        .tap_stride = input->tap_stride,
        .bytes = slab->bytes + first * slab->stride,
        .bytes_stride = slab->stride,
        .scales = slab->scales + first,
    };
    slab->weights->kernels->int8_quantise(&job);
}

/* Rows `first` .. `first + rows - 1` of the slab by one panel, in tiles of nearly one size. */
static void multiply(const struct slab *slab, int64_t panel, int64_t first, int64_t rows)
{
    const struct int8_weights *weights = slab->weights;
    const struct kernels *kernels = weights->kernels;
    const struct layout *layout = &slab->layout;
    const struct gemm_output *output = slab->output;
    int64_t column = panel * kernels->int8_panel, padded = slab->group * layout->padded + column;
    struct int8_tile tile = {
        .row_stride = slab->stride,
        .quads = layout->quads,
        .b = weights->panels + padded * layout->quads * 4,
        .width = smaller(kernels->int8_panel, layout->padded - column),
        .steps = weights->steps + padded,
        .totals = weights->totals + padded,
        .bias = weights->bias + padded,
        .c_stride = output->row_stride,
        .columns = smaller(kernels->int8_panel, layout->columns - column),
        .activation = output->activation,
        .residual_stride = output->residual_stride,
    };
    column += slab->group * layout->columns;
    int64_t tiles = divide_up(rows, kernels->int8_rows), row = first;
    for (int64_t i = 0; i < tiles; i++, row += tile.rows) {
        tile.rows = (int)(rows / tiles + (i < rows % tiles));
        tile.a = slab->bytes + row * slab->stride;
        tile.row_scales = slab->scales + row;
        tile.c = output->values + (slab->first + row) * tile.c_stride + column;
        if (output->residual)
            tile.residual =
                output->residual + (slab->first + row) * output->residual_stride + column;
        kernels->int8_tile(&tile);
    }
}

static void run_quantise(void *context, int64_t index, int thread)
{
    (void)thread;
    const struct slab *slab = context;
    int64_t first = index * slab->quantised;
    quantise(slab, first, smaller(slab->quantised, slab->rows - first));
}

static void run_multiply(void *context, int64_t index, int thread)
{
    (void)thread;
    const struct slab *slab = context;
    int64_t panel = index / slab->rows_of_blocks * slab->block_panels;
    int64_t end = smaller(panel + slab->block_panels, slab->layout.panels);
    int64_t first = index % slab->rows_of_blocks * slab->block_rows;
    int64_t rows = smaller(slab->block_rows, slab->rows - first);
    for (; panel < end; panel++)
        multiply(slab, panel, first, rows);
}

static void run_tasks(struct pool *pool, int64_t count, pool_task *task, void *context)
{
    if (pool)
        pool_run(pool, count, task, context);
    for (int64_t i = 0; !pool && i < count; i++)
        task(context, i, 0);
}

/* Two passes, so that no row is quantised twice however many threads share its products. */
static void run_slab(struct slab *slab, struct pool *pool)
{
    int64_t wanted = pool && pool_threads(pool) > 1 ? pool_threads(pool) * TASKS_A_THREAD : 1;
    slab->quantised = larger(1, TASK_VALUES / slab->stride);
    run_tasks(pool, divide_up(slab->rows, slab->quantised), run_quantise, slab);
    slab->rows_of_blocks = divide_up(slab->rows, BLOCK_ROWS);
    slab->block_rows = divide_up(slab->rows, slab->rows_of_blocks);
    slab->rows_of_blocks = divide_up(slab->rows, slab->block_rows);
    int64_t columns = smaller(divide_up(wanted, slab->rows_of_blocks), slab->layout.panels);
    slab->block_panels = divide_up(slab->layout.panels, columns);
    columns = divide_up(slab->layout.panels, slab->block_panels);
    run_tasks(pool, columns * slab->rows_of_blocks, run_multiply, slab);
}

/* Where the rows of a slab lie in `scratch`, scales first; returns how many there is room for. */
static int64_t place_rows(struct slab *slab, float *scratch, int64_t floats)
{
    int64_t room = floats * (int64_t)sizeof *scratch;
    int64_t rows = room / (slab->stride + (int64_t)sizeof *slab->scales);
    slab->scales = (struct int8_scale *)scratch;
    slab->bytes = (uint8_t *)(slab->scales + rows);
    return rows;
}

/* Groups are narrow and many: each task does one group of a block of rows from end to end. */
struct grouped {
    const struct slab *whole;
    float *scratch;
    int64_t block_rows;
};

static void run_grouped(void *context, int64_t index, int thread)
{
    const struct grouped *grouped = context;
    struct slab slab = *grouped->whole;
    slab.group = index % slab.weights->shape.groups;
    slab.first = index / slab.weights->shape.groups * grouped->block_rows;
    slab.rows = smaller(grouped->block_rows, slab.rows - slab.first);
    place_rows(&slab, grouped->scratch + thread * INT8_THREAD_FLOATS, INT8_THREAD_FLOATS);
    quantise(&slab, 0, slab.rows);
    for (int64_t panel = 0; panel < slab.layout.panels; panel++)
        multiply(&slab, panel, 0, slab.rows);
}

void int8_run(const struct int8_weights *weights, struct pool *pool, const struct gemm_input *input,
              const struct gemm_output *output, float *scratch)
{
    if (input->rows < 1)
        return;
    struct slab slab = {
        .weights = weights,
        .input = input,
        .output = output,
        .layout = lay_out(weights->kernels, &weights->shape),
        .rows = input->rows,
    };
    slab.stride = round_up(weights->shape.inputs, 64) + 64; /* no power of two */
    if (weights->shape.groups > 1) {
        struct grouped grouped = {&slab, scratch, 0};
        int64_t blocks = divide_up(input->rows, place_rows(&slab, scratch, INT8_THREAD_FLOATS));
        grouped.block_rows = divide_up(input->rows, blocks);
        run_tasks(pool, blocks * weights->shape.groups, run_grouped, &grouped);
        return;
    }
    int64_t threads = pool ? pool_threads(pool) : 1;
    int64_t room = place_rows(&slab, scratch, threads * INT8_THREAD_FLOATS);
    int64_t slabs = divide_up(input->rows, room), rows = divide_up(input->rows, slabs);
    for (int64_t first = 0; first < input->rows; first += rows) {
        slab.first = first;
        slab.rows = smaller(rows, input->rows - first);
        run_slab(&slab, pool);
    }
}

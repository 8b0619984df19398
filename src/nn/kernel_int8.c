/* SPDX-License-Identifier: MIT */
#include "nn/kernel_activation.h"
#include "nn/kernel_dot.h"
#include "nn/kernel_set.h"

#include <float.h>
#include <stddef.h>

enum { RUNS = 1024 /* whose ranges are known together */ };

static const float LEAST_WEIGHT = 1e-30f; /* what is less is nothing */

/* ---- products -------------------------------------------------------------------------------- */

DOT_FUNCTIONS(sums_dot);

/* A vector's width of C from its sums, [rows][vectors]; fewer columns unless `whole`. */
INLINE void scale_columns(const enum activation which, const struct int8_tile *tile, int64_t column,
                          const bool whole, const sums *sum)
{
    const int64_t vectors = tile->width / VECTOR_LANES, count = tile->columns - column;
    const int64_t c_stride = tile->c_stride, residual_stride = tile->residual_stride;
    const struct int8_scale *scales = tile->row_scales;
    const vector steps = vector_load(tile->steps + column);
    const vector totals = vector_load(tile->totals + column);
    const vector bias = vector_load(tile->bias + column);
    const float *residual = tile->residual ? tile->residual + column : NULL;
    float *c = tile->c + column;
    sum += column / VECTOR_LANES;
    for (int rows = tile->rows; rows > 0; rows--, scales++, sum += vectors, c += c_stride) {
        vector rest = vector_fma(vector_set(scales->offset), totals, bias);
        vector x = vector_fma(sums_to_floats(*sum), vector_set(scales->step) * steps, rest);
        x = activate(which, x);
        if (residual) {
            x = x + (whole ? vector_load(residual) : vector_load_partial(residual, count));
            residual += residual_stride;
        }
        if (whole)
            vector_store(c, x);
        else
            vector_store_partial(c, x, count);
    }
}

INLINE void scale_rows(const enum activation which, const struct int8_tile *tile, const sums *sum)
{
    int64_t column = 0;
    for (; column + VECTOR_LANES <= tile->columns; column += VECTOR_LANES)
        scale_columns(which, tile, column, true, sum);
    if (column < tile->columns)
        scale_columns(which, tile, column, false, sum);
}

/* Activations that are rarer: on sums that are complete. */
static void finish_tile(const struct int8_tile *tile, const sums *sum)
{
    struct int8_tile plain = *tile;
    plain.residual = NULL;
    scale_rows(ACTIVATION_LINEAR, &plain, sum);
    KERNEL(finish)
    (&(struct gemm_finish){
        .c = tile->c,
        .c_stride = tile->c_stride,
        .rows = tile->rows,
        .columns = tile->columns,
        .activation = tile->activation,
        .residual = tile->residual,
        .residual_stride = tile->residual_stride,
    });
}

/* C comes nearer while the sums are made: it is far, and nothing of it is read before. */
static void fetch(const struct int8_tile *tile)
{
    enum { LINE = 16 /* floats */ };
    for (int i = 0; i < tile->rows; i++) {
        for (int64_t j = 0; j < tile->columns; j += LINE) {
            __builtin_prefetch(tile->c + i * tile->c_stride + j, 1);
            if (tile->residual)
                __builtin_prefetch(tile->residual + i * tile->residual_stride + j, 0);
        }
    }
}

void KERNEL(int8_tile)(const struct int8_tile *tile)
{
    const int64_t vectors = tile->width / VECTOR_LANES;
    fetch(tile);
    sums sum[INT8_ROWS * INT8_VECTORS];
    const struct dot dot = {tile->a, tile->row_stride, tile->quads, tile->b, 4 * tile->width};
    dot_functions[tile->rows - 1][vectors - 1](&dot, sum);
    switch (tile->activation) {
    case ACTIVATION_LINEAR:
        scale_rows(ACTIVATION_LINEAR, tile, sum);
        break;
    case ACTIVATION_GELU_COARSE:
        scale_rows(ACTIVATION_GELU_COARSE, tile, sum);
        break;
    default:
        finish_tile(tile, sum);
    }
}

/* ---- activations ----------------------------------------------------------------------------- */

struct range {
    float least;
    float greatest;
};

/* By whole vectors, the last of which may begin within the one before it. */
static struct range range_of(const float *values, int64_t count)
{
    if (count >= VECTOR_LANES) {
        vector least = vector_load(values + count - VECTOR_LANES), greatest = least;
        for (int64_t i = 0; i < count - VECTOR_LANES; i += VECTOR_LANES) {
            vector x = vector_load(values + i);
            least = vector_min(least, x);
            greatest = vector_max(greatest, x);
        }
        return (struct range){vector_least(least), vector_greatest(greatest)};
    }
    struct range range = {values[0], values[0]};
    for (int64_t i = 1; i < count; i++) {
        range.least = values[i] < range.least ? values[i] : range.least;
        range.greatest = values[i] > range.greatest ? values[i] : range.greatest;
    }
    return range;
}

/* Ranges of runs that follow one another. */
struct runs {
    float least[RUNS];
    float greatest[RUNS];
};

static void measure_runs(const float *first, int64_t stride, int64_t length, int64_t count,
                         struct runs *runs)
{
    for (int64_t i = 0; i < count; i++) {
        struct range range = range_of(first + i * stride, length);
        runs->least[i] = range.least;
        runs->greatest[i] = range.greatest;
    }
}

static struct range range_of_runs(const struct runs *runs, int64_t first, int64_t count)
{
    return (struct range){range_of(runs->least + first, count).least,
                          range_of(runs->greatest + first, count).greatest};
}

/* Halves are rounded up. */
INLINE vector level_of(vector x, float least, float factor)
{
    return vector_fma(x - vector_set(least), vector_set(factor), vector_set(0.5f));
}

static void quantise_run(const float *from, int64_t count, float least, float factor, uint8_t *to)
{
    int64_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES)
        bytes_store(to + i, level_of(vector_load(from + i), least, factor));
    if (i < count) {
        uint8_t tail[VECTOR_LANES];
        bytes_store(tail, level_of(vector_load_partial(from + i, count - i), least, factor));
        memcpy(to + i, tail, (size_t)(count - i));
    }
}

static void quantise_row(const struct int8_rows *rows, int64_t i, struct range range)
{
    const int64_t inputs = rows->taps * rows->tap_length;
    const float *row = rows->values + i * rows->row_stride;
    uint8_t *bytes = rows->bytes + i * rows->bytes_stride;
    float step = (range.greatest - range.least) / INT8_LEVELS;
    float factor = step > 0 ? 1 / step : 0;
    for (int64_t tap = 0; tap < rows->taps; tap++)
        quantise_run(row + tap * rows->tap_stride, rows->tap_length, range.least, factor,
                     bytes + tap * rows->tap_length);
    memset(bytes + inputs, 0, (size_t)(-inputs & 3)); /* to whole quads */
    rows->scales[i] = (struct int8_scale){step, range.least + INT8_SHIFT * step};
}

/* A row that shares no runs with others, or has too many. */
static void quantise_alone(const struct int8_rows *rows, int64_t i)
{
    const float *row = rows->values + i * rows->row_stride;
    struct range range = range_of(row, rows->tap_length);
    for (int64_t tap = 1; tap < rows->taps; tap++) {
        struct range run = range_of(row + tap * rows->tap_stride, rows->tap_length);
        range.least = run.least < range.least ? run.least : range.least;
        range.greatest = run.greatest > range.greatest ? run.greatest : range.greatest;
    }
    quantise_row(rows, i, range);
}

/* Rows `hop` runs apart, so that neighbours share some: each run is looked at once. */
static void quantise_overlapping(const struct int8_rows *rows, int64_t hop)
{
    const int64_t most = (RUNS - rows->taps) / hop + 1;
    struct runs runs;
    for (int64_t first = 0; first < rows->rows; first += most) {
        int64_t count = rows->rows - first < most ? rows->rows - first : most;
        measure_runs(rows->values + first * rows->row_stride, rows->tap_stride, rows->tap_length,
                     (count - 1) * hop + rows->taps, &runs);
        for (int64_t i = 0; i < count; i++)
            quantise_row(rows, first + i, range_of_runs(&runs, i * hop, rows->taps));
    }
}

void KERNEL(int8_quantise)(const struct int8_rows *rows)
{
    const int64_t hop = rows->taps > 1 ? rows->row_stride / rows->tap_stride : 0;
    if (hop > 0 && hop < rows->taps && hop * rows->tap_stride == rows->row_stride &&
        rows->taps <= RUNS / 2) {
        quantise_overlapping(rows, hop);
        return;
    }
    for (int64_t i = 0; i < rows->rows; i++)
        quantise_alone(rows, i);
}

/* ---- weights --------------------------------------------------------------------------------- */

/* By its bits, which vectors compare faster; a NaN's is beyond all. */
static float greatest_magnitude(const float *values, int64_t count)
{
    int32_t most = 0;
    float greatest;
    for (int64_t i = 0; i < count; i++) {
        int32_t bits;
        memcpy(&bits, values + i, sizeof bits);
        bits &= INT32_MAX;
        most = bits > most ? bits : most;
    }
    memcpy(&greatest, &most, sizeof greatest);
    return greatest;
}

float KERNEL(int8_round)(const float *values, int64_t count, int8_t *bytes)
{
    const float most = greatest_magnitude(values, count);
    const bool rounds = most >= LEAST_WEIGHT && most <= FLT_MAX;
    const vector factor = vector_set(127 / most);
    int64_t i = 0;
    for (; rounds && i + VECTOR_LANES <= count; i += VECTOR_LANES)
        weights_store(bytes + i, vector_load(values + i) * factor);
    for (; i < count; i += VECTOR_LANES) {
        int8_t tail[VECTOR_LANES] = {0};
        int64_t left = count - i < VECTOR_LANES ? count - i : VECTOR_LANES;
        if (rounds)
            weights_store(tail, vector_load_partial(values + i, left) * factor);
        memcpy(bytes + i, tail, (size_t)left);
    }
    return rounds ? most / 127 : most < LEAST_WEIGHT ? 0 : NAN;
}

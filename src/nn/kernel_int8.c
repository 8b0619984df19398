/* SPDX-License-Identifier: MIT */
#include "nn/int8_vector.h"
#include "nn/kernel_activation.h"
#include "nn/kernel_set.h"

#include <stddef.h>

enum { RUNS = 1024 /* whose ranges are known together */ };

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* ---- products -------------------------------------------------------------------------------- */

/* Sums of whole numbers are exact, so their order is of no account. out: [rows][vectors] */
INLINE void multiply(const int rows, const int vectors, const struct int8_tile *tile, sums *out)
{
    const int64_t stride = tile->row_stride, step = 4 * tile->width;
    const uint8_t *low = tile->a, *high = low + 5 * stride;
    const int8_t *b = tile->b;
    sums sum[INT8_ROWS][INT8_VECTORS];
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int j = 0; j < vectors; j++)
            sum[i][j] = sums_zero();
    }
    for (int64_t k = 0; k < 4 * tile->quads; k += 4, b += step) {
        quads row[INT8_VECTORS];
        UNROLL
        for (int j = 0; j < vectors; j++)
            row[j] = quads_load(b + 4 * j * VECTOR_LANES);
        UNROLL
        for (int i = 0; i < rows; i++) {
            quads a = quads_spread(i < 5 ? low + i * stride + k : high + (i - 5) * stride + k);
            UNROLL
            for (int j = 0; j < vectors; j++)
                sum[i][j] = sums_dot(sum[i][j], a, row[j]);
        }
    }
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int j = 0; j < vectors; j++)
            out[i * vectors + j] = sum[i][j];
    }
}

/* clang-format off */
#define SIZE(rows, vectors)                                                                        \
    static void multiply_##rows##_##vectors(const struct int8_tile *tile, sums *out)               \
    {                                                                                              \
        multiply(rows, vectors, tile, out);                                                        \
    }
#if defined(__AVX512F__)
#define ROW(rows) SIZE(rows, 1) SIZE(rows, 2) SIZE(rows, 3)
#define NAMES(rows) {multiply_##rows##_1, multiply_##rows##_2, multiply_##rows##_3}
ROW(7) ROW(8) ROW(9)
#elif defined(__ARM_FEATURE_DOTPROD)
#define ROW(rows) SIZE(rows, 1) SIZE(rows, 2) SIZE(rows, 3) SIZE(rows, 4)
#define NAMES(rows) {multiply_##rows##_1, multiply_##rows##_2, multiply_##rows##_3, multiply_##rows##_4}
#else
#define ROW(rows) SIZE(rows, 1) SIZE(rows, 2)
#define NAMES(rows) {multiply_##rows##_1, multiply_##rows##_2}
#endif
ROW(1) ROW(2) ROW(3) ROW(4) ROW(5) ROW(6)

typedef void tile_function(const struct int8_tile *tile, sums *out);

static tile_function *const functions[INT8_ROWS][INT8_VECTORS] = {
    NAMES(1), NAMES(2), NAMES(3), NAMES(4), NAMES(5), NAMES(6),
#if defined(__AVX512F__)
    NAMES(7), NAMES(8), NAMES(9),
#endif
};
/* clang-format on */

/* One row of C from its sums, [width]. */
INLINE void scale_row(const enum activation which, const struct int8_tile *tile, int row,
                      const sums *sum)
{
    const vector offset = vector_set(tile->row_scales[row].offset);
    const vector step = vector_set(tile->row_scales[row].step);
    float *c = tile->c + row * tile->c_stride;
    const float *residual = tile->residual ? tile->residual + row * tile->residual_stride : NULL;
    for (int64_t j = 0; j < tile->width; j += VECTOR_LANES) {
        vector rest =
            vector_fma(offset, vector_load(tile->totals + j), vector_load(tile->bias + j));
        vector factor = step * vector_load(tile->steps + j);
        vector x = vector_fma(sums_to_floats(sum[j / VECTOR_LANES]), factor, rest);
        x = activate(which, x);
        if (tile->columns - j >= VECTOR_LANES) {
            if (residual)
                x = x + vector_load(residual + j);
            vector_store(c + j, x);
        } else {
            const int64_t left = tile->columns - j;
            if (residual)
                x = x + vector_load_partial(residual + j, left);
            vector_store_partial(c + j, x, left);
        }
    }
}

INLINE void scale_rows(const enum activation which, const struct int8_tile *tile, const sums *sum)
{
    const int64_t vectors = tile->width / VECTOR_LANES;
    for (int i = 0; i < tile->rows; i++)
        scale_row(which, tile, i, sum + i * vectors);
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
    functions[tile->rows - 1][vectors - 1](tile, sum);
    switch (tile->activation) {
    case ACTIVATION_LINEAR:
        scale_rows(ACTIVATION_LINEAR, tile, sum);
        break;
    case ACTIVATION_GELU:
        scale_rows(ACTIVATION_GELU, tile, sum);
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

/* SPDX-License-Identifier: MIT */
/* soxr_clear() allocates, so a segment is ended by zeros: enough of them to push out the tail and
 * to fill the filter's whole memory, up to an input position that falls on an output sample. The
 * next segment then starts as if it were the first. */
#include "base/resample.h"

#include "base/error.h"

#include <soxr.h>
#include <stdlib.h>
#include <string.h>

struct resampler {
    int input_rate;
    int output_rate;
    int64_t period; /* input samples that are a whole number of output samples */
    int64_t delay;  /* output samples that the filter holds back at most */
    soxr_t soxr;    /* NULL when the rates are equal */

    /* soxr is always given blocks of this size, counted from its first sample. */
    int64_t block;
    int64_t staged; /* samples in `input` */
    float *input;   /* [block] */
    float *output;  /* [output_capacity] what one block gives */
    int64_t output_capacity;

    int64_t fed;       /* input samples that soxr has had in its life */
    int64_t given;     /* output samples that soxr has given */
    int64_t seg_in;    /* value of fed + staged where the segment begins */
    int64_t seg_out;   /* its output index, seg_in * output_rate / input_rate exactly */
    int64_t seg_count; /* input samples of the segment so far */
};

static int64_t greatest_divisor(int64_t a, int64_t b)
{
    return b ? greatest_divisor(b, a % b) : a;
}

int64_t resample_position(int64_t samples, int from, int to)
{
    /* Split, so that no product overflows. */
    int64_t whole = samples / from, rest = samples % from;
    return whole * to + (rest * to + from / 2) / from;
}

/* Gives soxr the staged block. Output samples [first, end) of its life go to `out`. */
static int64_t run_block(struct resampler *r, int64_t first, int64_t end, float *out)
{
    size_t used = 0, made = 0;
    soxr_process(r->soxr, r->input, (size_t)r->block, &used, r->output, (size_t)r->output_capacity,
                 &made);
    r->fed += r->block;
    r->staged = 0;
    int64_t begin = r->given, stop = r->given + (int64_t)made;
    r->given = stop;
    if (begin < first)
        begin = first;
    if (stop > end)
        stop = end;
    if (stop <= begin)
        return 0;
    memcpy(out, r->output + (begin - (r->given - (int64_t)made)),
           (size_t)(stop - begin) * sizeof *out);
    return stop - begin;
}

static int64_t push_zeros(struct resampler *r, int64_t count, int64_t first, int64_t end,
                          float *out)
{
    int64_t made = 0;
    while (count > 0) {
        int64_t n = r->block - r->staged < count ? r->block - r->staged : count;
        memset(r->input + r->staged, 0, (size_t)n * sizeof *r->input);
        r->staged += n;
        count -= n;
        if (r->staged == r->block)
            made += run_block(r, first, end, out + made);
    }
    return made;
}

static void begin_segment(struct resampler *r)
{
    r->seg_in = r->fed + r->staged;
    r->seg_out = r->seg_in / r->period * (r->period * r->output_rate / r->input_rate);
    r->seg_count = 0;
}

/* Zeros from now to the next place where a segment may begin, at least `least` of them. */
static int64_t zeros_to_period(const struct resampler *r, int64_t least)
{
    int64_t at = r->fed + r->staged + least;
    return least + (r->period - at % r->period) % r->period;
}

/* How far behind soxr's output may be: watched over a second or so of zeros. */
static void measure_delay(struct resampler *r)
{
    int64_t blocks = 2 + r->input_rate / r->block;
    for (int64_t i = 0; i < blocks; i++) {
        int64_t due = resample_position(r->fed + r->block, r->input_rate, r->output_rate);
        push_zeros(r, r->block, 0, 0, r->output);
        if (due - r->given > r->delay)
            r->delay = due - r->given;
    }
    r->delay += 2 * (1 + resample_position(r->block, r->input_rate, r->output_rate));
    push_zeros(r, zeros_to_period(r, 0), 0, 0, r->output);
    begin_segment(r);
}

struct resampler *resampler_open(int input_rate, int output_rate, struct utter_error *error)
{
    struct resampler *r = calloc(1, sizeof *r);
    if (!r)
        goto fail;
    r->input_rate = input_rate;
    r->output_rate = output_rate;
    if (input_rate == output_rate)
        return r;
    r->period = input_rate / greatest_divisor(input_rate, output_rate);
    r->block = input_rate / 100 > 0 ? input_rate / 100 : 1;
    /* soxr gives in bursts: a second is far more than any. */
    r->output_capacity = output_rate + 1024;
    r->input = calloc((size_t)r->block, sizeof *r->input);
    r->output = calloc((size_t)r->output_capacity, sizeof *r->output);
    soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, SOXR_HI_PREC_CLOCK);
    soxr_error_t reason = NULL;
    r->soxr = soxr_create(input_rate, output_rate, 1, &reason, NULL, &quality, NULL);
    if (reason) {
        error_set(error, UTTER_ERROR_ARGUMENT, "cannot resample from %d to %d Hz: %s", input_rate,
                  output_rate, reason);
        resampler_close(r);
        return NULL;
    }
    if (!r->input || !r->output || !r->soxr)
        goto fail;
    measure_delay(r);
    return r;
fail:
    error_memory(error, "the resampler");
    resampler_close(r);
    return NULL;
}

void resampler_close(struct resampler *r)
{
    if (!r)
        return;
    soxr_delete(r->soxr);
    free(r->input);
    free(r->output);
    free(r);
}

void resampler_reset(struct resampler *r)
{
    if (!r->soxr)
        return;
    soxr_clear(r->soxr);
    r->staged = r->fed = r->given = r->delay = 0;
    measure_delay(r);
}

int64_t resampler_bound(const struct resampler *r, int64_t count)
{
    return resample_position(count, r->input_rate, r->output_rate) + 1 + r->delay;
}

int64_t resampler_push(struct resampler *r, const float *samples, int64_t count, float *out)
{
    if (!r->soxr) {
        if (count > 0)
            memcpy(out, samples, (size_t)count * sizeof *out);
        return count;
    }
    int64_t made = 0;
    r->seg_count += count;
    while (count > 0) {
        int64_t n = r->block - r->staged < count ? r->block - r->staged : count;
        memcpy(r->input + r->staged, samples, (size_t)n * sizeof *samples);
        r->staged += n;
        samples += n;
        count -= n;
        if (r->staged == r->block)
            made += run_block(r, r->seg_out, INT64_MAX, out + made);
    }
    return made;
}

int64_t resampler_finish(struct resampler *r, float *out)
{
    if (!r->soxr)
        return 0;
    int64_t end = r->seg_out + resample_position(r->seg_count, r->input_rate, r->output_rate);
    int64_t clear = 2 * resample_position(r->delay, r->output_rate, r->input_rate) + r->block;
    int64_t made = push_zeros(r, zeros_to_period(r, clear), r->seg_out, end, out);
    begin_segment(r);
    return made;
}

/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "ctc/text.h"
#include "stream/chunks.h"
#include "stream/input.h"
#include "stream/model.h"
#include "stream/options.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW_LEAST_MS = 100, WINDOW_MOST_MS = 600000 };

/* Everything that one call needs, in one place for one clean-up. */
struct job {
    const struct utter_model *model;
    struct utter_transcribe_options options;
    struct input input;
    float *converted; /* NULL when the caller's samples are the model's already */
    const float *samples;
    int64_t count;
    struct acoustic acoustic;
    struct chunk_plan plan;
    struct ctc_greedy greedy;
    float *rows;
    float *emissions; /* [frames, columns] or NULL */
    int64_t frames;
};

/* What utter_transcript_free() frees, with the public face first. */
struct transcript {
    struct utter_transcript face;
    struct utter_word *words;
    char *bytes;
    float *emissions;
};

static enum utter_code read_options(struct job *job, const struct utter_transcribe_options *given,
                                    struct utter_error *error)
{
    struct utter_transcribe_options *o = &job->options;
    int rate = job->model->info.sample_rate;
    const struct option_range ranges[] = {
        {"sample_rate", &o->sample_rate, rate, INPUT_RATE_LEAST, INPUT_RATE_MOST},
        {"channels", &o->channels, 1, 1, INPUT_CHANNELS_MOST},
        {"window_ms", &o->window_ms, CHUNK_DEFAULT_MS, WINDOW_LEAST_MS, WINDOW_MOST_MS},
    };
    enum utter_code code = options_read(o, sizeof *o, given, "utter_transcribe_options", error);
    if (!code)
        code = options_check(ranges, sizeof ranges / sizeof *ranges, error);
    if (code)
        return code;
    const struct option_range stride = {"stride_ms", &o->stride_ms, o->window_ms / 6, 0,
                                        o->window_ms / 2};
    return options_check(&stride, 1, error);
}

/* One channel at the model's rate; a copy only when there is something to convert. */
static enum utter_code convert(struct job *job, const float *samples, int64_t count,
                               struct utter_error *error)
{
    int rate = job->model->info.sample_rate, channels = job->options.channels;
    enum utter_code code = input_open(&job->input, job->options.sample_rate, channels, rate, error);
    if (code)
        return code;
    if (job->options.sample_rate == rate && channels == 1 && input_is_sane(samples, count)) {
        job->input.clock.next = job->count = count;
        job->samples = samples;
        return UTTER_OK;
    }
    int64_t bound =
        resample_position(count, job->options.sample_rate, rate) + 2 * input_bound(&job->input);
    job->converted = malloc((size_t)bound * sizeof *job->converted);
    if (!job->converted)
        return error_memory(error, "the recording");
    for (int64_t done = 0; done < count;) {
        int64_t n = count - done < job->input.piece ? count - done : job->input.piece;
        job->count +=
            input_push(&job->input, samples + done * channels, n, job->converted + job->count);
        done += n;
    }
    job->count += input_finish(&job->input, job->converted + job->count);
    job->samples = job->converted;
    return UTTER_OK;
}

static enum utter_code prepare(struct job *job, struct utter_error *error)
{
    const struct utter_model_info *info = &job->model->info;
    int64_t longest = (int64_t)job->options.window_ms * info->sample_rate / 1000;
    longest += info->frame_samples; /* rounded up */
    const struct acoustic_room room = {.samples = job->count < longest ? job->count : longest};
    enum utter_code code = model_acoustic(job->model, &room, &job->acoustic, error);
    if (code)
        return code;
    job->plan = chunk_plan_make(&job->acoustic, job->options.window_ms, job->options.stride_ms);
    if (job->plan.length <= job->plan.left + job->plan.right)
        return error_set(error, UTTER_ERROR_ARGUMENT,
                         "stride_ms %d leaves nothing of a window of %d ms", job->options.stride_ms,
                         job->options.window_ms);
    /* Frames of two neighbours never overlap, so the whole recording's are enough. */
    int64_t frames = job->count / info->frame_samples + 1;
    code = ctc_greedy_open(&job->greedy, &job->model->labels, frames, error);
    if (code)
        return code;
    size_t columns = (size_t)info->vocabulary_size;
    int64_t rows = (job->count < longest ? job->count : longest) / info->frame_samples + 1;
    job->rows = malloc((size_t)rows * columns * sizeof *job->rows);
    if (job->options.emissions)
        job->emissions = malloc((size_t)frames * columns * sizeof *job->emissions);
    if (!job->rows || (job->options.emissions && !job->emissions))
        return error_memory(error, "the emissions");
    return UTTER_OK;
}

static bool report_progress(const struct job *job, int64_t done)
{
    if (!job->options.progress)
        return true;
    return job->options.progress(job->options.progress_user,
                                 input_position(&job->input.clock, done), job->input.clock.next);
}

static enum utter_code decode(struct job *job, struct utter_error *error)
{
    struct chunk chunk;
    size_t columns = (size_t)job->acoustic.columns;
    const struct chunk_source source = {.samples = job->samples};
    for (int64_t i = 0; chunk_at(&job->plan, &job->acoustic, job->count, i, &chunk); i++) {
        if (!report_progress(job, chunk.start))
            return error_set(error, UTTER_ERROR_CANCELLED, "cancelled");
        chunk_decode(&job->acoustic, &chunk, &source, job->rows, &job->greedy);
        if (job->emissions && chunk.keep > 0)
            memcpy(job->emissions + (size_t)job->frames * columns, job->rows,
                   (size_t)chunk.keep * columns * sizeof *job->rows);
        job->frames += chunk.keep;
    }
    ctc_greedy_finish(&job->greedy);
    report_progress(job, job->count);
    return UTTER_OK;
}

static void fill_words(const struct job *job, struct transcript *transcript, char *at)
{
    const struct ctc_greedy *greedy = &job->greedy;
    for (size_t i = 0; i < greedy->word_count; i++) {
        const struct ctc_word *word = &greedy->words[i];
        transcript->words[i] = (struct utter_word){
            .text = at,
            .start = input_position(&job->input.clock, word->start * job->acoustic.frame_samples),
            .end = input_position(&job->input.clock, word->end * job->acoustic.frame_samples),
            .confidence = ctc_word_confidence(word),
        };
        at += ctc_text_word(greedy->labels, greedy->raw + word->text, word->length, at) + 1;
    }
}

static struct utter_transcript *make_transcript(struct job *job, struct utter_error *error)
{
    const struct ctc_greedy *greedy = &job->greedy;
    struct transcript *transcript = calloc(1, sizeof *transcript);
    if (!transcript)
        goto fail;
    size_t whole = ctc_text_bound(greedy->labels, greedy->raw_length);
    transcript->words = malloc((greedy->word_count + 1) * sizeof *transcript->words);
    transcript->bytes = malloc(2 * whole + greedy->word_count);
    if (!transcript->words || !transcript->bytes)
        goto fail;
    ctc_text_whole(greedy->labels, greedy->raw, greedy->raw_length, transcript->bytes);
    fill_words(job, transcript, transcript->bytes + whole);
    transcript->emissions = job->emissions;
    job->emissions = NULL;
    transcript->face = (struct utter_transcript){
        .text = transcript->bytes,
        .words = transcript->words,
        .word_count = greedy->word_count,
        .emissions = transcript->emissions,
        .frame_count = (size_t)job->frames,
    };
    return &transcript->face;
fail:
    error_memory(error, "the transcript");
    utter_transcript_free(transcript ? &transcript->face : NULL);
    return NULL;
}

static void job_close(struct job *job)
{
    input_close(&job->input);
    acoustic_close(&job->acoustic);
    ctc_greedy_close(&job->greedy);
    free(job->converted);
    free(job->rows);
    free(job->emissions);
}

struct utter_transcript *utter_transcribe(const struct utter_model *model, const float *samples,
                                          int64_t count,
                                          const struct utter_transcribe_options *options,
                                          struct utter_error *error)
{
    struct utter_transcript *transcript = NULL;
    if (!model || (!samples && count != 0) || count < 0 || count > INPUT_SAMPLES_MOST) {
        error_set(error, UTTER_ERROR_ARGUMENT, "utter_transcribe: %s",
                  !model              ? "model is NULL"
                  : !samples && count ? "samples is NULL"
                  : count < 0         ? "count is negative"
                                      : "count is too large");
        return NULL;
    }
    struct job job = {.model = model};
    if (!read_options(&job, options, error) && !convert(&job, samples, count, error) &&
        !prepare(&job, error) && !decode(&job, error))
        transcript = make_transcript(&job, error);
    job_close(&job);
    return transcript;
}

void utter_transcript_free(struct utter_transcript *face)
{
    struct transcript *transcript = (struct transcript *)face;
    if (!transcript)
        return;
    free(transcript->words);
    free(transcript->bytes);
    free(transcript->emissions);
    free(transcript);
}

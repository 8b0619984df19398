/* SPDX-License-Identifier: MIT */
#include "stream/final.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

enum { APART_MS = 3000 };

int64_t final_apart(const struct acoustic *acoustic)
{
    return (int64_t)APART_MS * acoustic->sample_rate / 1000;
}

static int64_t longest_chunk(const struct acoustic *acoustic, int64_t samples_max)
{
    int64_t window = (int64_t)CHUNK_DEFAULT_MS * acoustic->sample_rate / 1000;
    window += acoustic->frame_samples; /* rounded to whole frames */
    return samples_max < window ? samples_max : window;
}

struct acoustic_room final_room(const struct acoustic *acoustic, int64_t samples_max)
{
    int64_t samples = longest_chunk(acoustic, samples_max);
    return (struct acoustic_room){
        .samples = acoustic->local ? 0 : samples,
        .frames = acoustic->local ? acoustic_frames(acoustic, samples) : 0,
    };
}

static float *floats(int64_t rows, int64_t columns)
{
    return malloc((size_t)rows * (size_t)columns * sizeof(float));
}

enum utter_code final_open(struct final *final, const struct acoustic *acoustic,
                           const struct ctc_labels *labels, int64_t samples_max,
                           struct utter_error *error)
{
    int64_t frames = acoustic_frames(acoustic, samples_max) + 1;
    int64_t most = acoustic_frames(acoustic, longest_chunk(acoustic, samples_max)) + 1;
    *final = (struct final){.acoustic = acoustic, .samples_max = samples_max};
    final->chunks = chunk_plan_make(acoustic, CHUNK_DEFAULT_MS, CHUNK_DEFAULT_MS / 6);
    enum utter_code code = ctc_greedy_open(&final->greedy, labels, frames, error);
    if (code)
        return code;
    final->rows = floats(most, acoustic->columns);
    final->samples = floats(samples_max, 1);
    if (acoustic->local)
        final->features = floats(frames, acoustic->feature_columns);
    if (final->rows && final->samples && (final->features || !acoustic->local))
        return UTTER_OK;
    final_close(final);
    return error_memory(error, "utterances decoded as a whole");
}

void final_close(struct final *final)
{
    ctc_greedy_close(&final->greedy);
    free(final->rows);
    free(final->samples);
    free(final->features);
    *final = (struct final){0};
}

static void copy(float *to, const float *from, int64_t rows, int64_t columns)
{
    memcpy(to, from, (size_t)rows * (size_t)columns * sizeof *to);
}

static void keep(struct final *final, const struct final_job *job)
{
    const struct acoustic *acoustic = final->acoustic;
    final->kept_start = job->start;
    final->kept = job->end - job->start;
    copy(final->samples, job->source.samples, final->kept, 1);
    if (acoustic->local)
        copy(final->features, job->source.features, acoustic_frames(acoustic, final->kept),
             acoustic->feature_columns);
}

/* Puts an utterance behind the one that is kept, with what lies between them. */
static void append(struct final *final, const struct final_job *job)
{
    const struct acoustic *acoustic = final->acoustic;
    int64_t columns = acoustic->feature_columns;
    int64_t known = acoustic_frames(acoustic, final->kept);
    int64_t first = (job->start - final->kept_start) / acoustic->frame_samples;
    copy(final->samples + final->kept, job->source.samples - job->before,
         job->before + job->end - job->start, 1);
    if (!acoustic->local)
        return;
    if (known < first)
        acoustic->features(acoustic->self, final->samples, known, first,
                           final->features + known * columns);
    copy(final->features + first * columns, job->source.features,
         acoustic_frames(acoustic, job->end - job->start), columns);
}

static void decode(struct final *final, const struct chunk_source *source, int64_t end)
{
    struct chunk chunk;
    int64_t count = end - final->start;
    ctc_greedy_reset(&final->greedy, final->start / final->acoustic->frame_samples);
    for (int64_t i = 0; chunk_at(&final->chunks, final->acoustic, count, i, &chunk); i++)
        chunk_decode(final->acoustic, &chunk, source, final->rows, &final->greedy);
    ctc_greedy_finish(&final->greedy);
}

void final_decode(struct final *final, const struct final_job *job)
{
    bool together =
        final->kept > 0 && job->before >= 0 && job->end - final->kept_start <= final->samples_max;
    const struct chunk_source both = {final->samples, final->features};
    if (together)
        append(final, job);
    final->start = together ? final->kept_start : job->start;
    decode(final, together ? &both : &job->source, job->end);
    final->kept = 0;
    if (final->greedy.word_count == 0)
        keep(final, job);
}

struct utter_event final_event(const struct final *final, const struct final_job *job,
                               struct words *words)
{
    return words_final_event(words, job->utterance, &final->greedy,
                             input_position(&job->clock, final->start),
                             input_position(&job->clock, job->end), &job->clock);
}

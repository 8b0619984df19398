/* SPDX-License-Identifier: MIT */
#include "stream/final.h"

#include "base/error.h"

#include <stdlib.h>

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

enum utter_code final_open(struct final *final, const struct acoustic *acoustic,
                           const struct ctc_labels *labels, int64_t samples_max,
                           struct utter_error *error)
{
    *final = (struct final){.acoustic = acoustic};
    final->chunks = chunk_plan_make(acoustic, CHUNK_DEFAULT_MS, CHUNK_DEFAULT_MS / 6);
    enum utter_code code =
        ctc_greedy_open(&final->greedy, labels, acoustic_frames(acoustic, samples_max) + 1, error);
    if (code)
        return code;
    int64_t frames = acoustic_frames(acoustic, longest_chunk(acoustic, samples_max)) + 1;
    final->rows = malloc((size_t)frames * (size_t)acoustic->columns * sizeof *final->rows);
    if (final->rows)
        return UTTER_OK;
    final_close(final);
    return error_memory(error, "the emissions");
}

void final_close(struct final *final)
{
    ctc_greedy_close(&final->greedy);
    free(final->rows);
    *final = (struct final){0};
}

void final_decode(struct final *final, const struct chunk_source *source, int64_t count,
                  int64_t first)
{
    struct chunk chunk;
    ctc_greedy_reset(&final->greedy, first);
    for (int64_t i = 0; chunk_at(&final->chunks, final->acoustic, count, i, &chunk); i++)
        chunk_decode(final->acoustic, &chunk, source, final->rows, &final->greedy);
    ctc_greedy_finish(&final->greedy);
}

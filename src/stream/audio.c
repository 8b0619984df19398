/* SPDX-License-Identifier: MIT */
#include "stream/audio.h"

#include "base/error.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum utter_code audio_open(struct audio *audio, int64_t block, int64_t samples_max,
                           struct utter_error *error)
{
    int64_t blocks = samples_max / block + 2;
    *audio = (struct audio){.block = block, .capacity = blocks * block};
    audio->samples = calloc((size_t)audio->capacity, sizeof *audio->samples);
    audio->levels = calloc((size_t)blocks, sizeof *audio->levels);
    return audio->samples && audio->levels ? UTTER_OK : error_memory(error, "the audio buffer");
}

void audio_close(struct audio *audio)
{
    free(audio->samples);
    free(audio->levels);
    *audio = (struct audio){0};
}

void audio_reset(struct audio *audio)
{
    audio->base = 0;
    audio->end = 0;
}

float *audio_reserve(struct audio *audio, int64_t count, int64_t keep)
{
    if (audio->end + count - audio->base > audio->capacity) {
        int64_t blocks = keep > audio->base ? (keep - audio->base) / audio->block : 0;
        int64_t drop = blocks * audio->block;
        int64_t held = audio->end - audio->base - drop;
        memmove(audio->samples, audio->samples + drop, (size_t)held * sizeof *audio->samples);
        memmove(audio->levels, audio->levels + blocks,
                (size_t)(audio->capacity / audio->block - blocks) * sizeof *audio->levels);
        audio->base += drop;
    }
    assert(audio->end + count - audio->base <= audio->capacity);
    return audio->samples + (audio->end - audio->base);
}

const float *audio_at(const struct audio *audio, int64_t position)
{
    assert(position >= audio->base && position <= audio->end);
    return audio->samples + (position - audio->base);
}

float *audio_level(struct audio *audio, int64_t position)
{
    return &audio->levels[(position - audio->base) / audio->block];
}

int64_t audio_quietest(const struct audio *audio, int64_t from, int64_t to, int64_t span_blocks)
{
    int64_t first = (from - audio->base + audio->block - 1) / audio->block;
    int64_t last = (to - audio->base) / audio->block - span_blocks;
    int64_t best = last > first ? last : first;
    float least = -1.0f;
    for (int64_t i = first; i <= last; i++) {
        float sum = 0.0f;
        for (int64_t k = 0; k < span_blocks; k++)
            sum += audio->levels[i + k];
        if (least < 0.0f || sum < least) {
            least = sum;
            best = i;
        }
    }
    int64_t middle = audio->base + (best + span_blocks / 2) * audio->block;
    return middle < to ? middle : to;
}

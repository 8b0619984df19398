/* SPDX-License-Identifier: MIT */
#include "app/recording.h"

#include "app/audio_file.h"
#include "app/fault.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_MS = 20,
    FADE_MS = 10,
    GRAIN_MS = 50,
    QUIET_MS = 200, /* the quietest stretch that grains are taken from */
};
/* A recording that was cut out of speech has no moment of its room: -45 dB of its loudest block. */
static const float TONE_MOST = 0.0056f;

void recording_free(struct recording *recording)
{
    free(recording->samples);
    *recording = (struct recording){0};
}

bool recording_load(struct recording *recording, const char *path, struct utter_error *error)
{
    *recording = (struct recording){0};
    struct audio_file *file = audio_file_open(path, NULL, error);
    if (file == NULL)
        return false;
    recording->rate = audio_file_rate(file);
    recording->samples = audio_file_read_all(file, &recording->count, error);
    recording->capacity = recording->count;
    audio_file_close(file);
    return recording->samples != NULL;
}

/* ---- levels ---------------------------------------------------------------------------------- */

static int64_t samples_in(const struct recording *recording, int milliseconds)
{
    return (int64_t)recording->rate * milliseconds / 1000;
}

static float level(const float *samples, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)samples[i] * samples[i];
    return count > 0 ? (float)sqrt(sum / (double)count) : 0;
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

void recording_set_level(struct recording *recording, double level_dbfs)
{
    int64_t block = samples_in(recording, BLOCK_MS);
    int64_t blocks = block > 0 ? recording->count / block : 0;
    float *levels = malloc((size_t)(blocks + 1) * sizeof *levels);
    double sum = 0;
    if (levels == NULL || blocks == 0) {
        free(levels);
        return;
    }
    for (int64_t i = 0; i < blocks; i++)
        levels[i] = level(recording->samples + i * block, block);
    qsort(levels, (size_t)blocks, sizeof *levels, compare_floats);
    for (int64_t i = blocks / 2; i < blocks; i++)
        sum += (double)levels[i] * levels[i];
    double speech = sqrt(sum / (double)(blocks - blocks / 2));
    float gain = speech > 0 ? (float)(pow(10, level_dbfs / 20) / speech) : 1;
    for (int64_t i = 0; i < recording->count; i++)
        recording->samples[i] *= gain;
    free(levels);
}

/* ---- joining --------------------------------------------------------------------------------- */

/* The room of a recording: its quietest stretch, and how loud to make it. */
struct room {
    const float *samples;
    int64_t count;
    float gain;
};

/* Of all from sample `first` on. */
static struct room find_room(const struct recording *recording, int64_t first)
{
    int64_t block = samples_in(recording, BLOCK_MS);
    int64_t span = samples_in(recording, QUIET_MS);
    struct room room = {
        .samples = recording->samples + first, .count = recording->count - first, .gain = 1};
    float loudest = 0;
    for (int64_t at = first; at + block <= recording->count; at += block)
        loudest = fmaxf(loudest, level(recording->samples + at, block));
    if (span <= room.count)
        room.count = span;
    float least = level(room.samples, room.count);
    for (int64_t at = first; at + span <= recording->count; at += block) {
        float here = level(recording->samples + at, span);
        if (here < least) {
            least = here;
            room.samples = recording->samples + at;
        }
    }
    if (least > loudest * TONE_MOST)
        room.gain = loudest * TONE_MOST / least;
    return room;
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/*
 * Adds `count` samples of noise that sounds as `room` does: windowed grains of it, at random
 * places and of random sign, half over each other. Its power goes from one end to the other as
 * `from` and `to` say: 0 or 1.
 */
static void add_room(float *samples, int64_t count, const struct room *room, int64_t grain,
                     float from, float to)
{
    uint32_t random = 1;
    if (grain > room->count / 2)
        grain = room->count / 2;
    if (grain < 2)
        return;
    for (int64_t at = -grain / 2; at < count; at += grain / 2) {
        const float *piece = room->samples + next_random(&random) % (room->count - grain + 1);
        float sign = next_random(&random) % 2 ? room->gain : -room->gain;
        for (int64_t i = at < 0 ? -at : 0; i < grain && at + i < count; i++) {
            double share = (double)(at + i) / (double)count;
            double power = (1 - share) * from + share * to;
            double window = sin(M_PI * ((double)i + 0.5) / (double)grain);
            samples[at + i] += sign * piece[i] * (float)(window * sqrt(power));
        }
    }
}

static bool grow(struct recording *joined, int64_t more, struct utter_error *error)
{
    if (joined->count + more > joined->capacity) {
        int64_t capacity = 2 * (joined->count + more);
        float *moved = realloc(joined->samples, (size_t)capacity * sizeof *moved);
        if (moved == NULL)
            return fault_memory(error);
        joined->samples = moved;
        joined->capacity = capacity;
    }
    memset(joined->samples + joined->count, 0, (size_t)more * sizeof *joined->samples);
    return true;
}

/* Lays `more` over the end of `joined`, whose last `fade` samples fade away under it. */
static void lay_over(struct recording *joined, const float *more, int64_t count, int64_t fade)
{
    float *at = joined->samples + joined->count - fade;
    for (int64_t i = 0; i < count; i++) {
        float share = i < fade ? ((float)i + 0.5f) / (float)fade : 1;
        at[i] = sqrtf(1 - share) * at[i] + sqrtf(share) * more[i];
    }
    joined->count += count - fade;
}

/* The pause between the last recording of `joined` and `more`. */
static bool add_pause(struct recording *joined, const struct recording *more, int64_t count,
                      int64_t fade, struct utter_error *error)
{
    const struct room before = find_room(joined, joined->last);
    const struct room after = find_room(more, 0);
    int64_t grain = samples_in(joined, GRAIN_MS);
    float *pause = calloc((size_t)count, sizeof *pause);
    if (pause == NULL)
        return fault_memory(error);
    add_room(pause, count, &before, grain, 1, 0);
    add_room(pause, count, &after, grain, 0, 1);
    lay_over(joined, pause, count, fade);
    free(pause);
    return true;
}

bool recording_join(struct recording *joined, const struct recording *more, int pause_ms,
                    struct utter_error *error)
{
    bool first = joined->rate == 0;
    if (!first && joined->rate != more->rate)
        return fault_set(error, UTTER_ERROR_UNSUPPORTED,
                         "recordings of %d Hz and of %d Hz cannot be joined", joined->rate,
                         more->rate);
    joined->rate = more->rate;
    int64_t fade = samples_in(joined, FADE_MS);
    int64_t pause = first || pause_ms == 0 ? 0 : samples_in(joined, pause_ms) + 2 * fade;
    if (!grow(joined, pause + more->count, error) ||
        (pause > 0 && !add_pause(joined, more, pause, fade, error)))
        return false;
    if (fade > more->count)
        fade = more->count;
    if (fade > joined->count)
        fade = joined->count;
    joined->last = joined->count - fade;
    lay_over(joined, more->samples, more->count, fade);
    return true;
}

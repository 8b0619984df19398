/* SPDX-License-Identifier: MIT */
#include "voice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Loudness of a label: its id, over this. */
static const float LOUDNESS_STEPS = 40.0f;

void voice_labels(struct ctc_labels *labels)
{
    static const char *const tokens[VOICE_COLUMNS] = {
        "<pad>", "|", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m",
        "n",     "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z", "?",
    };
    int group[VOICE_COLUMNS];
    for (int i = 0; i < VOICE_COLUMNS; i++)
        group[i] = i;
    const struct ctc_spelling spelling = {
        .size = VOICE_COLUMNS,
        .tokens = tokens,
        .group = group,
        .blank = 0,
        .delimiter = 1,
        .replace_delimiter = " ",
    };
    if (ctc_labels_open(labels, &spelling, NULL))
        abort();
}

static int heard_label(const float *samples)
{
    float sum = 0.0f;
    for (int i = 0; i < VOICE_FRAME; i++)
        sum += fabsf(samples[i]);
    int label = (int)lrintf(sum / VOICE_FRAME * LOUDNESS_STEPS);
    return label < VOICE_UNSURE ? label : VOICE_UNSURE;
}

static void log_probs(void *self, const float *samples, int64_t count, float *rows)
{
    struct voice_model *model = self;
    const struct acoustic acoustic = voice_acoustic(model);
    int64_t frames = acoustic_frames(&acoustic, count);
    if (model->gate)
        while (sem_wait(model->gate))
            ;
    model->passes++;
    if (count > model->longest)
        model->longest = count;
    for (int64_t f = 0; f < frames; f++) {
        float *row = rows + f * VOICE_COLUMNS;
        int label = heard_label(samples + f * VOICE_FRAME);
        if (label != 0 && f + model->look_ahead >= frames)
            label = VOICE_UNSURE;
        for (int i = 0; i < VOICE_COLUMNS; i++)
            row[i] = logf(i == label ? 0.86f : 0.005f);
    }
}

struct acoustic voice_acoustic(struct voice_model *model)
{
    return (struct acoustic){
        .sample_rate = VOICE_RATE,
        .frame_samples = VOICE_FRAME,
        .receptive_field = VOICE_FIELD,
        .look_ahead = model->look_ahead,
        .columns = VOICE_COLUMNS,
        .self = model,
        .log_probs = log_probs,
    };
}

/* How much is allocated for `count` samples. */
static int64_t room_for(int64_t count)
{
    int64_t room = 0;
    while (room < count)
        room = room ? 2 * room : 1 << 16;
    return room;
}

static void say_frames(float **samples, int64_t *count, int label, int frames)
{
    int64_t more = (int64_t)frames * VOICE_FRAME, room = room_for(*count + more);
    if (room > room_for(*count))
        *samples = realloc(*samples, (size_t)room * sizeof **samples);
    if (!*samples)
        abort();
    for (int64_t i = 0; i < more; i++) /* 1 kHz, square */
        (*samples)[*count + i] = (i / 8 % 2 ? 1.0f : -1.0f) * (float)label / LOUDNESS_STEPS;
    *count += more;
}

void voice_say(float **samples, int64_t *count, const char *script)
{
    char before = 0;
    for (const char *p = script; *p; before = *p++) {
        if (*p == '.') {
            say_frames(samples, count, 0, PAUSE_FRAMES);
            continue;
        }
        if (*p == before)
            say_frames(samples, count, 0, 1);
        say_frames(samples, count, *p == '|' ? 1 : *p - 'a' + 2, LETTER_FRAMES);
    }
}

void voice_add_noise(float *samples, int64_t count, float level)
{
    uint32_t state = 1;
    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        samples[i] += level * ((float)(state >> 8) / 8388608.0f - 1.0f);
    }
}

/* SPDX-License-Identifier: MIT */
#include "voice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* `labels` are those of frames, which are all that is heard of them. */
static void write_rows(struct voice_model *model, const float *labels, int64_t frames,
                       struct acoustic_rows wanted, float *rows)
{
    if (wanted.first < 0 || wanted.count < 0 || wanted.first + wanted.count > frames)
        abort();
    if (model->gate)
        while (sem_wait(model->gate))
            ;
    if (model->delay_ms > 0)
        nanosleep(&(struct timespec){.tv_nsec = model->delay_ms * 1000000L}, NULL);
    model->passes++;
    int said = 0;
    for (int64_t f = 0; f < frames; f++)
        said += labels[f] != 0.0f;
    for (int64_t f = wanted.first; f < wanted.first + wanted.count; f++) {
        float *row = rows + (f - wanted.first) * VOICE_COLUMNS;
        int label = said >= model->least ? (int)labels[f] : 0;
        if (label != 0 && f + model->look_ahead >= frames)
            label = VOICE_UNSURE;
        for (int i = 0; i < VOICE_COLUMNS; i++)
            row[i] = logf(i == label ? 0.86f : 0.005f);
    }
}

static void hear(const float *samples, int64_t frames, float *labels)
{
    for (int64_t f = 0; f < frames; f++)
        labels[f] = (float)heard_label(samples + f * VOICE_FRAME);
}

static void log_probs(void *self, const float *samples, int64_t count, struct acoustic_rows wanted,
                      float *rows)
{
    struct voice_model *model = self;
    const struct acoustic acoustic = voice_acoustic(model);
    int64_t frames = acoustic_frames(&acoustic, count);
    float *labels = malloc((size_t)frames * sizeof *labels);
    if (!labels)
        abort();
    if (count > model->longest)
        model->longest = count;
    hear(samples, frames, labels);
    write_rows(model, labels, frames, wanted, rows);
    free(labels);
}

static void begin(void *self)
{
    struct voice_model *model = self;
    model->settled = 0;
}

/* Local ones may be asked for in any order; the others for every chunk. */
static void features(void *self, const float *utterance, int64_t first, int64_t end, float *labels)
{
    struct voice_model *model = self;
    if (end <= first || (!model->local && first < model->settled))
        abort();
    model->features += end - first;
    hear(utterance + first * VOICE_FRAME, end - first, labels);
}

static void encode(void *self, const float *labels, int64_t frames, struct acoustic_rows wanted,
                   float *rows)
{
    struct voice_model *model = self;
    if (frames * VOICE_FRAME > model->longest)
        model->longest = frames * VOICE_FRAME;
    write_rows(model, labels, frames, wanted, rows);
}

static void encode_chunk(void *self, const float *labels, int64_t frames, int64_t settled,
                         int64_t left, float *rows)
{
    struct voice_model *model = self;
    if (settled > frames || left > model->settled)
        abort();
    model->settled += settled;
    model->chunks++;
    encode(model, labels, frames, (struct acoustic_rows){0, frames}, rows);
}

static void cancel(void *self)
{
    struct voice_model *model = self;
    model->cancelled = true;
    if (model->gate)
        sem_post(model->gate);
}

struct acoustic voice_acoustic(struct voice_model *model)
{
    return (struct acoustic){
        .sample_rate = VOICE_RATE,
        .frame_samples = VOICE_FRAME,
        .receptive_field = VOICE_FIELD,
        .columns = VOICE_COLUMNS,
        .feature_columns = 1,
        .encoder = model->encoder ? model->encoder : UTTER_ENCODER_WINDOW,
        .latency = UTTER_LATENCY_NORMAL,
        .local = model->local,
        .self = model,
        .log_probs = log_probs,
        .begin = begin,
        .features = features,
        .encode = encode,
        .encode_chunk = encode_chunk,
        .cancel = cancel,
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

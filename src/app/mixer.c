/* SPDX-License-Identifier: MIT */
#include "app/mixer.h"
#include "app/fault.h"

#include <math.h>
#include <pthread.h>
#include <soxr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUFFER_SECONDS = 4,
    LAG_SECONDS = 1,           /* how long the mix waits for an input */
    BLOCK = 1024,              /* frames that are converted or passed on at once */
    OUTPUT_BLOCK = 16 * BLOCK, /* room for what they become at the mixer's rate */
    ABSENCES = 16,             /* of an input, while they matter; the oldest is forgotten */
    GAPS = 16,                 /* that wait to be asked for */
};

static const double NO_GAP = 0.05;    /* s: nobody would notice */
static const double PAUSE_EDGE = 0.5; /* s between two inputs' ends of a pause */

struct mixer;

/* Where an input has nothing. */
struct absence {
    int64_t begin;
    int64_t end;
    bool paused; /* the user wanted it */
    bool told;
};

/* Positions are the mix's unless they are said to be the input's. */
struct mixer_input {
    struct outlet outlet;
    struct mixer *mixer;
    struct source *source;
    soxr_t resampler; /* NULL: it has the mixer's rate */
    bool started;
    bool finished;
    bool paused;     /* since its last absence */
    int64_t own_end; /* the input's position after what came last */
    int64_t end;     /* of what came, where the mix has it */
    float *samples;  /* ring of `capacity`: position p at p % capacity; zero where nothing came */
    struct absence absences[ABSENCES]; /* before `end`, in order */
    int absence_count;
};

struct mixer {
    struct source source;
    struct mixer_input inputs[2];
    struct outlet *outlet;
    int64_t capacity;
    int64_t passed; /* end of what was passed on */
    struct source_gap gaps[GAPS];
    int gap_count;
    pthread_mutex_t lock;
    char name[256];
    float mono[BLOCK], converted[OUTPUT_BLOCK];
};

/* ---- what one input lacks ---- */

/* Until when the input has nothing from `at` on: `at` itself when it has something there. */
static int64_t absent_until(const struct mixer_input *input, int64_t at)
{
    for (int i = 0; i < input->absence_count; i++)
        if (input->absences[i].begin <= at && at < input->absences[i].end)
            return input->absences[i].end;
    return at < input->end ? at : INT64_MAX;
}

/* Where the input next comes or goes after `at`, `limit` at most. */
static int64_t next_change(const struct mixer_input *input, int64_t at, int64_t limit)
{
    int64_t next = input->end > at && input->end < limit ? input->end : limit;
    for (int i = 0; i < input->absence_count; i++) {
        const struct absence *absence = &input->absences[i];
        if (absence->begin > at && absence->begin < next)
            next = absence->begin;
        if (absence->end > at && absence->end < next)
            next = absence->end;
    }
    return next;
}

/* Tells of what the other input alone had. What both lack is the mix's own gap. */
static void tell_absence(struct mixer *mixer, int input, const struct absence *absence)
{
    const struct mixer_input *other = &mixer->inputs[!input];
    struct source_gap gap = {.input = input, .start = absence->end};
    for (int64_t at = absence->begin, next; at < absence->end; at = next) {
        next = next_change(other, at, absence->end);
        if (absent_until(other, at) > at)
            continue;
        gap.start = at < gap.start ? at : gap.start;
        gap.end = next;
        gap.lost += next - at;
    }
    double least = absence->paused ? PAUSE_EDGE : NO_GAP;
    if ((double)gap.lost >= least * mixer->source.sample_rate && mixer->gap_count < GAPS)
        mixer->gaps[mixer->gap_count++] = gap;
}

/* Once it is known what the other input had at that time. */
static void tell_absences(struct mixer *mixer)
{
    bool last = mixer->inputs[0].finished && mixer->inputs[1].finished;
    for (int i = 0; i < 2; i++) {
        struct mixer_input *input = &mixer->inputs[i];
        for (int j = 0; j < input->absence_count; j++) {
            struct absence *absence = &input->absences[j];
            if (absence->told || (absence->end > mixer->inputs[!i].end && !last))
                continue;
            absence->told = true;
            tell_absence(mixer, i, absence);
        }
    }
}

static void note_absence(struct mixer_input *input, int64_t begin, int64_t end)
{
    if (input->absence_count == ABSENCES)
        memmove(input->absences, input->absences + 1,
                (size_t)--input->absence_count * sizeof input->absences[0]);
    input->absences[input->absence_count++] =
        (struct absence){.begin = begin, .end = end, .paused = input->paused};
    input->paused = false;
}

static bool mixer_gap(struct source *source, struct source_gap *gap)
{
    struct mixer *mixer = (struct mixer *)source;
    pthread_mutex_lock(&mixer->lock);
    bool found = mixer->gap_count > 0;
    if (found) {
        *gap = mixer->gaps[0];
        memmove(mixer->gaps, mixer->gaps + 1, (size_t)--mixer->gap_count * sizeof *gap);
    }
    pthread_mutex_unlock(&mixer->lock);
    return found;
}

/* ---- the mix ---- */

/* The end of what is passed on in one piece; `*sound` is whether anybody has something there. */
static int64_t next_piece(const struct mixer *mixer, int64_t limit, bool *sound)
{
    int64_t at = mixer->passed;
    int64_t a = absent_until(&mixer->inputs[0], at), b = absent_until(&mixer->inputs[1], at);
    *sound = a == at || b == at;
    if (!*sound)
        return a < b && a < limit ? a : b < limit ? b : limit;
    return next_change(&mixer->inputs[1], at, next_change(&mixer->inputs[0], at, limit));
}

/* Passes on what both have, and what one has and the other will not have any more. What neither
   has is left out: the positions jump. */
static void pass(struct mixer *mixer)
{
    const struct mixer_input *a = &mixer->inputs[0], *b = &mixer->inputs[1];
    int64_t least = a->end < b->end ? a->end : b->end;
    int64_t most = a->end > b->end ? a->end : b->end;
    int64_t limit = most - LAG_SECONDS * (int64_t)mixer->source.sample_rate;
    bool last = a->finished && b->finished;
    limit = last ? most : least > limit ? least : limit;
    while (mixer->passed < limit) {
        bool sound;
        int64_t at = mixer->passed % mixer->capacity;
        int64_t count = next_piece(mixer, limit, &sound) - mixer->passed;
        if (!sound) {
            mixer->passed += count;
            continue;
        }
        count = count < mixer->capacity - at ? count : mixer->capacity - at;
        count = count < BLOCK ? count : BLOCK;
        for (int64_t i = 0; i < count; i++)
            mixer->mono[i] = a->samples[at + i] + b->samples[at + i];
        int64_t taken = mixer->outlet->push(mixer->outlet, mixer->mono, count, mixer->passed);
        if (taken <= 0)
            return;
        memset(a->samples + at, 0, (size_t)taken * sizeof(float));
        memset(b->samples + at, 0, (size_t)taken * sizeof(float));
        mixer->passed += taken;
    }
}

/* Lays frames of the mixer's rate behind what the input had. */
static void lay(struct mixer_input *input, const float *frames, int64_t count)
{
    struct mixer *mixer = input->mixer;
    for (int64_t i = 0; i < count; i++, input->end++)
        if (input->end >= mixer->passed)
            input->samples[input->end % mixer->capacity] = frames[i];
}

/* Where the input's first frame lies: by the clock, from where the first input began. */
static void start(struct mixer_input *input)
{
    struct mixer *mixer = input->mixer;
    int64_t origin = atomic_load(&input->source->origin_ns);
    int64_t first = atomic_load(&mixer->source.origin_ns);
    if (first == 0)
        atomic_store(&mixer->source.origin_ns, first = origin);
    input->end = llround(1e-9 * (double)(origin - first) * mixer->source.sample_rate);
    input->started = true;
}

/* The input jumped, or came too late for the mix. */
static void follow_position(struct mixer_input *input, int64_t position)
{
    struct mixer *mixer = input->mixer;
    if (!input->started)
        start(input);
    double ratio = (double)mixer->source.sample_rate / input->source->sample_rate;
    if (position > input->own_end) {
        int64_t begin = input->end;
        input->end += llround((double)(position - input->own_end) * ratio);
        note_absence(input, begin, input->end);
    }
    input->own_end = position;
    if (input->end < mixer->passed && input->end > 0)
        input->end = mixer->passed;
}

static bool has_room(const struct mixer_input *input)
{
    const struct mixer *mixer = input->mixer;
    return input->end + OUTPUT_BLOCK <= mixer->passed + mixer->capacity;
}

/* Takes up to BLOCK frames of the input's own rate and channels. */
static void take(struct mixer_input *input, const float *samples, int64_t count)
{
    struct mixer *mixer = input->mixer;
    int channels = input->source->channels;
    for (int64_t i = 0; i < count; i++) {
        float sum = 0;
        for (int c = 0; c < channels; c++)
            sum += samples[i * channels + c];
        mixer->mono[i] = sum / (float)channels;
    }
    input->own_end += count;
    if (input->resampler == NULL) {
        lay(input, mixer->mono, count);
        return;
    }
    size_t done = 0;
    soxr_process(input->resampler, mixer->mono, (size_t)count, NULL, mixer->converted, OUTPUT_BLOCK,
                 &done);
    lay(input, mixer->converted, (int64_t)done);
}

static int64_t push(struct outlet *outlet, const float *samples, int64_t count, int64_t position)
{
    struct mixer_input *input = (struct mixer_input *)outlet;
    struct mixer *mixer = input->mixer;
    int64_t taken = 0;
    pthread_mutex_lock(&mixer->lock);
    follow_position(input, position);
    pass(mixer);
    while (taken < count && has_room(input)) {
        int64_t part = count - taken < BLOCK ? count - taken : BLOCK;
        take(input, samples + taken * input->source->channels, part);
        taken += part;
        pass(mixer);
    }
    tell_absences(mixer);
    pthread_mutex_unlock(&mixer->lock);
    return taken;
}

/* One input's break is no reason to end what the other hears. */
static void flush(struct outlet *outlet)
{
    struct mixer_input *input = (struct mixer_input *)outlet;
    struct mixer *mixer = input->mixer;
    const struct mixer_input *other = &mixer->inputs[input == mixer->inputs];
    struct source_status status;
    source_status(other->source, &status);
    pthread_mutex_lock(&mixer->lock);
    if (status.state != SOURCE_LISTENING)
        mixer->outlet->flush(mixer->outlet);
    pthread_mutex_unlock(&mixer->lock);
}

static void finish(struct outlet *outlet, int64_t end)
{
    struct mixer_input *input = (struct mixer_input *)outlet;
    struct mixer *mixer = input->mixer;
    pthread_mutex_lock(&mixer->lock);
    if (input->started)
        follow_position(input, end);
    input->finished = true;
    pass(mixer);
    tell_absences(mixer);
    if (mixer->inputs[0].finished && mixer->inputs[1].finished) {
        int64_t a = mixer->inputs[0].end, b = mixer->inputs[1].end;
        int64_t last = a > b ? a : b;
        mixer->outlet->finish(mixer->outlet, last > mixer->passed ? last : mixer->passed);
    }
    pthread_mutex_unlock(&mixer->lock);
}

/* ---- the source ---- */

static bool mixer_start(struct source *source, struct outlet *outlet, struct utter_error *error)
{
    struct mixer *mixer = (struct mixer *)source;
    mixer->outlet = outlet;
    return source_start(mixer->inputs[0].source, &mixer->inputs[0].outlet, error) &&
           source_start(mixer->inputs[1].source, &mixer->inputs[1].outlet, error);
}

static void mixer_pause(struct source *source, bool paused)
{
    struct mixer *mixer = (struct mixer *)source;
    pthread_mutex_lock(&mixer->lock);
    for (int i = 0; i < 2; i++)
        mixer->inputs[i].paused |= paused;
    pthread_mutex_unlock(&mixer->lock);
    for (int i = 0; i < 2; i++)
        source_pause(mixer->inputs[i].source, paused);
}

/* One that is lost matters more than one that waits, and that more than one that listens. */
static void mixer_status(struct source *source, struct source_status *status)
{
    struct mixer *mixer = (struct mixer *)source;
    struct source_status first, second;
    source_status(mixer->inputs[0].source, &first);
    source_status(mixer->inputs[1].source, &second);
    *status = first;
    const struct source *lost = first.state == SOURCE_LOST    ? mixer->inputs[0].source
                                : second.state == SOURCE_LOST ? mixer->inputs[1].source
                                                              : NULL;
    if (lost != NULL) {
        const struct source_status *own = first.state == SOURCE_LOST ? &first : &second;
        *status = *own;
        snprintf(status->message, sizeof status->message, "%.100s: %.250s", lost->name,
                 own->message);
    } else if (second.state == SOURCE_WAITING) {
        *status = second;
    }
    status->moves = first.moves + second.moves;
    status->heard[0] = '\0';
    if (first.heard[0] != '\0' && second.heard[0] != '\0')
        snprintf(status->heard, sizeof status->heard, "%.95s + %.95s", first.heard, second.heard);
}

static void mixer_stop(struct source *source)
{
    struct mixer *mixer = (struct mixer *)source;
    for (int i = 0; i < 2; i++)
        source_stop(mixer->inputs[i].source);
}

static void mixer_close(struct source *source)
{
    struct mixer *mixer = (struct mixer *)source;
    mixer_stop(source);
    for (int i = 0; i < 2; i++)
        source_close(mixer->inputs[i].source);
    for (int i = 0; i < 2; i++) {
        soxr_delete(mixer->inputs[i].resampler);
        free(mixer->inputs[i].samples);
    }
    pthread_mutex_destroy(&mixer->lock);
    free(mixer);
}

static const struct source_kind MIXER = {mixer_start, mixer_pause, mixer_status,
                                         mixer_stop,  mixer_close, mixer_gap};

static bool open_input(struct mixer *mixer, struct mixer_input *input)
{
    const soxr_io_spec_t samples = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    int rate = input->source->sample_rate;
    input->mixer = mixer;
    input->outlet = (struct outlet){push, flush, finish};
    input->samples = calloc((size_t)mixer->capacity, sizeof *input->samples);
    if (rate != mixer->source.sample_rate)
        input->resampler =
            soxr_create(rate, mixer->source.sample_rate, 1, NULL, &samples, NULL, NULL);
    return input->samples != NULL &&
           (rate == mixer->source.sample_rate || input->resampler != NULL);
}

struct source *mixer_open(struct source *const inputs[2], int rate, struct utter_error *error)
{
    struct mixer *mixer = calloc(1, sizeof *mixer);
    if (mixer == NULL) {
        source_close(inputs[0]);
        source_close(inputs[1]);
        fault_memory(error);
        return NULL;
    }
    pthread_mutex_init(&mixer->lock, NULL);
    mixer->source.kind = &MIXER;
    mixer->source.sample_rate = rate;
    mixer->source.channels = 1;
    mixer->capacity = BUFFER_SECONDS * (int64_t)rate;
    snprintf(mixer->name, sizeof mixer->name, "%.120s + %.120s", inputs[0]->name, inputs[1]->name);
    mixer->source.name = mixer->name;
    mixer->inputs[0].source = inputs[0];
    mixer->inputs[1].source = inputs[1];
    if (open_input(mixer, &mixer->inputs[0]) && open_input(mixer, &mixer->inputs[1]))
        return &mixer->source;
    mixer_close(&mixer->source);
    fault_memory(error);
    return NULL;
}

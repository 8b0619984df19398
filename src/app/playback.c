/* SPDX-License-Identifier: MIT */
#include "app/playback.h"
#include "app/audio_file.h"
#include "app/fault.h"
#include "app/text.h"
#include "app/thread.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    BLOCKS_PER_SECOND = 50,
    BLOCK_SAMPLES = 192000 / BLOCKS_PER_SECOND + 1, /* the fastest files take smaller steps */
};

struct playback {
    struct source source;
    struct audio_file *file;
    struct outlet *outlet;
    pthread_t pump;
    bool pumping;
    atomic_bool pause;
    atomic_bool stop;
    atomic_bool finishing; /* somebody tells the recogniser that this is the end */
    atomic_bool done;      /* the pump has nothing more to do */
    pthread_mutex_t lock;  /* guards status */
    struct source_status status;
    int64_t position; /* samples read; the pump's */
    int64_t least;    /* samples of model_rate that the model must see */
    int model_rate;
    int speed;
    float block[BLOCK_SAMPLES];
};

static void tell(struct playback *p, enum source_state state, bool failed, const char *message)
{
    pthread_mutex_lock(&p->lock);
    p->status.state = state;
    p->status.failed = failed;
    text_copy(p->status.message, sizeof(p->status.message), message);
    pthread_mutex_unlock(&p->lock);
}

/* Until the clock shows `until`, or stop. */
static bool stopped_before(struct playback *p, const struct timespec *until)
{
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, until, NULL);
    return atomic_load_explicit(&p->stop, memory_order_relaxed);
}

static void advance(struct timespec *time, int64_t samples, int rate)
{
    int64_t ns = time->tv_nsec + samples * INT64_C(1000000000) / rate;
    time->tv_sec += ns / 1000000000;
    time->tv_nsec = ns % 1000000000;
}

/* Stands still while paused, or while the ring is full; the clock starts anew behind it. */
static void wait_a_block(struct timespec *due)
{
    clock_gettime(CLOCK_MONOTONIC, due);
    advance(due, 1, BLOCKS_PER_SECOND);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, due, NULL);
}

/* Pushes a block that has been heard by `due`; false when it is time to stop. */
static bool play_block(struct playback *p, int64_t count, struct timespec *due)
{
    advance(due, count, p->source.sample_rate * p->speed);
    if (stopped_before(p, due))
        return false;
    for (int64_t done = 0; done < count;) {
        int64_t taken = p->outlet->push(p->outlet, p->block + done, count - done, p->position);
        if (taken > 0) {
            done += taken;
            p->position += taken;
        } else {
            wait_a_block(due);
        }
        if (atomic_load_explicit(&p->stop, memory_order_relaxed))
            return false;
    }
    return true;
}

/* Returns false while paused. */
static bool follow_pause(struct playback *p, bool *paused, struct timespec *due)
{
    bool pause = atomic_load_explicit(&p->pause, memory_order_relaxed);
    if (pause != *paused) {
        tell(p, pause ? SOURCE_PAUSED : SOURCE_LISTENING, false, "");
        if (pause)
            p->outlet->flush(p->outlet);
    }
    *paused = pause;
    if (pause)
        wait_a_block(due);
    return !pause;
}

static void finish(struct playback *p)
{
    if (!atomic_exchange(&p->finishing, true))
        p->outlet->finish(p->outlet, p->position);
}

/* All has been read. What a file was cut short of is a gap at the end. */
static void end(struct playback *p)
{
    struct utter_error error = {UTTER_OK, ""};
    p->position += audio_file_missing(p->file);
    bool good = audio_file_long_enough(p->file, p->least, p->model_rate, &error) &&
                audio_file_complete(p->file, &error);
    tell(p, SOURCE_ENDED, !good, error.message);
}

static void *pump(void *user)
{
    struct playback *p = user;
    struct utter_error error;
    struct timespec due;
    bool paused = false;
    int64_t block = p->source.sample_rate / BLOCKS_PER_SECOND + 1;
    if (block > BLOCK_SAMPLES)
        block = BLOCK_SAMPLES;
    clock_gettime(CLOCK_MONOTONIC, &due);
    atomic_store(&p->source.origin_ns, due.tv_sec * INT64_C(1000000000) + due.tv_nsec);
    tell(p, SOURCE_LISTENING, false, "");
    while (!atomic_load_explicit(&p->stop, memory_order_relaxed)) {
        if (!follow_pause(p, &paused, &due))
            continue;
        int64_t count = audio_file_read(p->file, p->block, block, &error);
        if (atomic_load_explicit(&p->stop, memory_order_relaxed))
            break;
        if (count < 0)
            tell(p, SOURCE_ENDED, true, error.message);
        if (count == 0)
            end(p);
        if (count <= 0 || !play_block(p, count, &due))
            break;
    }
    if (p->status.state != SOURCE_ENDED)
        tell(p, SOURCE_ENDED, false, "");
    finish(p);
    atomic_store(&p->done, true);
    return NULL;
}

static bool playback_start(struct source *source, struct outlet *outlet, struct utter_error *error)
{
    struct playback *p = (struct playback *)source;
    p->outlet = outlet;
    int failure = thread_start(&p->pump, pump, p);
    if (failure != 0)
        return fault_set(error, UTTER_ERROR_SYSTEM, "a thread does not start: %s",
                         strerror(failure));
    p->pumping = true;
    return true;
}

static void playback_pause(struct source *source, bool paused)
{
    atomic_store(&((struct playback *)source)->pause, paused);
}

static void playback_status(struct source *source, struct source_status *status)
{
    struct playback *p = (struct playback *)source;
    pthread_mutex_lock(&p->lock);
    *status = p->status;
    pthread_mutex_unlock(&p->lock);
}

static bool ends_within(struct playback *p, int ms)
{
    const struct timespec nap = {.tv_nsec = 5000000};
    for (; ms > 0 && !atomic_load(&p->done); ms -= 5)
        nanosleep(&nap, NULL);
    return atomic_load(&p->done);
}

/* A pipe may keep the pump waiting for ever; once it wakes it will push nothing more. */
static void playback_stop(struct source *source)
{
    struct playback *p = (struct playback *)source;
    atomic_store(&p->stop, true);
    if (p->pumping && !ends_within(p, 500))
        finish(p);
}

static void playback_close(struct source *source)
{
    struct playback *p = (struct playback *)source;
    playback_stop(source);
    if (p->pumping && !atomic_load(&p->done)) {
        pthread_detach(p->pump); /* leaves everything to a pump that waits for a pipe */
        return;
    }
    if (p->pumping)
        pthread_join(p->pump, NULL);
    audio_file_close(p->file);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static const struct source_kind PLAYBACK = {playback_start, playback_pause, playback_status,
                                            playback_stop, playback_close};

struct source *playback_open(const char *path, int speed, const struct utter_model_info *model,
                             struct utter_error *error)
{
    struct playback *p = calloc(1, sizeof(*p));
    if (!p) {
        fault_memory(error);
        return NULL;
    }
    pthread_mutex_init(&p->lock, NULL);
    p->source.kind = &PLAYBACK;
    p->speed = speed;
    p->least = model->receptive_field;
    p->model_rate = model->sample_rate;
    p->source.channels = 1; /* audio_file averages them */
    p->file = audio_file_open(path, NULL, error);
    if (!p->file) {
        playback_close(&p->source);
        return NULL;
    }
    p->source.sample_rate = audio_file_rate(p->file);
    p->source.name = audio_file_name(p->file);
    const char *slash = strrchr(p->source.name, '/');
    p->source.short_name = slash != NULL ? slash + 1 : NULL;
    return &p->source;
}

/* SPDX-License-Identifier: MIT */
#include "app/microphone.h"
#include "app/capture_child.h"
#include "app/clock.h"
#include "app/fault.h"
#include "app/sample_clock.h"
#include "app/text.h"
#include "app/thread.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t OPEN_LIMIT_NS = 15000000000;  /* a sound system starts within this */
static const int64_t FIRST_LIMIT_NS = 10000000000; /* Bluetooth takes seconds to its first sample */
static const int64_t FIRST_BURST_NS = 200000000;   /* what it heard while it was being opened */
static const int64_t DEAD_NS = 1500000000;         /* no callback for so long: the input is dead */
static const int64_t MOVED_NS = 4000000000;        /* the same just after the server moved it */
static const int64_t LATE_NS = 500000000;          /* and this is told then */
static const int64_t RETRY_NS = 500000000, RETRY_LIMIT_NS = 2000000000;
static const char SILENT[] = "it opens, but no sound comes from it";
static const struct timespec PUMP_NAP = {.tv_nsec = 20000000};

struct microphone {
    struct source source;
    char device[256]; /* what to open: as asked for, later as PortAudio calls it */
    char *name;       /* the same, clean */
    int log;
    struct outlet *outlet;
    pthread_t pump;
    bool pumping;
    atomic_bool pause; /* wanted by the main thread */
    atomic_bool stop;

    /* From here on the pump's alone. */
    struct capture_child child;
    struct sample_clock clock;
    uint64_t chunk_seen;    /* chunks that the clock was shown */
    uint64_t chunk_free;    /* of these, chunks that it does not hold back */
    uint64_t chunk_passed;  /* of these, chunks that were pushed */
    uint64_t frames_passed; /* of the next chunk, frames that were pushed */
    int64_t position;       /* where the next frame is pushed */
    int64_t dropped_held;   /* frames that fell out of the child's ring before held chunks */
    bool paused;
    int64_t opened_ns;    /* when the child was started */
    int64_t running_ns;   /* when it had opened its input; 0: not yet */
    int64_t retry_ns;     /* when it is tried again */
    int64_t patience_ns;  /* how long that is put off the next time */
    bool restarting;      /* it is to hear another source, and has not yet */
    uint32_t heard_count; /* what of the child's was told */
    int64_t moved_ns;     /* when the server last moved its stream; 0: not yet */

    pthread_mutex_t lock; /* guards status */
    struct source_status status;
};

static void tell(struct microphone *m, enum source_state state, const char *message)
{
    if (m->status.state == state && strcmp(m->status.message, message) == 0)
        return; /* only the pump writes it */
    pthread_mutex_lock(&m->lock);
    m->status.state = state;
    char *clean = text_clean(message);
    text_copy(m->status.message, sizeof(m->status.message), clean ? clean : "");
    free(clean);
    pthread_mutex_unlock(&m->lock);
}

static void microphone_status(struct source *source, struct source_status *status)
{
    struct microphone *m = (struct microphone *)source;
    pthread_mutex_lock(&m->lock);
    *status = m->status;
    pthread_mutex_unlock(&m->lock);
}

/* ---- from the child's ring into the recogniser ---- */

/* Pushes the oldest chunk, or the rest of it; false when the recogniser's ring is full. */
static bool pass_chunk(struct microphone *m)
{
    struct capture_shared *shared = m->child.shared;
    const struct capture_chunk *chunk = &shared->chunks[m->chunk_passed % CAPTURE_RING_CHUNKS];
    uint64_t capacity = capture_capacity(shared);
    uint64_t begin = atomic_load_explicit(&shared->frames_read, memory_order_relaxed);
    uint64_t end = begin + chunk->frames;
    for (uint64_t frame = begin + m->frames_passed; frame < end; frame = begin + m->frames_passed) {
        uint64_t at = frame % capacity;
        uint64_t count = end - frame < capacity - at ? end - frame : capacity - at;
        const float *samples = shared->samples + at * (uint64_t)m->source.channels;
        int64_t taken = m->outlet->push(m->outlet, samples, (int64_t)count, m->position);
        if (taken <= 0)
            return false;
        m->frames_passed += (uint64_t)taken;
        m->position += taken;
    }
    m->frames_passed = 0;
    m->chunk_passed++;
    atomic_store_explicit(&shared->frames_read, end, memory_order_release);
    atomic_store_explicit(&shared->chunks_read, m->chunk_passed, memory_order_release);
    return true;
}

/* What the clock held back may go on, behind a gap of `lost` frames. */
static void free_chunks(struct microphone *m, int64_t lost)
{
    m->position += lost + m->dropped_held;
    m->dropped_held = 0;
    m->chunk_free = m->chunk_seen;
    atomic_store_explicit(&m->source.origin_ns, m->clock.origin_ns, memory_order_release);
}

/* Shows the clock every chunk once and pushes those that it lets pass. */
static void pass_audio(struct microphone *m)
{
    struct capture_shared *shared = m->child.shared;
    uint64_t written = atomic_load_explicit(&shared->chunks_written, memory_order_acquire);
    while (m->chunk_seen < written || m->chunk_passed < m->chunk_free) {
        while (m->chunk_passed < m->chunk_free)
            if (!pass_chunk(m))
                return;
        if (m->chunk_seen == written)
            return;
        const struct capture_chunk *chunk = &shared->chunks[m->chunk_seen++ % CAPTURE_RING_CHUNKS];
        int64_t lost;
        sample_clock_lost(&m->clock, chunk->dropped);
        m->dropped_held += chunk->dropped;
        if (sample_clock_arrived(&m->clock, chunk->frames, chunk->arrival_ns, &lost))
            free_chunks(m, lost);
    }
}

/* ---- watching over the child ---- */

/* Lets go of what the clock holds back: the audio stops here for a while. */
static void break_audio(struct microphone *m)
{
    pass_audio(m);
    free_chunks(m, sample_clock_break(&m->clock));
    pass_audio(m);
    m->outlet->flush(m->outlet);
}

/* The next attempt, later each time: a sound server that is gone may stay away for long. */
static void put_off(struct microphone *m)
{
    m->retry_ns = now_ns() + m->patience_ns;
    m->patience_ns = m->patience_ns < RETRY_LIMIT_NS ? 2 * m->patience_ns : RETRY_LIMIT_NS;
}

/* Gives the input up; what was heard is flushed. */
static void give_up(struct microphone *m, enum source_state state, const char *message)
{
    break_audio(m);
    m->position = m->clock.position; /* past what did not fit into the recogniser's ring */
    tell(m, state, message);         /* which may lie in the child's mapping */
    capture_child_kill(&m->child);
    m->chunk_seen = m->chunk_free = m->chunk_passed = m->frames_passed = 0;
    m->heard_count = 0;
    m->moved_ns = 0;
}

/* It is tried again soon. */
static void lose(struct microphone *m, const char *message)
{
    give_up(m, SOURCE_LOST, message);
    m->restarting = false;
    put_off(m);
}

/* What was asked for is another source now: it is opened at once. */
static void restart(struct microphone *m)
{
    give_up(m, m->paused ? SOURCE_PAUSED : SOURCE_WAITING, "");
    m->restarting = true;
    m->retry_ns = 0;
}

static void reopen(struct microphone *m)
{
    struct utter_error error;
    if (now_ns() < m->retry_ns)
        return;
    m->opened_ns = now_ns();
    m->running_ns = 0;
    if (!capture_child_start(&m->child, m->device, m->source.sample_rate, m->log, &error)) {
        put_off(m);
        tell(m, SOURCE_LOST, error.message);
        return;
    }
    atomic_store(&m->child.shared->paused, m->paused);
}

/* Tells where the sound comes from, once that is not what it was. */
static void follow_heard(struct microphone *m)
{
    const struct capture_shared *shared = m->child.shared;
    uint32_t count = atomic_load_explicit(&shared->heard_count, memory_order_acquire);
    if (count == m->heard_count)
        return;
    bool first = m->heard_count == 0;
    char *heard = text_clean(shared->heard[(count - 1) % CAPTURE_HEARD]);
    m->heard_count = count;
    if (!first)
        m->moved_ns = now_ns();
    pthread_mutex_lock(&m->lock);
    bool known = m->status.heard[0] != '\0';
    bool other = heard && strcmp(heard, m->status.heard) != 0;
    text_copy(m->status.heard, sizeof(m->status.heard), heard ? heard : "");
    m->status.moves += known && (!first || other);
    pthread_mutex_unlock(&m->lock);
    free(heard);
}

/* The child's input is open: passes its audio on and looks after its heart. */
static void pump_open(struct microphone *m)
{
    struct capture_shared *shared = m->child.shared;
    if (shared->sample_rate != m->source.sample_rate || shared->channels != m->source.channels) {
        lose(m, "it came back with another rate or number of channels");
        return;
    }
    if (m->running_ns == 0)
        m->running_ns = now_ns();
    pass_audio(m);
    follow_heard(m);
    int64_t beat = atomic_load_explicit(&shared->heartbeat_ns, memory_order_relaxed);
    int64_t now = now_ns();
    bool moved = m->moved_ns > 0 && now - m->moved_ns < MOVED_NS;
    if (!capture_child_alive(&m->child))
        lose(m, "its recording ended");
    else if (beat == 0 && now - m->running_ns > FIRST_LIMIT_NS)
        lose(m, SILENT);
    else if (beat > 0 && now - beat > (moved ? MOVED_NS : DEAD_NS))
        lose(m, "no sound comes from it any more");
    else if (m->paused && beat > 0)
        tell(m, SOURCE_PAUSED, "");
    else if (moved && now - beat > LATE_NS)
        tell(m, SOURCE_WAITING, "");
    else if (!m->paused && m->chunk_free > 0) {
        tell(m, SOURCE_LISTENING, "");
        m->restarting = false;
        m->patience_ns = RETRY_NS;
    }
}

static void pump_child(struct microphone *m)
{
    if (!m->child.shared) {
        reopen(m);
        return;
    }
    switch (atomic_load_explicit(&m->child.shared->state, memory_order_acquire)) {
    case CAPTURE_OPEN:
        pump_open(m);
        break;
    case CAPTURE_MOVED:
        restart(m);
        break;
    case CAPTURE_STARTING:
        if (now_ns() - m->opened_ns > OPEN_LIMIT_NS)
            lose(m, "the sound system does not answer");
        else if (!capture_child_alive(&m->child))
            lose(m, "its recording does not start");
        break;
    default:
        lose(m, m->child.shared->message);
    }
}

static void pump_pause(struct microphone *m)
{
    bool pause = atomic_load_explicit(&m->pause, memory_order_relaxed);
    if (pause == m->paused)
        return;
    m->paused = pause;
    if (m->child.shared)
        atomic_store(&m->child.shared->paused, pause);
    if (pause && m->child.shared)
        break_audio(m);
    else if (m->status.state == SOURCE_PAUSED)
        tell(m, SOURCE_WAITING, "");
}

static void *pump(void *user)
{
    struct microphone *m = user;
    while (!atomic_load_explicit(&m->stop, memory_order_relaxed)) {
        pump_pause(m);
        pump_child(m);
        nanosleep(&PUMP_NAP, NULL);
    }
    int state = m->child.shared ? atomic_load(&m->child.shared->state) : CAPTURE_STARTING;
    if (state == CAPTURE_OPEN || state == CAPTURE_MOVED)
        break_audio(m);
    int64_t end = m->clock.position;
    if (m->status.state == SOURCE_LOST || (m->restarting && m->status.state == SOURCE_WAITING))
        end = sample_clock_at(&m->clock, now_ns());
    m->outlet->finish(m->outlet, end);
    capture_child_stop(&m->child);
    return NULL;
}

/* ---- the source ---- */

static bool microphone_start(struct source *source, struct outlet *outlet,
                             struct utter_error *error)
{
    struct microphone *m = (struct microphone *)source;
    m->outlet = outlet;
    int failure = thread_start(&m->pump, pump, m);
    if (failure != 0)
        return fault_set(error, UTTER_ERROR_SYSTEM, "a thread does not start: %s",
                         strerror(failure));
    m->pumping = true;
    return true;
}

static void microphone_pause(struct source *source, bool paused)
{
    atomic_store(&((struct microphone *)source)->pause, paused);
}

static void microphone_stop(struct source *source)
{
    atomic_store(&((struct microphone *)source)->stop, true);
}

static void microphone_close(struct source *source)
{
    struct microphone *m = (struct microphone *)source;
    microphone_stop(source);
    if (m->pumping)
        pthread_join(m->pump, NULL);
    capture_child_stop(&m->child);
    pthread_mutex_destroy(&m->lock);
    free(m->name);
    free(m);
}

static const struct source_kind MICROPHONE = {microphone_start, microphone_pause, microphone_status,
                                              microphone_stop, microphone_close};

/* Waits until the child has its input, or says why not. */
static bool await_open(struct microphone *m, const atomic_bool *cancelled,
                       struct utter_error *error)
{
    struct capture_shared *shared = m->child.shared;
    for (;;) {
        bool alive = capture_child_alive(&m->child); /* before the state: it may exit just now */
        int state = atomic_load_explicit(&shared->state, memory_order_acquire);
        if (state == CAPTURE_OPEN)
            return true;
        if (state != CAPTURE_STARTING)
            return fault_set(error, UTTER_ERROR_SYSTEM, "%s", shared->message);
        if (cancelled && atomic_load(cancelled))
            return fault_set(error, UTTER_ERROR_CANCELLED, "it is not wanted any more");
        if (!alive)
            return fault_set(error, UTTER_ERROR_SYSTEM, "the capture process ended early");
        if (now_ns() - m->opened_ns > OPEN_LIMIT_NS)
            return fault_set(error, UTTER_ERROR_SYSTEM, "the sound system does not answer");
        nanosleep(&PUMP_NAP, NULL);
    }
}

/* Waits until an input that is opened beside another one delivers: that one is heard until then. */
static bool await_sound(struct microphone *m, const atomic_bool *cancelled,
                        struct utter_error *error)
{
    int64_t begin = now_ns(), first = 0;
    while (first == 0 || now_ns() - first < FIRST_BURST_NS) {
        if (first == 0 && atomic_load(&m->child.shared->heartbeat_ns) != 0)
            first = now_ns();
        if (cancelled && atomic_load(cancelled))
            return fault_set(error, UTTER_ERROR_CANCELLED, "it is not wanted any more");
        if (!capture_child_alive(&m->child))
            return fault_set(error, UTTER_ERROR_SYSTEM, "the capture process ended early");
        if (first == 0 && now_ns() - begin > FIRST_LIMIT_NS)
            return fault_set(error, UTTER_ERROR_SYSTEM, "%s", SILENT);
        nanosleep(&PUMP_NAP, NULL);
    }
    return true;
}

struct source *microphone_open(const struct microphone_options *options, struct utter_error *error)
{
    struct microphone *m = calloc(1, sizeof(*m));
    if (!m) {
        fault_memory(error);
        return NULL;
    }
    m->source.kind = &MICROPHONE;
    m->log = options->log;
    pthread_mutex_init(&m->lock, NULL);
    snprintf(m->device, sizeof(m->device), "%s", options->device ? options->device : "");
    m->patience_ns = RETRY_NS;
    m->opened_ns = now_ns();
    m->paused = options->paused;
    atomic_store(&m->pause, options->paused);
    if (!capture_child_start(&m->child, m->device, options->rate, m->log, error))
        goto fail;
    atomic_store(&m->child.shared->paused, options->paused);
    if (!await_open(m, options->cancelled, error) ||
        (options->paused && !await_sound(m, options->cancelled, error)))
        goto fail;

    const struct capture_shared *shared = m->child.shared;
    m->source.sample_rate = shared->sample_rate;
    m->source.channels = shared->channels;
    if (m->device[0]) /* numbers change when devices come and go */
        snprintf(m->device, sizeof(m->device), "%s", shared->device);
    m->name = text_clean(shared->title);
    if (!m->name) {
        fault_memory(error);
        goto fail;
    }
    m->source.name = m->name;
    m->source.device = m->device;
    sample_clock_start(&m->clock, shared->sample_rate);
    return &m->source;
fail:
    microphone_close(&m->source);
    return NULL;
}

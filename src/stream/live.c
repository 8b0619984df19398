/* SPDX-License-Identifier: MIT */
/* The producer fills a ring and its marks, the worker feeds a stream from them, the consumer reads
 * the queue of events. Only the worker touches the stream; it hands utterances that have ended to
 * the thread of FINALs. */
#include "stream/live.h"
#include "base/error.h"
#include "base/ring.h"
#include "stream/marks.h"
#include "stream/meter.h"
#include "stream/model.h"
#include "stream/options.h"
#include "stream/queue.h"
#include "stream/stream.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    RING_MS = 120000,
    POLL_MS = 10,          /* how long the worker sleeps when there is nothing to do */
    SPAN_MS = 100,         /* audio that is fed at once: a close waits no longer than for it */
    LOAD_MS = 2000,        /* the load is a mean over about so much audio */
    QUEUE_BYTES = 1 << 20, /* at least */
    QUEUE_EVENTS = 8,      /* of the largest kind, at least */
};

struct utter_live {
    struct utter_stream *stream; /* the worker's */
    struct finals *finals;
    struct ring *ring;
    struct marks marks;
    struct queue *queue;
    int rate; /* Hz, of the caller */
    int channels;
    pthread_t worker;
    bool started;

    /* the producer's */
    int64_t expected; /* position after the last sample that fitted */
    bool owes_flush;  /* a flush that found no room among the marks */
    struct meter meter;

    /* the worker's */
    int64_t position; /* of the ring's next item */
    double busy;      /* seconds of computing since `load` was last brought up to date */
    int64_t heard;    /* samples since then */

    /* shared */
    _Atomic int64_t end; /* finish: where the audio ended; valid once `finished` */
    atomic_bool finished;
    atomic_bool stop;
    _Atomic int64_t pushed;
    _Atomic int64_t decoded;
    _Atomic int64_t lost;
    _Atomic float load;
    _Atomic float latency_ms;
    atomic_bool speech;
    atomic_int rung; /* enum ladder_rung; the worker's to change */
};

/* ---- producer -------------------------------------------------------------------------------- */

/* A mark before the next item; false when there is no room for one. */
static bool mark(struct utter_live *live, enum mark_kind kind, int64_t position)
{
    const struct mark mark = {
        .kind = kind,
        .item = ring_written(live->ring),
        .position = position,
    };
    return marks_write(&live->marks, &mark);
}

static bool pay_flush(struct utter_live *live)
{
    if (live->owes_flush && mark(live, MARK_FLUSH, 0))
        live->owes_flush = false;
    return !live->owes_flush;
}

int64_t utter_live_push(struct utter_live *live, const float *samples, int64_t count,
                        int64_t position)
{
    if (!live || !samples || count <= 0 || position < live->expected ||
        position > INPUT_SAMPLES_MOST)
        return 0;
    meter_push(&live->meter, samples, count * live->channels);
    /* Without its mark audio would be heard at a wrong position: rather lose it, visibly. */
    if (!pay_flush(live) || (position > live->expected && !mark(live, MARK_JUMP, position)))
        return 0;
    int64_t taken = ring_write(live->ring, samples, count);
    live->expected = position + taken;
    atomic_store_explicit(&live->pushed, position + count, memory_order_relaxed);
    return taken;
}

void utter_live_flush(struct utter_live *live)
{
    if (!live)
        return;
    live->owes_flush = true;
    pay_flush(live);
}

void utter_live_finish(struct utter_live *live, int64_t end)
{
    if (!live)
        return;
    atomic_store_explicit(&live->end, end, memory_order_relaxed);
    atomic_store_explicit(&live->finished, true, memory_order_release);
}

/* ---- worker ---------------------------------------------------------------------------------- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static bool stopped(struct utter_live *live)
{
    return atomic_load_explicit(&live->stop, memory_order_relaxed);
}

static int64_t waiting(const struct utter_live *live)
{
    return ring_written(live->ring) - ring_consumed(live->ring);
}

static void note_event(struct utter_live *live, const struct utter_event *event)
{
    int64_t pushed = atomic_load_explicit(&live->pushed, memory_order_relaxed);
    switch (event->type) {
    case UTTER_EVENT_DRAFT:
    case UTTER_EVENT_COMMIT:
        atomic_store_explicit(&live->latency_ms,
                              (float)(pushed - stream_seen(live->stream)) * 1000.0f /
                                  (float)live->rate,
                              memory_order_relaxed);
        break;
    case UTTER_EVENT_GAP:
        atomic_fetch_add_explicit(&live->lost, event->lost, memory_order_relaxed);
        break;
    case UTTER_EVENT_STATE:
        atomic_store_explicit(&live->speech, event->state == UTTER_STATE_SPEECH,
                              memory_order_relaxed);
        break;
    case UTTER_EVENT_FINAL:
        break;
    }
}

/* Hands on all events that the stream has; false when the worker is to stop. */
static bool drain(struct utter_live *live)
{
    for (;;) {
        double begin = now();
        const struct utter_event *event = utter_stream_next(live->stream);
        live->busy += now() - begin;
        if (!event)
            return !stopped(live);
        note_event(live, event);
        /* What was said before a gap is told before it. */
        if (event->type == UTTER_EVENT_GAP && !finals_settle(live->finals))
            return false;
        if (!queue_write(live->queue, event) || stopped(live))
            return false;
    }
}

static bool report_state(struct utter_live *live, enum utter_state state, const char *text)
{
    const struct utter_event event = {
        .type = UTTER_EVENT_STATE,
        .state = state,
        .start = live->position,
        .end = live->position,
        .text = text,
        .rung = atomic_load_explicit(&live->rung, memory_order_relaxed),
    };
    return queue_write(live->queue, &event);
}

static bool fail(struct utter_live *live, const struct utter_error *error)
{
    report_state(live, UTTER_STATE_FAILED, error->message);
    return false;
}

/* Feeds `count` items, which may be none, at `position`. */
static bool feed(struct utter_live *live, const float *items, int64_t count, int64_t position)
{
    struct utter_error error;
    do {
        double begin = now();
        int64_t taken = utter_stream_feed(live->stream, items, count, position, &error);
        live->busy += now() - begin;
        if (taken < 0)
            return fail(live, &error);
        items = count > 0 ? items + taken * live->channels : NULL;
        count -= taken;
        position += taken;
        live->heard += taken;
        if (!drain(live))
            return false;
    } while (count > 0);
    return true;
}

static bool flush(struct utter_live *live)
{
    struct utter_error error;
    if (utter_stream_flush(live->stream, &error))
        return fail(live, &error);
    return drain(live);
}

/* Does without more while audio piles up in the ring, and says so. */
static bool watch_backlog(struct utter_live *live)
{
    int64_t waiting_ms = waiting(live) * 1000 / live->rate;
    int before = atomic_load_explicit(&live->rung, memory_order_relaxed);
    enum ladder_rung rung = ladder_step((enum ladder_rung)before, waiting_ms);
    if ((int)rung == before)
        return true;
    atomic_store_explicit(&live->rung, (int)rung, memory_order_relaxed);
    stream_set_rung(live->stream, rung);
    return report_state(live, rung == LADDER_IN_TIME ? UTTER_STATE_CAUGHT_UP : UTTER_STATE_BEHIND,
                        "");
}

static void update_load(struct utter_live *live)
{
    double audio = (double)live->heard / live->rate;
    if (audio < 0.2)
        return;
    float old = atomic_load_explicit(&live->load, memory_order_relaxed);
    float weight = fminf(1.0f, (float)(audio * 1000.0 / LOAD_MS));
    float lately = (float)(live->busy / audio);
    atomic_store_explicit(&live->load, old + weight * (lately - old), memory_order_relaxed);
    live->busy = 0.0;
    live->heard = 0;
}

/* Deals with the mark at the ring's next item, if there is one. */
static bool pass_marks(struct utter_live *live, struct mark *next, bool *more)
{
    while ((*more = marks_peek(&live->marks, next)) && next->item == ring_consumed(live->ring)) {
        marks_consume(&live->marks);
        if (next->kind == MARK_FLUSH) {
            if (!flush(live))
                return false;
        } else {
            live->position = next->position;
            if (!feed(live, NULL, 0, live->position))
                return false;
        }
    }
    return true;
}

/* What is in the ring up to the next mark, SPAN_MS at most; false when the worker is to end. */
static bool take_span(struct utter_live *live, bool *idle)
{
    struct mark next;
    const float *items;
    bool marked;
    int64_t count = ring_peek(live->ring, &items);
    if (!pass_marks(live, &next, &marked))
        return false;
    int64_t until = marked ? next.item - ring_consumed(live->ring) : count;
    int64_t span = (int64_t)live->rate * SPAN_MS / 1000;
    if (count > until)
        count = until;
    if (count > span)
        count = span;
    *idle = count == 0;
    if (count == 0)
        return true;
    bool fed = feed(live, items, count, live->position);
    ring_consume(live->ring, count);
    live->position += count;
    atomic_store_explicit(&live->decoded, live->position, memory_order_relaxed);
    return fed;
}

static void finish(struct utter_live *live)
{
    int64_t end = atomic_load_explicit(&live->end, memory_order_relaxed);
    if (end > live->position && !feed(live, NULL, 0, end))
        return;
    if (flush(live) && end > live->position)
        atomic_store_explicit(&live->decoded, end, memory_order_relaxed);
}

static void *work(void *argument)
{
    struct utter_live *live = argument;
    const struct timespec nap = {.tv_nsec = POLL_MS * 1000000L};
    bool going = true;
    while (going && !stopped(live)) {
        bool idle;
        /* Read before the ring: whatever was pushed before the finish is then seen. */
        bool finished = atomic_load_explicit(&live->finished, memory_order_acquire);
        going = take_span(live, &idle) && watch_backlog(live);
        update_load(live);
        if (going && idle && finished) {
            finish(live);
            break;
        }
        if (going && idle && !stream_prepare(live->stream))
            nanosleep(&nap, NULL);
    }
    finals_settle(live->finals);
    queue_finish(live->queue);
    return NULL;
}

/* ---- opening and closing --------------------------------------------------------------------- */

/* The host's signals are not for the worker. */
static enum utter_code start_worker(struct utter_live *live, struct utter_error *error)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&live->worker, NULL, work, live);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code)
        return error_set(error, UTTER_ERROR_SYSTEM, "cannot start the worker thread: %s",
                         strerror(code));
    live->started = true;
    return UTTER_OK;
}

struct utter_live *live_open(struct utter_stream *stream, struct finals *finals, int ring_ms,
                             struct utter_error *error)
{
    struct utter_live *live = calloc(1, sizeof *live);
    if (!live) {
        utter_stream_close(stream);
        finals_close(finals);
        error_memory(error, "the live stream");
        return NULL;
    }
    live->stream = stream;
    live->finals = finals;
    live->rate = stream->options.sample_rate;
    live->channels = stream->options.channels;
    meter_init(&live->meter, live->rate * live->channels);
    live->ring = ring_open((int64_t)ring_ms * live->rate / 1000, live->channels, error);
    size_t bytes = QUEUE_EVENTS * finals_event_bytes_max(finals);
    if (live->ring)
        live->queue = queue_open(bytes > QUEUE_BYTES ? bytes : QUEUE_BYTES, error);
    if (!live->queue || finals_start(finals, live->queue, error) || start_worker(live, error)) {
        utter_live_close(live);
        return NULL;
    }
    return live;
}

struct utter_live *utter_live_open(struct utter_model *model,
                                   const struct utter_stream_options *stream_options,
                                   const struct utter_live_options *given,
                                   struct utter_error *error)
{
    struct utter_live_options options = {0};
    const struct option_range range = {"ring_ms", &options.ring_ms, RING_MS, 100, 3600000};
    if (options_read(&options, sizeof options, given, "utter_live_options", error) ||
        options_check(&range, 1, error))
        return NULL;
    if (!model) {
        error_set(error, UTTER_ERROR_ARGUMENT, "utter_live_open: model is NULL");
        return NULL;
    }
    struct finals *finals;
    struct utter_stream *stream = stream_open_live(model, stream_options, &finals, error);
    return stream ? live_open(stream, finals, options.ring_ms, error) : NULL;
}

void utter_live_close(struct utter_live *live)
{
    if (!live)
        return;
    atomic_store_explicit(&live->stop, true, memory_order_relaxed);
    if (live->queue)
        queue_stop(live->queue);
    finals_stop(live->finals);
    if (live->started)
        pthread_join(live->worker, NULL);
    finals_close(live->finals);
    queue_close(live->queue);
    ring_close(live->ring);
    utter_stream_close(live->stream);
    free(live);
}

/* ---- consumer, and anybody ------------------------------------------------------------------- */

const struct utter_event *utter_live_next(struct utter_live *live)
{
    return live ? queue_read(live->queue) : NULL;
}

enum utter_wait utter_live_wait(struct utter_live *live, int timeout_ms)
{
    return live ? queue_wait(live->queue, timeout_ms) : UTTER_WAIT_DONE;
}

int utter_live_descriptor(const struct utter_live *live)
{
    return live ? queue_descriptor(live->queue) : -1;
}

void utter_live_status(const struct utter_live *live, struct utter_live_status *status)
{
    struct utter_live_status now_known = UTTER_LIVE_STATUS_INIT;
    size_t size;
    if (!status || (size = status->size) < sizeof size)
        return;
    if (live) {
        now_known.pushed = atomic_load_explicit(&live->pushed, memory_order_relaxed);
        now_known.decoded = atomic_load_explicit(&live->decoded, memory_order_relaxed);
        now_known.lost = atomic_load_explicit(&live->lost, memory_order_relaxed);
        now_known.level_dbfs = meter_level_dbfs(&live->meter);
        now_known.peak_dbfs = meter_peak_dbfs(&live->meter);
        now_known.load = atomic_load_explicit(&live->load, memory_order_relaxed);
        now_known.latency_ms = atomic_load_explicit(&live->latency_ms, memory_order_relaxed);
        now_known.speech = atomic_load_explicit(&live->speech, memory_order_relaxed);
        now_known.rung = atomic_load_explicit(&live->rung, memory_order_relaxed);
        now_known.behind = now_known.rung > 0;
    }
    memcpy(status, &now_known, size < sizeof now_known ? size : sizeof now_known);
    status->size = size;
}

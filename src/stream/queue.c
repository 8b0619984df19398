/* SPDX-License-Identifier: MIT */
#include "stream/queue.h"

#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* A record lies in one piece in the ring; what is left at the ring's end is skipped. */
struct record {
    size_t bytes; /* with this header, a multiple of RECORD_ALIGN */
    bool skip;    /* padding, or a draft that has a successor */
    struct utter_event event;
    /* words and text follow */
};

enum { RECORD_ALIGN = _Alignof(max_align_t) };

struct queue {
    pthread_mutex_t mutex; /* guards all that follows */
    pthread_cond_t room;
    int descriptor;       /* eventfd: see show_readable() */
    size_t capacity;      /* multiple of RECORD_ALIGN */
    char *data;           /* [capacity] */
    uint64_t written;     /* bytes, never wrap */
    uint64_t consumed;    /* bytes; the record that the reader holds is not consumed yet */
    uint64_t next;        /* the reader's next record */
    struct record *draft; /* the last unread draft */
    uint64_t draft_at;
    size_t unread; /* events */
    bool finished;
    bool stopped;
};

static size_t aligned(size_t bytes)
{
    return (bytes + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

struct queue *queue_open(size_t bytes, struct utter_error *error)
{
    struct queue *queue = calloc(1, sizeof *queue);
    if (!queue) {
        error_memory(error, "the queue of events");
        return NULL;
    }
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_cond_init(&queue->room, NULL);
    queue->capacity = aligned(bytes);
    queue->data = malloc(queue->capacity);
    queue->descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (queue->data && queue->descriptor >= 0)
        return queue;
    if (queue->data)
        error_set(error, UTTER_ERROR_SYSTEM, "no descriptor for events: %s", strerror(errno));
    else
        error_memory(error, "the queue of events");
    queue_close(queue);
    return NULL;
}

void queue_close(struct queue *queue)
{
    if (!queue)
        return;
    if (queue->descriptor >= 0)
        close(queue->descriptor);
    pthread_cond_destroy(&queue->room);
    pthread_mutex_destroy(&queue->mutex);
    free(queue->data);
    free(queue);
}

/* ---- records --------------------------------------------------------------------------------- */

static struct record *record_at(const struct queue *queue, uint64_t at)
{
    return (struct record *)(queue->data + at % queue->capacity);
}

size_t queue_event_bytes(const struct utter_event *event)
{
    size_t bytes = sizeof(struct record) + event->word_count * sizeof *event->words;
    for (size_t i = 0; i < event->word_count; i++)
        bytes += strlen(event->words[i].text) + 1;
    return aligned(bytes + strlen(event->text) + 1);
}

static const char *copy_text(char **at, const char *text)
{
    char *copy = *at;
    size_t bytes = strlen(text) + 1;
    memcpy(copy, text, bytes);
    *at += bytes;
    return copy;
}

static void fill_record(struct record *record, const struct utter_event *event)
{
    struct utter_word *words = (struct utter_word *)(record + 1);
    char *at = (char *)(words + event->word_count);
    record->event = *event;
    record->event.words = event->word_count ? words : NULL;
    for (size_t i = 0; i < event->word_count; i++) {
        words[i] = event->words[i];
        words[i].text = copy_text(&at, event->words[i].text);
    }
    record->event.text = copy_text(&at, event->text);
}

/* Where `bytes` in one piece would begin; false when there is no room now. */
static bool find_room(const struct queue *queue, size_t bytes, uint64_t *at)
{
    size_t left = queue->capacity - queue->written % queue->capacity;
    *at = queue->written + (bytes > left ? left : 0);
    return *at + bytes - queue->consumed <= queue->capacity;
}

/* ---- the worker's side ----------------------------------------------------------------------- */

/* Once the mutex is free again. The reader wakes up at once and may take the processor: if a thread
 * of low priority held the mutex then, the reader would wait for it to get one. So the reader may
 * have read what this is about, and finds nothing: whoever finds nothing makes it unreadable. */
static void show_readable(struct queue *queue)
{
    uint64_t one = 1;
    ssize_t ignored = write(queue->descriptor, &one, sizeof one);
    (void)ignored; /* fails only when it is readable beyond measure */
}

/* The unread draft gives way to one of its own utterance: an utterance's last draft, which may take
 * words away, is not the next one's to replace. Its room comes back at once when nothing was
 * written after it. */
static void drop_draft(struct queue *queue, uint64_t utterance)
{
    if (!queue->draft || queue->draft->event.utterance != utterance)
        return;
    if (queue->draft_at + queue->draft->bytes == queue->written)
        queue->written = queue->draft_at;
    else
        queue->draft->skip = true;
    queue->draft = NULL;
    queue->unread--;
}

static void append(struct queue *queue, const struct utter_event *event, size_t bytes, uint64_t at)
{
    if (at > queue->written) {
        size_t padding = (size_t)(at - queue->written);
        /* Padding shorter than a header is known by its place: see skip_records(). */
        if (padding >= sizeof(struct record)) {
            struct record *record = record_at(queue, queue->written);
            record->bytes = padding;
            record->skip = true;
        }
    }
    struct record *record = record_at(queue, at);
    record->bytes = bytes;
    record->skip = false;
    fill_record(record, event);
    if (event->type == UTTER_EVENT_DRAFT) {
        queue->draft = record;
        queue->draft_at = at;
    }
    queue->written = at + bytes;
    queue->unread++;
}

bool queue_write(struct queue *queue, const struct utter_event *event)
{
    uint64_t at = 0;
    size_t bytes = queue_event_bytes(event);
    assert(bytes <= queue->capacity / 3);
    pthread_mutex_lock(&queue->mutex);
    if (event->type == UTTER_EVENT_DRAFT)
        drop_draft(queue, event->utterance);
    while (!queue->stopped && !find_room(queue, bytes, &at))
        pthread_cond_wait(&queue->room, &queue->mutex);
    bool stopped = queue->stopped;
    if (!stopped)
        append(queue, event, bytes, at);
    pthread_mutex_unlock(&queue->mutex);
    if (!stopped) /* each: another thread that wrote before may be long in coming to this line */
        show_readable(queue);
    return !stopped;
}

void queue_finish(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->finished = true;
    pthread_mutex_unlock(&queue->mutex);
    show_readable(queue);
}

void queue_stop(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->stopped = true;
    pthread_cond_broadcast(&queue->room);
    pthread_mutex_unlock(&queue->mutex);
}

/* ---- the consumer's side --------------------------------------------------------------------- */

/* Moves `next` over padding and drafts that were replaced. */
static void skip_records(struct queue *queue)
{
    while (queue->next < queue->written) {
        size_t left = queue->capacity - queue->next % queue->capacity;
        if (left < sizeof(struct record)) {
            queue->next += left;
            continue;
        }
        const struct record *record = record_at(queue, queue->next);
        if (!record->skip)
            return;
        queue->next += record->bytes;
    }
}

/* With the mutex, when nothing is unread: what is written next is shown after that. */
static void show_unreadable(struct queue *queue)
{
    uint64_t count;
    if (!queue->finished && read(queue->descriptor, &count, sizeof count) < 0)
        assert(errno == EAGAIN);
}

const struct utter_event *queue_read(struct queue *queue)
{
    const struct utter_event *event = NULL;
    pthread_mutex_lock(&queue->mutex);
    skip_records(queue);
    queue->consumed = queue->next; /* what the reader held is free */
    if (queue->next < queue->written) {
        struct record *record = record_at(queue, queue->next);
        event = &record->event;
        queue->next += record->bytes;
        if (record == queue->draft)
            queue->draft = NULL;
        queue->unread--;
    }
    if (queue->unread == 0)
        show_unreadable(queue);
    pthread_cond_broadcast(&queue->room);
    pthread_mutex_unlock(&queue->mutex);
    return event;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum utter_wait queue_wait(struct queue *queue, int timeout_ms)
{
    int64_t deadline = now_ms() + timeout_ms;
    for (;;) {
        pthread_mutex_lock(&queue->mutex);
        bool ready = queue->unread > 0, finished = queue->finished;
        if (!ready)
            show_unreadable(queue);
        pthread_mutex_unlock(&queue->mutex);
        if (ready)
            return UTTER_WAIT_EVENT;
        if (finished)
            return UTTER_WAIT_DONE;
        int64_t left = timeout_ms < 0 ? -1 : deadline - now_ms();
        if (timeout_ms >= 0 && left <= 0)
            return UTTER_WAIT_TIMEOUT;
        struct pollfd descriptor = {.fd = queue->descriptor, .events = POLLIN};
        poll(&descriptor, 1, (int)left);
    }
}

int queue_descriptor(const struct queue *queue)
{
    return queue->descriptor;
}

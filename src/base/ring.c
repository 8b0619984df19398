/* SPDX-License-Identifier: MIT */
#include "base/ring.h"

#include "base/error.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

struct ring {
    int channels;
    int64_t capacity; /* items, a power of two */
    float *data;      /* [capacity, channels] */
    /* Each side writes one counter; lines apart, so that they do not slow each other down. */
    _Alignas(CACHE_LINE) _Atomic int64_t written;
    _Alignas(CACHE_LINE) _Atomic int64_t consumed;
};

struct ring *ring_open(int64_t items, int channels, struct utter_error *error)
{
    int64_t capacity = 1;
    while (capacity < items)
        capacity *= 2;
    struct ring *ring = aligned_alloc(CACHE_LINE, sizeof *ring);
    if (!ring) {
        error_memory(error, "the ring buffer");
        return NULL;
    }
    memset(ring, 0, sizeof *ring);
    ring->channels = channels;
    ring->capacity = capacity;
    /* Touched now, so that the audio callback meets no page fault. */
    size_t bytes = (size_t)capacity * (size_t)channels * sizeof *ring->data;
    ring->data = malloc(bytes);
    if (!ring->data) {
        error_memory(error, "the ring buffer");
        ring_close(ring);
        return NULL;
    }
    memset(ring->data, 0, bytes);
    return ring;
}

void ring_close(struct ring *ring)
{
    if (!ring)
        return;
    free(ring->data);
    free(ring);
}

static float *slot(const struct ring *ring, int64_t number)
{
    return ring->data + (number & (ring->capacity - 1)) * ring->channels;
}

static int64_t until_wrap(const struct ring *ring, int64_t number)
{
    return ring->capacity - (number & (ring->capacity - 1));
}

int64_t ring_write(struct ring *ring, const float *items, int64_t count)
{
    int64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    int64_t consumed = atomic_load_explicit(&ring->consumed, memory_order_acquire);
    int64_t room = ring->capacity - (written - consumed);
    if (count > room)
        count = room;
    int64_t first = until_wrap(ring, written);
    if (first > count)
        first = count;
    size_t item_bytes = (size_t)ring->channels * sizeof *items;
    if (first > 0)
        memcpy(slot(ring, written), items, (size_t)first * item_bytes);
    if (count > first)
        memcpy(ring->data, items + first * ring->channels, (size_t)(count - first) * item_bytes);
    atomic_store_explicit(&ring->written, written + count, memory_order_release);
    return count;
}

int64_t ring_written(const struct ring *ring)
{
    return atomic_load_explicit(&ring->written, memory_order_acquire);
}

int64_t ring_consumed(const struct ring *ring)
{
    return atomic_load_explicit(&ring->consumed, memory_order_acquire);
}

int64_t ring_peek(const struct ring *ring, const float **items)
{
    int64_t consumed = atomic_load_explicit(&ring->consumed, memory_order_relaxed);
    int64_t count = ring_written(ring) - consumed;
    *items = slot(ring, consumed);
    return count < until_wrap(ring, consumed) ? count : until_wrap(ring, consumed);
}

void ring_consume(struct ring *ring, int64_t count)
{
    int64_t consumed = atomic_load_explicit(&ring->consumed, memory_order_relaxed);
    atomic_store_explicit(&ring->consumed, consumed + count, memory_order_release);
}

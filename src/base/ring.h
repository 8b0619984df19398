/* SPDX-License-Identifier: MIT */
/**
 * A ring of audio between two threads: one writes, one reads (SPSC). ring_write() is wait-free: no
 * lock, no allocation, no system call, so an audio callback may call it.
 *
 * Counts are in items, one sample of every channel; an item is never split. Item numbers count from
 * the ring's opening and never wrap.
 */
#ifndef BASE_RING_H
#define BASE_RING_H

#include "utter.h"

struct ring;

/** Room for at least `items` items of `channels` floats. */
struct ring *ring_open(int64_t items, int channels, struct utter_error *error);
void ring_close(struct ring *ring);

/** Writer: copies as many items as fit and returns how many. */
int64_t ring_write(struct ring *ring, const float *items, int64_t count);
/** Writer or reader: the number of the next item to be written. */
int64_t ring_written(const struct ring *ring);

/** Reader: the number of the next item to be read. */
int64_t ring_consumed(const struct ring *ring);
/** Reader: how many items lie one after another at `*items`; 0 when the ring is empty. */
int64_t ring_peek(const struct ring *ring, const float **items);
/** Reader: gives back the first `count` items of ring_peek(). */
void ring_consume(struct ring *ring, int64_t count);

#endif

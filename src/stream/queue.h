/* SPDX-License-Identifier: MIT */
/**
 * Events on their way from the worker to the consumer, copied with all they point to. Bounded:
 * when it is full the worker waits, audio then waits in its ring, and what does not fit there is a
 * GAP; so a consumer that sleeps costs no memory and loses nothing silently. A draft that nobody
 * has read gives way to its successor.
 *
 * Any thread writes, but drafts only one of them; one reads; any thread may stop it. Allocates
 * nothing after opening.
 */
#ifndef STREAM_QUEUE_H
#define STREAM_QUEUE_H

#include "utter.h"

struct queue;

/** `bytes` of events at most; one event may need up to a third of it. */
struct queue *queue_open(size_t bytes, struct utter_error *error);
void queue_close(struct queue *queue);
/** What `event` needs in the queue. */
size_t queue_event_bytes(const struct utter_event *event);

/** Writer: waits for room; false when the queue was stopped meanwhile. */
bool queue_write(struct queue *queue, const struct utter_event *event);
/** Writer: no event will follow. */
void queue_finish(struct queue *queue);
/** Any thread: a writer that waits gives up. */
void queue_stop(struct queue *queue);

/** Reader: the next event, valid until the next call, or NULL. */
const struct utter_event *queue_read(struct queue *queue);
/** Reader: see utter_live_wait(). */
enum utter_wait queue_wait(struct queue *queue, int timeout_ms);
/** Polls readable while there are events, and for ever after queue_finish(); also when there are
 * none until queue_read() or queue_wait() has found none. */
int queue_descriptor(const struct queue *queue);

#endif

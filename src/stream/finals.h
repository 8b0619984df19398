/* SPDX-License-Identifier: MIT */
/**
 * FINALs of a live stream, on a thread of their own so that captions do not wait for them: at a
 * lower priority, with a workspace of its own and without the engine's threads. Utterances are
 * copied and decoded in their order. When FINALS_WAITING_MOST are waiting, who brings one more
 * waits too; its audio then waits in the ring, and nothing is lost.
 *
 * The stream's worker gives and waits, any thread may stop. Allocates nothing after opening.
 */
#ifndef STREAM_FINALS_H
#define STREAM_FINALS_H

#include "stream/final.h"
#include "stream/queue.h"

enum { FINALS_WAITING_MOST = 4 };

struct finals;

/** For utterances of up to `samples_max` samples. Takes over `acoustic`, also on failure. */
struct finals *finals_open(const struct acoustic *acoustic, const struct ctc_labels *labels,
                           int64_t samples_max, struct utter_error *error);
/** Ends the thread soon: the decode that it is in is abandoned. NULL is allowed. */
void finals_close(struct finals *finals);
/** The most bytes that the words and text of a FINAL take. */
size_t finals_event_bytes_max(const struct finals *finals);
/** Starts the thread, which writes into `queue`, borrowed. */
enum utter_code finals_start(struct finals *finals, struct queue *queue, struct utter_error *error);

/** Copies what the job points to; false when the finals were stopped. */
bool finals_give(struct finals *finals, const struct final_job *job);
/** Waits until all FINALs are in the queue; false when the finals were stopped. */
bool finals_settle(struct finals *finals);
/** What waits and what is being decoded is thrown away, and nobody waits any more. */
void finals_stop(struct finals *finals);

#endif

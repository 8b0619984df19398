/* SPDX-License-Identifier: MIT */
/**
 * The one pool of threads that kernels run on. Threads park on a condition variable when idle; a
 * worker that wakes up on the processor of another thread of the pool moves to a free one, and may
 * run anywhere that the host allows.
 *
 * pool_run() may be called from any thread but not from inside a task; calls take turns. What a
 * task computes must depend on its index alone, never on the number of threads nor on which of
 * them runs it: results are then the same on every machine.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "utter.h"

#include <stdbool.h>

struct pool;

/** `threads` counts the caller's thread, which works too: 1 starts none. */
struct pool *pool_open(int threads, struct utter_error *error);
void pool_close(struct pool *pool);
int pool_threads(const struct pool *pool);

/** Physical cores that this process may run on. */
int pool_default_threads(void);

/** `thread`, 0 .. pool_threads() - 1, picks a scratch buffer: no other task has it meanwhile. */
typedef void pool_task(void *context, int64_t index, int thread);
/** Runs task(context, 0 .. count - 1), each once, in any order; returns when all are done. */
void pool_run(struct pool *pool, int64_t count, pool_task *task, void *context);

/**
 * Any thread, inside a task too: from now on no task begins, so that whoever is computing comes to
 * an end soon. The results are rubbish, and the pool is of no more use.
 */
void pool_cancel(struct pool *pool);

/** False after a pool_run() says that all of its tasks ran. */
bool pool_is_cancelled(const struct pool *pool);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * Another input or another model while the session goes on: opened by a thread of its own, so that
 * neither the screen nor what is being heard waits for it. Main thread, but for the opening itself.
 *
 *     change_start() -> CHANGE_OPENING -> CHANGE_OPENED: take what was opened, change_close()
 *     an old source, which may take a while -> CHANGE_DONE: change_end()
 */
#ifndef APP_CHANGE_H
#define APP_CHANGE_H

#include "app/source.h"

#include <pthread.h>
#include <semaphore.h>

enum change_state {
    CHANGE_NONE = 0,
    CHANGE_OPENING,
    CHANGE_OPENED, /* or failed: `error` says why */
    CHANGE_CLOSING,
    CHANGE_DONE,
};

struct change;

/** Opens something into change->source or change->model. On the change's own thread. */
typedef bool change_function(struct change *change);

/** All zeros: there is no change. */
struct change {
    char name[256]; /* of what is opened */
    void *user;
    atomic_bool cancelled; /* whoever opens should give up */

    bool failed;
    struct utter_error error;
    struct source *source; /* NULL unless an input was opened */
    struct utter_model *model;

    /* The rest is for change.c. */
    change_function *open;
    atomic_int state;
    pthread_t thread;
    sem_t taken;
    struct source *old;
};

/** Begins to open `name`. There must be no other change. */
bool change_start(struct change *change, change_function *open, const char *name, void *user,
                  struct utter_error *error);

enum change_state change_state(struct change *change);

/** After CHANGE_OPENED: what was opened has a new owner, and `old` (may be NULL) is closed. */
void change_close(struct change *change, struct source *old);

/** After CHANGE_DONE, or at any time to give up; what nobody has taken is closed. */
void change_end(struct change *change);

#endif

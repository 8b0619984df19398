/* SPDX-License-Identifier: MIT */
#include "app/change.h"
#include "app/fault.h"
#include "app/thread.h"

#include <stdio.h>
#include <string.h>

static void *run(void *user)
{
    struct change *change = user;
    change->failed = !change->open(change);
    atomic_store(&change->state, CHANGE_OPENED);
    while (sem_wait(&change->taken) != 0)
        continue;
    source_close(change->old);
    atomic_store(&change->state, CHANGE_DONE);
    return NULL;
}

bool change_start(struct change *change, change_function *open, const char *name, void *user,
                  struct utter_error *error)
{
    memset(change, 0, sizeof *change);
    snprintf(change->name, sizeof change->name, "%s", name);
    change->user = user;
    change->open = open;
    sem_init(&change->taken, 0, 0);
    atomic_store(&change->state, CHANGE_OPENING);
    int failure = thread_start(&change->thread, run, change);
    if (failure == 0)
        return true;
    sem_destroy(&change->taken);
    atomic_store(&change->state, CHANGE_NONE);
    return fault_set(error, UTTER_ERROR_SYSTEM, "a thread does not start: %s", strerror(failure));
}

enum change_state change_state(struct change *change)
{
    return (enum change_state)atomic_load(&change->state);
}

void change_close(struct change *change, struct source *old)
{
    change->old = old;
    change->source = NULL;
    change->model = NULL;
    int opened = CHANGE_OPENED;
    atomic_compare_exchange_strong(&change->state, &opened, CHANGE_CLOSING);
    sem_post(&change->taken);
}

void change_end(struct change *change)
{
    enum change_state state = change_state(change);
    if (state == CHANGE_NONE)
        return;
    if (state == CHANGE_OPENING || state == CHANGE_OPENED) {
        atomic_store(&change->cancelled, true);
        sem_post(&change->taken);
    }
    pthread_join(change->thread, NULL);
    source_close(change->source);
    utter_model_close(change->model);
    sem_destroy(&change->taken);
    memset(change, 0, sizeof *change);
}

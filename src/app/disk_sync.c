/* SPDX-License-Identifier: MIT */
#include "app/disk_sync.h"

#include "app/fault.h"
#include "app/thread.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct disk_sync {
    int descriptor;
    pthread_t thread;
    atomic_int failure;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t woken;
    bool wanted;
    bool stop;
};

/* Waits for a request; false: there will be none. */
static bool await_request(struct disk_sync *sync)
{
    pthread_mutex_lock(&sync->lock);
    while (!sync->wanted && !sync->stop)
        pthread_cond_wait(&sync->woken, &sync->lock);
    bool wanted = sync->wanted;
    sync->wanted = false;
    pthread_mutex_unlock(&sync->lock);
    return wanted;
}

static void *run(void *user)
{
    struct disk_sync *sync = user;
    while (await_request(sync)) {
        /* EINVAL: a file system that keeps nothing for good. */
        int failed = fdatasync(sync->descriptor) != 0 && errno != EINVAL;
        atomic_store(&sync->failure, failed ? errno : 0);
    }
    return NULL;
}

struct disk_sync *disk_sync_start(int descriptor, struct utter_error *error)
{
    struct disk_sync *sync = calloc(1, sizeof *sync);
    if (sync == NULL) {
        fault_memory(error);
        return NULL;
    }
    sync->descriptor = descriptor;
    pthread_mutex_init(&sync->lock, NULL);
    pthread_cond_init(&sync->woken, NULL);
    int failure = thread_start(&sync->thread, run, sync);
    if (failure == 0)
        return sync;
    fault_set(error, UTTER_ERROR_SYSTEM, "a thread does not start: %s", strerror(failure));
    pthread_cond_destroy(&sync->woken);
    pthread_mutex_destroy(&sync->lock);
    free(sync);
    return NULL;
}

void disk_sync_request(struct disk_sync *sync)
{
    pthread_mutex_lock(&sync->lock);
    sync->wanted = true;
    pthread_cond_signal(&sync->woken);
    pthread_mutex_unlock(&sync->lock);
}

int disk_sync_failure(const struct disk_sync *sync)
{
    return atomic_load(&sync->failure);
}

void disk_sync_stop(struct disk_sync *sync)
{
    if (sync == NULL)
        return;
    pthread_mutex_lock(&sync->lock);
    sync->stop = true;
    pthread_cond_signal(&sync->woken);
    pthread_mutex_unlock(&sync->lock);
    pthread_join(sync->thread, NULL);
    pthread_cond_destroy(&sync->woken);
    pthread_mutex_destroy(&sync->lock);
    free(sync);
}

/* SPDX-License-Identifier: MIT */
#include "app/disk_sync.h"

#include "app/fault.h"
#include "app/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct disk_sync {
    int descriptor;
    int directory; /* -1: its name is kept */
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

int disk_sync_now(int descriptor)
{
    /* EINVAL: a file system that keeps nothing for good. */
    return fdatasync(descriptor) == 0 || errno == EINVAL ? 0 : errno;
}

static void keep_name(struct disk_sync *sync)
{
    if (sync->directory < 0)
        return;
    fsync(sync->directory); /* not all file systems can: what they do is enough */
    close(sync->directory);
    sync->directory = -1;
}

static void *run(void *user)
{
    struct disk_sync *sync = user;
    while (await_request(sync)) {
        atomic_store(&sync->failure, disk_sync_now(sync->descriptor));
        keep_name(sync);
    }
    return NULL;
}

static void destroy(struct disk_sync *sync)
{
    if (sync->directory >= 0)
        close(sync->directory);
    pthread_cond_destroy(&sync->woken);
    pthread_mutex_destroy(&sync->lock);
    free(sync);
}

struct disk_sync *disk_sync_start(int descriptor, const char *directory, struct utter_error *error)
{
    struct disk_sync *sync = calloc(1, sizeof *sync);
    if (sync == NULL) {
        fault_memory(error);
        return NULL;
    }
    sync->descriptor = descriptor;
    sync->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    pthread_mutex_init(&sync->lock, NULL);
    pthread_cond_init(&sync->woken, NULL);
    int failure = thread_start(&sync->thread, run, sync);
    if (failure == 0)
        return sync;
    fault_set(error, UTTER_ERROR_SYSTEM, "a thread does not start: %s", strerror(failure));
    destroy(sync);
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

int disk_sync_stop(struct disk_sync *sync)
{
    if (sync == NULL)
        return 0;
    pthread_mutex_lock(&sync->lock);
    sync->stop = true;
    pthread_cond_signal(&sync->woken);
    pthread_mutex_unlock(&sync->lock);
    pthread_join(sync->thread, NULL);
    int failure = disk_sync_failure(sync);
    destroy(sync);
    return failure;
}

/* SPDX-License-Identifier: MIT */
#include "app/disk_writer.h"

#include "app/clock.h"
#include "app/thread.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const int64_t PATIENCE_NS = 10000000; /* of who gives: a key must not wait for longer */
static const int64_t HANGS_NS = 1000000000;

struct bytes {
    char *data;
    size_t count;
    size_t room;
};

struct disk_writer {
    int descriptor;
    pthread_t thread;
    struct bytes batch; /* the thread's while `trying` */
    size_t batch_done;  /* bytes of it that are written */

    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t wanted_more;
    pthread_cond_t tried;
    struct bytes queue; /* behind the batch */
    uint64_t asked;     /* tries that were asked for ... */
    uint64_t served;    /* ... and of these, those that are done or began and are done */
    bool trying;
    int64_t trying_ns; /* since then */
    bool late;         /* somebody waited for a try in vain, and it is not done yet */
    int failure;       /* errno of the last try; 0: all was written */
    bool stop;
};

size_t disk_writer_through(int descriptor, const char *bytes, size_t count)
{
    size_t done = 0;
    while (done < count) {
        ssize_t written = write(descriptor, bytes + done, count - done);
        if (written > 0) {
            done += (size_t)written;
        } else if (written < 0 && errno == EAGAIN) {
            struct pollfd ready = {descriptor, POLLOUT, 0};
            poll(&ready, 1, -1);
        } else if (written == 0 || errno != EINTR) {
            break;
        }
    }
    return done;
}

/* ---- the thread ---- */

/* Waits until a try is asked for and takes what it is about; false: there will be none. */
static bool begin_try(struct disk_writer *writer, uint64_t *asked)
{
    pthread_mutex_lock(&writer->lock);
    while (writer->asked == writer->served && !writer->stop)
        pthread_cond_wait(&writer->wanted_more, &writer->lock);
    bool wanted = writer->asked > writer->served;
    if (wanted && writer->batch_done == writer->batch.count) {
        struct bytes spare = writer->batch;
        writer->batch = writer->queue;
        writer->queue = spare;
        writer->queue.count = 0;
        writer->batch_done = 0;
    }
    *asked = writer->asked;
    writer->trying = wanted;
    writer->trying_ns = now_ns();
    pthread_mutex_unlock(&writer->lock);
    return wanted;
}

static void end_try(struct disk_writer *writer, uint64_t asked, size_t done, int number)
{
    pthread_mutex_lock(&writer->lock);
    writer->batch_done += done;
    if (writer->batch_done < writer->batch.count)
        writer->failure = number != 0 ? number : EIO;
    else
        writer->failure = 0;
    writer->trying = false;
    writer->late = false;
    /* What waited behind a batch that was refused before is one more try. */
    if (writer->failure != 0 || writer->queue.count == 0)
        writer->served = asked;
    pthread_cond_broadcast(&writer->tried);
    pthread_mutex_unlock(&writer->lock);
}

static void *run(void *user)
{
    struct disk_writer *writer = user;
    uint64_t asked;
    while (begin_try(writer, &asked)) {
        size_t left = writer->batch.count - writer->batch_done;
        const char *from = left > 0 ? writer->batch.data + writer->batch_done : NULL;
        size_t done = disk_writer_through(writer->descriptor, from, left);
        end_try(writer, asked, done, errno);
    }
    return NULL;
}

/* ---- who gives ---- */

static bool append(struct bytes *bytes, const char *data, size_t count)
{
    if (bytes->count + count > bytes->room) {
        size_t room = 2 * (bytes->count + count);
        char *larger = realloc(bytes->data, room);
        if (larger == NULL)
            return false;
        bytes->data = larger;
        bytes->room = room;
    }
    if (count > 0)
        memcpy(bytes->data + bytes->count, data, count);
    bytes->count += count;
    return true;
}

struct disk_writer *disk_writer_start(int descriptor)
{
    struct disk_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return NULL;
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    writer->descriptor = descriptor;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->wanted_more, NULL);
    pthread_cond_init(&writer->tried, &clock);
    pthread_condattr_destroy(&clock);
    if (thread_start(&writer->thread, run, writer) == 0)
        return writer;
    pthread_cond_destroy(&writer->tried);
    pthread_cond_destroy(&writer->wanted_more);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
    return NULL;
}

/* Until the try `mine` is done, but not for long, and once for each try. Under the lock. */
static void await_try(struct disk_writer *writer, uint64_t mine)
{
    int64_t end = now_ns() + PATIENCE_NS;
    struct timespec limit = {.tv_sec = end / 1000000000, .tv_nsec = end % 1000000000};
    while (writer->served < mine && !writer->late)
        writer->late = pthread_cond_timedwait(&writer->tried, &writer->lock, &limit) != 0;
    writer->late = writer->served < mine;
}

/* Under the lock. */
static enum disk_state judge(const struct disk_writer *writer, uint64_t mine, int *number)
{
    if (writer->served < mine)
        return writer->trying && now_ns() - writer->trying_ns > HANGS_NS ? DISK_HANGS : DISK_BUSY;
    *number = writer->failure;
    return writer->failure != 0 ? DISK_REFUSES : DISK_WRITTEN;
}

enum disk_state disk_writer_give(struct disk_writer *writer, const char *bytes, size_t count,
                                 int *number)
{
    pthread_mutex_lock(&writer->lock);
    enum disk_state state = DISK_NO_MEMORY;
    if (append(&writer->queue, bytes, count)) {
        uint64_t mine = ++writer->asked;
        pthread_cond_signal(&writer->wanted_more);
        await_try(writer, mine);
        state = judge(writer, mine, number);
    }
    pthread_mutex_unlock(&writer->lock);
    return state;
}

enum disk_state disk_writer_stop(struct disk_writer *writer, int *number)
{
    pthread_mutex_lock(&writer->lock);
    writer->stop = true;
    writer->asked++; /* once more, whatever was refused */
    pthread_cond_signal(&writer->wanted_more);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    enum disk_state state = judge(writer, writer->asked, number);
    pthread_cond_destroy(&writer->tried);
    pthread_cond_destroy(&writer->wanted_more);
    pthread_mutex_destroy(&writer->lock);
    free(writer->batch.data);
    free(writer->queue.data);
    free(writer);
    return state;
}

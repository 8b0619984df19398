/* SPDX-License-Identifier: MIT */
#include "base/pool.h"

#include "base/error.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * A pass is some hundred jobs with microseconds between them, and not all threads are done with one
 * at the same time: who waits looks for so long, then sleeps.
 */
static const int64_t LOOKING = 100 * 1000; /* nanoseconds */
static const int64_t MOVING = 1000 * 1000; /* nanoseconds, at least, from one move to the next */

enum { SPINS = 64 /* from a look at the clock to the next */, THREADS_MAX = 1024 };

struct worker {
    struct pool *pool;
    pthread_t thread;
    int number;
    int64_t moved;   /* when it last looked for room, nanoseconds */
    _Atomic int cpu; /* where it last was, or -1 */
};

struct pool {
    int threads;
    int started; /* of workers */
    pthread_mutex_t turn;

    pthread_mutex_t mutex; /* guards what follows, but for the atomics */
    pthread_cond_t opened;
    pthread_cond_t finished;
    int sleepers;
    bool waiting; /* the caller sleeps on `finished` */
    bool open;    /* a job may be joined */
    bool closing;
    pool_task *task;
    void *context;
    int64_t count;

    atomic_bool cancelled;
    _Atomic uint64_t job;    /* counts jobs: changes when one opens */
    _Atomic int64_t next;    /* index not yet taken */
    _Atomic int joined;      /* workers inside the job */
    _Atomic int cpu;         /* where the caller was when it opened the job */
    struct worker workers[]; /* [threads - 1] */
};

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* Stores only what changes, so that readers keep it in their caches. */
static void see_cpu(_Atomic int *cpu)
{
    int here = sched_getcpu();
    if (atomic_load_explicit(cpu, memory_order_relaxed) != here)
        atomic_store_explicit(cpu, here, memory_order_relaxed);
}

static int seen_cpu(const _Atomic int *cpu)
{
    return atomic_load_explicit(cpu, memory_order_relaxed);
}

/* Whether the caller or a worker with a lower number was on this worker's processor. */
static bool is_in_the_way(const struct worker *worker)
{
    const struct pool *pool = worker->pool;
    int here = seen_cpu(&worker->cpu);
    bool found = here == seen_cpu(&pool->cpu);
    for (int i = 0; i < worker->number - 1 && !found; i++)
        found = here == seen_cpu(&pool->workers[i].cpu);
    return found;
}

/*
 * Some kernels wake a worker on the caller's processor and leave both there for longer than a pass
 * takes, though another one is idle. So the worker goes where no thread of the pool is; then it
 * may run anywhere again. On a machine that has no room for all, nothing happens.
 */
static void find_room(struct worker *worker)
{
    struct pool *pool = worker->pool;
    cpu_set_t allowed, others;
    see_cpu(&worker->cpu);
    if (!is_in_the_way(worker))
        return;
    int64_t time = now();
    if (time - worker->moved < MOVING || sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    worker->moved = time;
    others = allowed;
    for (int i = -1; i < pool->threads - 1; i++) {
        int cpu = seen_cpu(i < 0 ? &pool->cpu : &pool->workers[i].cpu);
        if (cpu >= 0 && cpu < CPU_SETSIZE)
            CPU_CLR(cpu, &others);
    }
    if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others) != 0)
        return;
    sched_setaffinity(0, sizeof allowed, &allowed);
    see_cpu(&worker->cpu);
}

bool pool_is_cancelled(const struct pool *pool)
{
    return atomic_load_explicit(&pool->cancelled, memory_order_relaxed);
}

static void work_on(struct pool *pool, pool_task *task, void *context, int64_t count, int thread)
{
    while (!pool_is_cancelled(pool)) {
        int64_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (index >= count)
            return;
        task(context, index, thread);
    }
}

/* Looks for a job other than `seen`: on the caller's processor it would only be in its way. */
static void look_for_job(const struct pool *pool, uint64_t seen)
{
    for (int64_t end = now() + LOOKING; now() < end && sched_getcpu() != seen_cpu(&pool->cpu);) {
        for (int i = 0; i < SPINS; i++) {
            if (atomic_load_explicit(&pool->job, memory_order_relaxed) != seen)
                return;
            pause_briefly();
        }
    }
}

/* Waits for a job other than `seen` and joins it; false when the pool closes. Leaves unlocked. */
static bool join_job(struct worker *worker, uint64_t *seen)
{
    struct pool *pool = worker->pool;
    look_for_job(pool, *seen);
    find_room(worker);
    pthread_mutex_lock(&pool->mutex);
    while (!pool->closing && (!pool->open || atomic_load(&pool->job) == *seen)) {
        pool->sleepers++;
        pthread_cond_wait(&pool->opened, &pool->mutex);
        pool->sleepers--;
        pthread_mutex_unlock(&pool->mutex);
        find_room(worker); /* while nobody waits for it */
        pthread_mutex_lock(&pool->mutex);
    }
    *seen = atomic_load(&pool->job);
    bool joins = !pool->closing;
    if (joins)
        atomic_fetch_add(&pool->joined, 1);
    pthread_mutex_unlock(&pool->mutex);
    return joins;
}

static void leave_job(struct pool *pool)
{
    if (atomic_fetch_sub(&pool->joined, 1) > 1)
        return;
    pthread_mutex_lock(&pool->mutex);
    if (pool->waiting)
        pthread_cond_signal(&pool->finished);
    pthread_mutex_unlock(&pool->mutex);
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct pool *pool = worker->pool;
    uint64_t seen = 0;
    while (join_job(worker, &seen)) {
        /* The job's fields stand still for as long as anybody is inside it. */
        work_on(pool, pool->task, pool->context, pool->count, worker->number);
        leave_job(pool);
    }
    return NULL;
}

static void open_job(struct pool *pool, int64_t count, pool_task *task, void *context)
{
    see_cpu(&pool->cpu);
    pthread_mutex_lock(&pool->mutex);
    pool->task = task;
    pool->context = context;
    pool->count = count;
    pool->open = true;
    atomic_store(&pool->next, 0);
    atomic_fetch_add(&pool->job, 1);
    if (pool->sleepers)
        pthread_cond_broadcast(&pool->opened);
    pthread_mutex_unlock(&pool->mutex);
}

/* A worker that comes too late finds the job closed, so nobody ever waits for one to wake up. */
static void close_job(struct pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->open = false;
    pthread_mutex_unlock(&pool->mutex);
    for (int64_t end = now() + LOOKING; now() < end;) {
        for (int i = 0; i < SPINS; i++) {
            if (!atomic_load(&pool->joined))
                return;
            pause_briefly();
        }
    }
    pthread_mutex_lock(&pool->mutex);
    pool->waiting = true;
    while (atomic_load(&pool->joined))
        pthread_cond_wait(&pool->finished, &pool->mutex);
    pool->waiting = false;
    pthread_mutex_unlock(&pool->mutex);
}

void pool_run(struct pool *pool, int64_t count, pool_task *task, void *context)
{
    pthread_mutex_lock(&pool->turn);
    if (count > 1 && pool->started) {
        open_job(pool, count, task, context);
        work_on(pool, task, context, count, 0);
        close_job(pool);
    } else {
        for (int64_t i = 0; i < count && !pool_is_cancelled(pool); i++)
            task(context, i, 0);
    }
    pthread_mutex_unlock(&pool->turn);
}

void pool_cancel(struct pool *pool)
{
    atomic_store_explicit(&pool->cancelled, true, memory_order_relaxed);
}

int pool_threads(const struct pool *pool)
{
    return pool->threads;
}

/* Signals are the host's: its own threads take them. */
static bool start_worker(struct pool *pool)
{
    struct worker *worker = &pool->workers[pool->started];
    worker->pool = pool;
    worker->number = pool->started + 1;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&worker->thread, NULL, worker_main, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed)
        pool->started++;
    return !failed;
}

struct pool *pool_open(int threads, struct utter_error *error)
{
    if (threads < 1 || threads > THREADS_MAX) {
        error_set(error, UTTER_ERROR_ARGUMENT, "%d threads: must be 1 to %d", threads, THREADS_MAX);
        return NULL;
    }
    struct pool *pool = calloc(1, sizeof *pool + (size_t)(threads - 1) * sizeof *pool->workers);
    if (!pool) {
        error_memory(error, "a pool of threads");
        return NULL;
    }
    pool->threads = threads;
    pthread_mutex_init(&pool->turn, NULL);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->opened, NULL);
    pthread_cond_init(&pool->finished, NULL);
    pool->cpu = -1;
    for (int i = 0; i < threads - 1; i++)
        pool->workers[i].cpu = -1;
    while (pool->started < threads - 1) {
        if (!start_worker(pool)) {
            error_set(error, UTTER_ERROR_SYSTEM, "cannot start thread %d of %d", pool->started + 2,
                      threads);
            pool_close(pool);
            return NULL;
        }
    }
    return pool;
}

void pool_close(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->closing = true;
    pthread_cond_broadcast(&pool->opened);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->finished);
    pthread_cond_destroy(&pool->opened);
    pthread_mutex_destroy(&pool->mutex);
    pthread_mutex_destroy(&pool->turn);
    free(pool);
}

/* The first of a core's hardware threads, which names the core; -1 when the system won't say. */
static int first_sibling(int cpu)
{
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    int first = -1;
    if (fscanf(file, "%d", &first) != 1)
        first = -1;
    fclose(file);
    return first;
}

int pool_default_threads(void)
{
    cpu_set_t allowed, cores;
    CPU_ZERO(&cores);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return 1; /* more CPUs than a cpu_set_t holds: the host should say how many */
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed))
            continue;
        int core = first_sibling(cpu);
        CPU_SET(core >= 0 && core < CPU_SETSIZE ? core : cpu, &cores);
    }
    int count = CPU_COUNT(&cores);
    return count > 0 ? count : 1;
}

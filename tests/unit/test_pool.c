/* SPDX-License-Identifier: MIT */
#include "base/pool.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { TASKS = 1000, THREADS = 4 };

struct tally {
    _Atomic int runs[TASKS];
    _Atomic int inside[THREADS]; /* tasks that run with this thread's number now */
    _Atomic int clashes;
};

static void count_task(void *context, int64_t index, int thread)
{
    struct tally *tally = context;
    if (atomic_fetch_add(&tally->inside[thread], 1) != 0)
        atomic_fetch_add(&tally->clashes, 1);
    atomic_fetch_add(&tally->runs[index], 1);
    atomic_fetch_sub(&tally->inside[thread], 1);
}

static void check_counts(struct pool *pool, int64_t count)
{
    struct tally *tally = calloc(1, sizeof *tally);
    assert_non_null(tally);
    pool_run(pool, count, count_task, tally);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(tally->runs[i], i < count);
    assert_int_equal(tally->clashes, 0);
    free(tally);
}

static void test_each_index_runs_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= THREADS; threads++) {
        struct pool *pool = pool_open(threads, NULL);
        assert_non_null(pool);
        assert_int_equal(pool_threads(pool), threads);
        for (int i = 0; i < 200; i++)
            check_counts(pool, (int64_t[]){0, 1, 2, 7, TASKS}[i % 5]);
        pool_close(pool);
    }
}

struct cancelling {
    struct pool *pool;
    _Atomic int runs;
};

static void cancel_task(void *context, int64_t index, int thread)
{
    (void)index;
    (void)thread;
    struct cancelling *cancelling = context;
    if (atomic_fetch_add(&cancelling->runs, 1) == 2)
        pool_cancel(cancelling->pool);
}

/* Tasks that were begun are ended, one of each thread at most after the word. */
static void test_cancelled_work_ends(void **state)
{
    (void)state;
    for (int threads = 1; threads <= THREADS; threads++) {
        struct cancelling cancelling = {.pool = pool_open(threads, NULL)};
        assert_non_null(cancelling.pool);
        pool_run(cancelling.pool, INT64_MAX, cancel_task, &cancelling);
        int runs = cancelling.runs;
        assert_true(runs >= 3);
        pool_run(cancelling.pool, 100, cancel_task, &cancelling);
        pool_run(cancelling.pool, 1, cancel_task, &cancelling);
        assert_int_equal(cancelling.runs, runs);
        pool_close(cancelling.pool);
    }
}

/* Plain stores: a thread sanitizer sees whether pool_run() orders them before its return. */
static void store_task(void *context, int64_t index, int thread)
{
    (void)thread;
    int64_t *values = context;
    values[index] += index;
}

static void test_results_are_visible_and_parked_threads_wake(void **state)
{
    (void)state;
    struct pool *pool = pool_open(THREADS, NULL);
    assert_non_null(pool);
    int64_t values[64] = {0};
    for (int round = 1; round <= 300; round++) {
        pool_run(pool, 64, store_task, values);
        for (int i = 0; i < 64; i++)
            assert_int_equal(values[i], (int64_t)i * round);
        if (round % 100 == 0)
            usleep(20000); /* long enough for the workers to fall asleep */
    }
    pool_close(pool);
}

/* Threads of this process but the caller's that do not sleep, as the kernel sees it. */
static int threads_awake(void)
{
    int awake = 0;
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[300], state = 'S';
        snprintf(path, sizeof path, "/proc/self/task/%s/stat", entry->d_name);
        FILE *file = entry->d_name[0] == '.' || atoi(entry->d_name) == (int)getpid()
                         ? NULL
                         : fopen(path, "r");
        if (file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1)
            awake += state != 'S';
        if (file)
            fclose(file);
    }
    closedir(folder);
    return awake;
}

/* However long it takes them, idle workers fall asleep, and then nothing wakes them. */
static void test_idle_workers_are_parked(void **state)
{
    (void)state;
    struct pool *pool = pool_open(THREADS, NULL);
    assert_non_null(pool);
    int64_t values[64] = {0};
    for (int round = 0; round < 5; round++) {
        pool_run(pool, 64, store_task, values);
        while (threads_awake() > 0)
            usleep(1000);
        for (int i = 0; i < 20; i++) {
            usleep(1000);
            assert_int_equal(threads_awake(), 0);
        }
    }
    pool_close(pool);
}

/* Workers that look for room may afterwards run where they might before. */
static void test_workers_may_run_anywhere(void **state)
{
    (void)state;
    cpu_set_t before, one, after;
    struct pool *pool = pool_open(THREADS, NULL);
    assert_non_null(pool);
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    int64_t values[64] = {0};
    for (int cpu = 0; cpu < 4; cpu++) {
        if (!CPU_ISSET(cpu, &before))
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
        for (int round = 0; round < 20; round++) {
            pool_run(pool, 64, store_task, values);
            usleep(1000);
        }
    }
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    while (threads_awake() > 0)
        usleep(1000);
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        assert_int_equal(sched_getaffinity(atoi(entry->d_name), sizeof after, &after), 0);
        assert_true(CPU_EQUAL(&before, &after));
    }
    closedir(folder);
    pool_close(pool);
}

struct caller {
    struct pool *pool;
    int64_t values[16];
};

static void *call_often(void *argument)
{
    struct caller *caller = argument;
    for (int i = 0; i < 500; i++)
        pool_run(caller->pool, 16, store_task, caller->values);
    return NULL;
}

static void test_callers_take_turns(void **state)
{
    (void)state;
    struct pool *pool = pool_open(3, NULL);
    assert_non_null(pool);
    struct caller callers[3] = {{pool, {0}}, {pool, {0}}, {pool, {0}}};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &callers[i]), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 16; k++)
            assert_int_equal(callers[i].values[k], 500 * k);
    }
    pool_close(pool);
}

static void test_bad_thread_counts_are_refused(void **state)
{
    (void)state;
    struct utter_error error;
    assert_null(pool_open(0, &error));
    assert_int_equal(error.code, UTTER_ERROR_ARGUMENT);
    assert_null(pool_open(100000, NULL));
    pool_close(NULL);
}

static void test_default_threads(void **state)
{
    (void)state;
    int threads = pool_default_threads();
    assert_true(threads >= 1 && threads <= sysconf(_SC_NPROCESSORS_CONF));
    /* Where the process may use one processor alone, one thread it is. */
    cpu_set_t before, one;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &before))
            CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(pool_default_threads(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    assert_int_equal(pool_default_threads(), threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_index_runs_once),
        cmocka_unit_test(test_cancelled_work_ends),
        cmocka_unit_test(test_results_are_visible_and_parked_threads_wake),
        cmocka_unit_test(test_idle_workers_are_parked),
        cmocka_unit_test(test_workers_may_run_anywhere),
        cmocka_unit_test(test_callers_take_turns),
        cmocka_unit_test(test_bad_thread_counts_are_refused),
        cmocka_unit_test(test_default_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "base/ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void holds_what_it_says(void **state)
{
    (void)state;
    float items[16][2];
    const float *out;
    for (int i = 0; i < 16; i++)
        items[i][0] = (float)i, items[i][1] = (float)-i;
    struct ring *ring = ring_open(8, 2, NULL);
    assert_non_null(ring);
    assert_int_equal(ring_peek(ring, &out), 0);
    assert_int_equal(ring_write(ring, items[0], 6), 6);
    assert_int_equal(ring_write(ring, items[6], 6), 2); /* full */
    assert_int_equal(ring_write(ring, items[8], 1), 0);
    assert_int_equal(ring_written(ring), 8);
    assert_int_equal(ring_peek(ring, &out), 8);
    ring_consume(ring, 5);
    assert_int_equal(ring_consumed(ring), 5);
    assert_int_equal(ring_write(ring, items[8], 4), 4); /* over the end */
    assert_int_equal(ring_peek(ring, &out), 3);
    assert_true(out[0] == 5.0f && out[1] == -5.0f);
    ring_consume(ring, 3);
    assert_int_equal(ring_peek(ring, &out), 4);
    assert_true(out[0] == 8.0f && out[7] == -11.0f);
    ring_close(ring);
    ring_close(NULL);
}

enum { STRESS_ITEMS = 400000, STRESS_ROOM = 256 };

static void *produce(void *argument)
{
    struct ring *ring = argument;
    float items[97][3];
    for (int64_t sent = 0; sent < STRESS_ITEMS;) {
        int64_t count = 1 + sent * 31 % 97;
        if (count > STRESS_ITEMS - sent)
            count = STRESS_ITEMS - sent;
        for (int64_t i = 0; i < count; i++)
            for (int c = 0; c < 3; c++)
                items[i][c] = (float)((sent + i) * 3 + c);
        int64_t taken = ring_write(ring, items[0], count);
        if (taken == 0)
            sched_yield();
        sent += taken;
    }
    return NULL;
}

static void two_threads_lose_nothing(void **state)
{
    (void)state;
    pthread_t thread;
    int64_t wrong = 0, got = 0;
    struct ring *ring = ring_open(STRESS_ROOM, 3, NULL);
    assert_int_equal(pthread_create(&thread, NULL, produce, ring), 0);
    while (got < STRESS_ITEMS) {
        const float *out;
        int64_t count = ring_peek(ring, &out);
        if (count == 0)
            sched_yield();
        if (count > 1 && got % 5 == 0)
            count /= 2;
        for (int64_t i = 0; i < 3 * count; i++)
            wrong += out[i] != (float)(got * 3 + i);
        ring_consume(ring, count);
        got += count;
    }
    pthread_join(thread, NULL);
    assert_int_equal(wrong, 0);
    assert_int_equal(ring_written(ring), STRESS_ITEMS);
    ring_close(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_what_it_says),
        cmocka_unit_test(two_threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

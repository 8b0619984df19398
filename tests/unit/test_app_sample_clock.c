/* SPDX-License-Identifier: MIT */
/* Frames counted against the clock: what is lost, what is merely late, and what drifts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "app/sample_clock.h"

#include <cmocka.h>
#include <stdlib.h>

enum { RATE = 16000, CHUNK = 320 };

static const int64_t CHUNK_NS = 20000000;

/* An input that delivers a chunk every 20 ms of `now`. */
struct input {
    struct sample_clock clock;
    int64_t now;    /* of the chunk's last sample */
    int64_t passed; /* position of what was passed on */
    int64_t held;   /* frames held back */
    int64_t lost;   /* sum of the gaps */
    int gaps;
    unsigned jitter;   /* state of the generator */
    int64_t jitter_ns; /* largest delay of an arrival */
};

static struct input start(int64_t jitter_ns)
{
    struct input input = {.now = INT64_C(5000000000), .jitter = 1, .jitter_ns = jitter_ns};
    sample_clock_start(&input.clock, RATE);
    return input;
}

static void arrive(struct input *input, int64_t frames, int64_t arrival_ns)
{
    int64_t lost;
    input->held += frames;
    if (!sample_clock_arrived(&input->clock, frames, arrival_ns, &lost)) {
        assert_int_equal(lost, 0);
        return;
    }
    assert_true(lost >= 0);
    input->gaps += lost > 0;
    input->lost += lost;
    input->passed += lost + input->held;
    input->held = 0;
    assert_int_equal(input->passed, input->clock.position);
}

static void deliver(struct input *input, int chunks)
{
    for (; chunks > 0; chunks--) {
        input->now += CHUNK_NS;
        input->jitter = input->jitter * 1103515245u + 12345u;
        int64_t delay = input->jitter_ns * (int64_t)(input->jitter >> 16 & 255) / 255;
        arrive(input, CHUNK, input->now + delay);
    }
}

/* The first sample's moment is the clock's, whatever came late of what was heard before. */
static void a_burst_at_the_start_moves_the_origin(void **state)
{
    (void)state;
    for (int burst = 0; burst <= 150; burst += 50) {
        struct input input = start(0);
        int64_t begin = input.now;
        input.now += burst * CHUNK_NS;
        for (int i = 0; i < burst; i++)
            arrive(&input, CHUNK, input.now + i * 50000);
        assert_int_equal(input.passed, 0);
        deliver(&input, 4);
        assert_int_equal(input.passed, 0);
        deliver(&input, 46);
        assert_int_equal(input.held, 0);
        assert_in_range(input.clock.origin_ns, begin - 1, begin + 1);
        input.now += INT64_C(900000000); /* and then it is too slow once */
        deliver(&input, 300);
        assert_in_range(input.lost, 9 * RATE / 10 - RATE / 50, 9 * RATE / 10 + RATE / 50);
        assert_in_range(input.clock.origin_ns, begin - 1, begin + 1);
    }
}

static void nothing_is_lost_by_jitter(void **state)
{
    (void)state;
    struct input input = start(90000000);
    deliver(&input, 50 * 600);
    assert_int_equal(input.lost, 0);
    assert_int_equal(input.passed, (int64_t)CHUNK * 50 * 600);
}

static void late_audio_that_catches_up_is_whole(void **state)
{
    (void)state;
    struct input input = start(10000000);
    deliver(&input, 200);
    for (int round = 0; round < 20; round++) {
        int64_t stall_end = input.now + 50 * CHUNK_NS; /* a second's worth comes at once */
        for (int i = 0; i < 50; i++)
            arrive(&input, CHUNK, stall_end + i * 100000);
        input.now = stall_end;
        deliver(&input, 100);
    }
    assert_int_equal(input.gaps, 0);
    assert_int_equal(input.held, 0);
    assert_int_equal(input.passed, (int64_t)CHUNK * (200 + 20 * 150));
}

static void lost_audio_is_one_gap_of_its_length(void **state)
{
    (void)state;
    struct input input = start(10000000);
    deliver(&input, 200);
    input.now += 40 * CHUNK_NS; /* 0.8 s never come */
    deliver(&input, 200);
    assert_int_equal(input.gaps, 1);
    assert_in_range(input.lost, 40 * CHUNK - RATE / 50, 40 * CHUNK + RATE / 50);
    assert_int_equal(input.held, 0);
}

static void many_small_losses_add_up(void **state)
{
    (void)state;
    struct input input = start(2000000);
    deliver(&input, 100);
    for (int i = 0; i < 300; i++) { /* 20 ms lost every second: each is too small to be seen */
        input.now += CHUNK_NS;
        deliver(&input, 49);
    }
    assert_in_range(input.lost, 300 * CHUNK - RATE / 5, 300 * CHUNK + RATE / 5);
}

static void drift_is_no_loss(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) { /* a crystal 200 ppm slow, or fast: ten hours */
        struct input input = start(5000000);
        for (int i = 0; i < 50 * 36000; i++) {
            input.now += sign * CHUNK_NS / 5000;
            deliver(&input, 1);
        }
        assert_int_equal(input.lost, 0);
        int64_t now = sample_clock_at(&input.clock, input.now);
        assert_in_range(now, input.passed, input.passed + RATE / 50);
    }
}

static void a_break_is_a_gap_of_its_length(void **state)
{
    (void)state;
    struct input input = start(10000000);
    deliver(&input, 100);
    assert_int_equal(sample_clock_break(&input.clock), 0);
    int64_t before = input.passed;
    input.now += INT64_C(7300000000); /* the server restarts */
    assert_in_range(sample_clock_at(&input.clock, input.now) - before, 73 * RATE / 10 - RATE / 20,
                    73 * RATE / 10 + RATE / 20);
    deliver(&input, 100);
    assert_int_equal(input.gaps, 1);
    assert_in_range(input.lost, 73 * RATE / 10 - RATE / 50, 73 * RATE / 10 + RATE / 50);
}

/* Just after a break one frame comes late: there is no telling jitter from loss by one arrival. */
static void jitter_after_a_break_is_no_loss(void **state)
{
    (void)state;
    for (int chunks = 250; chunks < 350; chunks++) { /* wherever the clock's windows end */
        struct input input = start(1000000);
        deliver(&input, chunks);
        sample_clock_break(&input.clock);
        input.now += INT64_C(6100000000);
        deliver(&input, 17);
        assert_int_equal(input.held, 0);
        int64_t lost = input.lost;
        for (int i = 0; i < 40; i++) {
            input.now += CHUNK_NS;
            arrive(&input, CHUNK, input.now + 70000000);
        }
        deliver(&input, 500);
        assert_int_equal(input.lost, lost);
    }
}

/* The account does not wander off, however often the server restarts. */
static void breaks_without_end_keep_the_clock(void **state)
{
    (void)state;
    struct input input = start(20000000);
    int64_t begin = input.now;
    for (int i = 0; i < 500; i++) {
        deliver(&input, 150 + i % 40);
        sample_clock_break(&input.clock);
        input.now += INT64_C(3700000000);
        deliver(&input, 50);
        int64_t off = input.passed - (input.now - begin) * RATE / INT64_C(1000000000);
        assert_in_range(off + RATE / 50, 0, RATE / 25);
    }
}

static void a_break_in_doubt_loses_no_frame(void **state)
{
    (void)state;
    struct input input = start(0);
    deliver(&input, 100);
    input.now += 25 * CHUNK_NS;
    deliver(&input, 5); /* late: held back */
    assert_int_equal(input.held, 5 * CHUNK);
    int64_t lost = sample_clock_break(&input.clock);
    assert_int_equal(lost, 25 * CHUNK);
    assert_int_equal(input.clock.position, 130 * CHUNK);
}

static void known_losses_are_not_found_twice(void **state)
{
    (void)state;
    struct input input = start(1000000);
    deliver(&input, 100);
    input.now += 50 * CHUNK_NS;
    sample_clock_lost(&input.clock, 50 * CHUNK);
    input.passed += 50 * CHUNK;
    deliver(&input, 500);
    assert_int_equal(input.lost, 0);
    assert_int_equal(input.passed, 650 * CHUNK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_at_the_start_moves_the_origin),
        cmocka_unit_test(nothing_is_lost_by_jitter),
        cmocka_unit_test(late_audio_that_catches_up_is_whole),
        cmocka_unit_test(lost_audio_is_one_gap_of_its_length),
        cmocka_unit_test(many_small_losses_add_up),
        cmocka_unit_test(drift_is_no_loss),
        cmocka_unit_test(a_break_is_a_gap_of_its_length),
        cmocka_unit_test(jitter_after_a_break_is_no_loss),
        cmocka_unit_test(breaks_without_end_keep_the_clock),
        cmocka_unit_test(a_break_in_doubt_loses_no_frame),
        cmocka_unit_test(known_losses_are_not_found_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

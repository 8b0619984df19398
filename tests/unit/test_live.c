/* SPDX-License-Identifier: MIT */
/* Three threads: the test pushes and reads, the worker decodes with a model that it can hold up. */
#include "events_text.h"
#include "stream/live.h"
#include "voice.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct fixture {
    struct ctc_labels labels;
    struct voice_model model;
    struct voice_model final_model; /* the FINALs' own */
    sem_t gate;       /* each pass of the model takes one, when `model.gate` says so */
    sem_t final_gate; /* the same for FINALs */
    struct utter_live *live;
    float *samples;
    int64_t count;
    struct events_text text;
};

static void open_fixture(struct fixture *f, int ring_ms, bool held)
{
    struct utter_stream_options options;
    const struct acoustic acoustic = voice_acoustic(&f->model);
    voice_labels(&f->labels);
    sem_init(&f->gate, 0, 0);
    sem_init(&f->final_gate, 0, 0);
    f->model.gate = held ? &f->gate : NULL;
    assert_int_equal(stream_options(&options, NULL, &acoustic, NULL), UTTER_OK);
    f->final_model.look_ahead = f->model.look_ahead;
    const struct acoustic final_acoustic = voice_acoustic(&f->final_model);
    struct finals *finals = finals_open(&final_acoustic, &f->labels,
                                        stream_samples_max(&options, &final_acoustic), NULL);
    assert_non_null(finals);
    struct utter_stream *stream = stream_open(&acoustic, &f->labels, &options, finals, NULL);
    assert_non_null(stream);
    f->live = live_open(stream, finals, ring_ms, NULL);
    assert_non_null(f->live);
}

static void let_go(struct fixture *f, int passes)
{
    while (passes-- > 0)
        sem_post(&f->gate);
}

static void let_finals_go(struct fixture *f, int passes)
{
    while (passes-- > 0)
        sem_post(&f->final_gate);
}

static void close_fixture(struct fixture *f)
{
    let_go(f, 10000);
    let_finals_go(f, 10000);
    utter_live_close(f->live);
    ctc_labels_close(&f->labels);
    sem_destroy(&f->gate);
    sem_destroy(&f->final_gate);
    events_text_close(&f->text);
    free(f->samples);
}

static void read_ready(struct fixture *f)
{
    const struct utter_event *event;
    while ((event = utter_live_next(f->live)))
        events_text_add(&f->text, event);
}

/* Until nothing will come any more. */
static void read_all(struct fixture *f)
{
    while (utter_live_wait(f->live, -1) != UTTER_WAIT_DONE)
        read_ready(f);
    read_ready(f);
}

/* The order of events but for what depends on the machine: words about being behind, FINALs, and
 * how many COMMITs bring the words of an utterance (behind real time, decodes are left out). */
static const char *order_of(struct fixture *f)
{
    char *to = f->text.order;
    for (const char *from = to; *from; from++)
        if (!strchr("BUF", *from) && !(*from == 'C' && to > f->text.order && to[-1] == 'C'))
            *to++ = *from;
    *to = 0;
    return f->text.order;
}

static struct utter_live_status status_of(const struct fixture *f)
{
    struct utter_live_status status = UTTER_LIVE_STATUS_INIT;
    utter_live_status(f->live, &status);
    return status;
}

static void wait_for_event(struct fixture *f, char letter)
{
    while (!strchr(f->text.order, letter)) {
        assert_int_equal(utter_live_wait(f->live, -1), UTTER_WAIT_EVENT);
        read_ready(f);
    }
}

/* Pushes samples [from, to) at their own place moved by `shift`; returns how many fitted. */
static int64_t push(struct fixture *f, int64_t from, int64_t to, int64_t shift)
{
    int64_t taken = 0;
    for (int64_t at = from; at < to;) {
        int64_t n = to - at < 160 ? to - at : 160;
        taken += utter_live_push(f->live, f->samples + at, n, at + shift);
        at += n;
    }
    return taken;
}

static void what_is_pushed_is_recognised(void **state)
{
    (void)state;
    struct fixture f = {.model.look_ahead = 3};
    open_fixture(&f, 60000, false);
    voice_say(&f.samples, &f.count, ".....hello|world|..........last|word");
    assert_int_equal(push(&f, 0, f.count, 0), f.count);
    utter_live_finish(f.live, f.count);
    read_all(&f);
    assert_string_equal(f.text.commits, "hello world last wor? ");
    assert_string_equal(order_of(&f), "SCQSCQ");
    assert_int_equal(f.text.lost, 0);
    struct utter_live_status status = status_of(&f);
    assert_int_equal(status.pushed, f.count);
    assert_int_equal(status.decoded, f.count);
    assert_false(status.speech);
    assert_true(status.level_dbfs > -40.0f && status.peak_dbfs >= status.level_dbfs - 0.01f);
    struct pollfd descriptor = {.fd = utter_live_descriptor(f.live), .events = POLLIN};
    assert_int_equal(poll(&descriptor, 1, 0), 1); /* all is done */
    close_fixture(&f);
}

static void a_jump_and_a_late_end_are_gaps(void **state)
{
    (void)state;
    struct fixture f = {0};
    open_fixture(&f, 60000, false);
    voice_say(&f.samples, &f.count, ".....one|");
    int64_t half = f.count;
    voice_say(&f.samples, &f.count, "two");
    push(&f, 0, half, 0);
    assert_int_equal(utter_live_push(f.live, f.samples, 10, half - 1), 0); /* the past */
    push(&f, half, f.count, 5555);
    utter_live_finish(f.live, f.count + 5555 + 77);
    read_all(&f);
    assert_string_equal(order_of(&f), "SCQGSCQG");
    assert_string_equal(f.text.finals, "one\ntwo\n");
    assert_int_equal(f.text.lost, 5555 + 77);
    assert_int_equal(f.text.gap_start, f.count + 5555);
    assert_int_equal(status_of(&f).lost, 5555 + 77);
    assert_int_equal(status_of(&f).decoded, f.count + 5555 + 77);
    close_fixture(&f);
}

static void a_flush_ends_the_utterance(void **state)
{
    (void)state;
    struct fixture f = {0};
    open_fixture(&f, 60000, false);
    voice_say(&f.samples, &f.count, ".....one|two|");
    push(&f, 0, f.count - 4 * LETTER_FRAMES * VOICE_FRAME, 0);
    utter_live_flush(f.live);
    utter_live_flush(f.live);
    push(&f, f.count - 4 * LETTER_FRAMES * VOICE_FRAME, f.count, 0);
    utter_live_finish(f.live, 0); /* before the last push: no gap */
    read_all(&f);
    assert_string_equal(f.text.finals, "one\ntwo\n");
    assert_int_equal(f.text.lost, 0);
    close_fixture(&f);
}

/* The worker is held in its first decode while more is pushed than the ring holds. */
static void a_full_ring_gives_a_gap_of_exact_length(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct fixture f = {0};
        open_fixture(&f, 2000, true);
        voice_say(&f.samples, &f.count, ".....ab|");
        assert_int_equal(push(&f, 0, f.count, 0), f.count);
        wait_for_event(&f, 'S');
        /* The first pass waits now, or soon. */
        int64_t spoken = f.count;
        for (int i = 0; i < 30; i++)
            voice_say(&f.samples, &f.count, "cd|");
        int64_t fitted = push(&f, spoken, f.count, 0);
        int64_t lost = f.count - spoken - fitted;
        assert_true(fitted > 0 && lost > 0);
        let_go(&f, 10000);
        if (more) { /* the ring is empty again, audio goes on */
            while (status_of(&f).decoded < spoken + fitted) {
                read_ready(&f);
                sched_yield();
            }
            voice_say(&f.samples, &f.count, "xyz|");
            push(&f, f.count - 16 * VOICE_FRAME, f.count, 0);
        }
        utter_live_finish(f.live, f.count);
        read_all(&f);
        assert_int_equal(f.text.lost, lost);
        assert_int_equal(status_of(&f).lost, lost);
        assert_int_equal(status_of(&f).decoded, f.count);
        assert_non_null(strchr(f.text.order, 'G'));
        assert_true(!more == !strstr(f.text.finals, "xyz\n"));
        close_fixture(&f);
    }
}

static int count_of(const char *order, char letter)
{
    int count = 0;
    for (; *order; order++)
        count += *order == letter;
    return count;
}

/* No FINAL gets done: captions go on until too many wait, then audio waits in the ring. */
static void finals_that_lag_lose_nothing(void **state)
{
    (void)state;
    struct fixture f = {0};
    f.final_model.gate = &f.final_gate;
    open_fixture(&f, 60000, false);
    for (int i = 0; i < 8; i++)
        voice_say(&f.samples, &f.count, ".....ab|cd|..........");
    assert_int_equal(push(&f, 0, f.count, 0), f.count);
    utter_live_finish(f.live, f.count + 7);
    /* One in the making is among those that wait; one more is on its way. */
    while (count_of(f.text.order, 'C') < FINALS_WAITING_MOST + 1) {
        assert_int_equal(utter_live_wait(f.live, -1), UTTER_WAIT_EVENT);
        read_ready(&f);
    }
    assert_int_equal(count_of(f.text.order, 'F'), 0);
    assert_true(status_of(&f).decoded < f.count);
    let_finals_go(&f, 10000);
    read_all(&f);
    assert_int_equal(count_of(f.text.order, 'F'), 8);
    assert_int_equal(f.text.lost, 7);
    char said[200] = "", finals[200] = "";
    for (int i = 0; i < 8; i++) {
        strcat(said, "ab cd ");
        strcat(finals, "ab cd\n");
    }
    assert_string_equal(f.text.commits, said);
    assert_string_equal(f.text.finals, finals);
    close_fixture(&f);
}

/* Its words are there, and closing does not wait for a FINAL that takes its time. */
static void closing_abandons_a_final(void **state)
{
    (void)state;
    struct fixture f = {0};
    f.final_model.gate = &f.final_gate; /* which nobody opens */
    open_fixture(&f, 60000, false);
    voice_say(&f.samples, &f.count, ".....ab|cd|..........ef|..........");
    assert_int_equal(push(&f, 0, f.count, 0), f.count);
    while (count_of(f.text.order, 'Q') < 2) {
        assert_int_equal(utter_live_wait(f.live, -1), UTTER_WAIT_EVENT);
        read_ready(&f);
    }
    utter_live_close(f.live);
    f.live = NULL;
    assert_true(f.final_model.cancelled);
    assert_string_equal(f.text.commits, "ab cd ef ");
    assert_string_equal(f.text.finals, "");
    close_fixture(&f);
}

/* Speech as fast as it can be pushed, which a worker that is held cannot follow: every rung is
 * taken and told, nothing is lost, and all is as before when it has caught up. */
static void being_behind_is_told_and_ends(void **state)
{
    (void)state;
    struct fixture f = {0};
    open_fixture(&f, 60000, true);
    for (int i = 0; i < 60; i++)
        voice_say(&f.samples, &f.count, "abc|def|");
    push(&f, 0, f.count, 0);
    while (f.text.rung < LADDER_LITTLE_LEFT) {
        let_go(&f, 1);
        if (utter_live_wait(f.live, 10) == UTTER_WAIT_EVENT)
            read_ready(&f);
    }
    assert_int_equal(count_of(f.text.order, 'B'), LADDER_LITTLE_LEFT);
    assert_true(status_of(&f).behind && status_of(&f).rung == LADDER_LITTLE_LEFT);
    let_go(&f, 10000);
    wait_for_event(&f, 'U');
    assert_false(status_of(&f).behind);
    assert_int_equal(f.text.rung, 0);
    utter_live_finish(f.live, f.count);
    read_all(&f);
    assert_int_equal(f.text.lost, 0); /* late, but whole */
    char said[600] = "";
    for (int i = 0; i < 60; i++)
        strcat(said, "abc def ");
    assert_string_equal(f.text.commits, said);
    assert_true(status_of(&f).load > 0.0f);
    /* Fewer decodes than one a hop. */
    assert_true(f.model.passes < f.count / (VOICE_RATE * 2 / 5));
    close_fixture(&f);
}

/* Speech faster than life, with a model that takes its time: all of it in the end while the ring
 * has room, and a GAP of just what did not fit when it has not. */
static void speech_at_any_speed_is_kept_or_told(void **state)
{
    (void)state;
    static const int speeds[] = {2, 4, 10};
    for (int i = 0; i < 6; i++) {
        bool room = i % 2 == 0;
        int speed = speeds[i / 2], words = 0;
        struct fixture f = {.model.delay_ms = 80, .final_model.delay_ms = 80};
        open_fixture(&f, room ? 60000 : 300, false);
        while (f.count < 2 * speed * VOICE_RATE / 2) {
            voice_say(&f.samples, &f.count, "abc|def|");
            words += 2;
        }
        int64_t fitted = 0, step = VOICE_RATE / 50;
        for (int64_t at = 0; at < f.count; at += step) {
            fitted += push(&f, at, at + step < f.count ? at + step : f.count, 0);
            nanosleep(&(struct timespec){.tv_nsec = 20000000 / speed}, NULL);
            read_ready(&f);
        }
        utter_live_finish(f.live, f.count);
        read_all(&f);
        assert_int_equal(f.text.lost, f.count - fitted);
        assert_int_equal(status_of(&f).lost, f.count - fitted);
        assert_int_equal(status_of(&f).decoded, f.count);
        print_message("%d times as fast, ring of %d ms: %ld of %ld samples lost\n", speed,
                      room ? 60000 : 300, (long)(f.count - fitted), (long)f.count);
        if (room) {
            assert_int_equal(f.text.lost, 0);
            assert_int_equal(count_of(f.text.commits, ' '), words);
        }
        close_fixture(&f);
    }
}

/* Nobody reads: the worker waits for the queue, audio for the worker, and all is told at last. */
static void a_reader_that_sleeps_loses_nothing_unseen(void **state)
{
    (void)state;
    struct fixture f = {0};
    open_fixture(&f, 2000, false);
    for (int i = 0; i < 200; i++)
        voice_say(&f.samples, &f.count, "abcdefghij|klm|n|o|p|..........");
    int64_t taken = 0, rounds = 0;
    for (int64_t at = 0; at < f.count; at += 1600, rounds++) {
        int64_t n = f.count - at < 1600 ? f.count - at : 1600;
        taken += utter_live_push(f.live, f.samples + at, n, at);
        if (rounds % 10 == 0)
            sched_yield();
    }
    utter_live_finish(f.live, f.count);
    read_all(&f);
    assert_int_equal(f.text.lost, f.count - taken);
    close_fixture(&f);
}

struct noise_maker {
    struct fixture *f;
    unsigned seed;
};

static void *make_noise(void *argument)
{
    struct noise_maker *maker = argument;
    struct fixture *f = maker->f;
    unsigned random = maker->seed;
    int64_t position = 0;
    for (int i = 0; i < 40; i++) {
        random = random * 1103515245u + 12345u;
        int64_t n = 1 + random / 65536 % 3000;
        int64_t at = random / 7 % (unsigned)(f->count - n);
        if (random % 11 == 0)
            position += random / 64 % 10000;
        utter_live_push(f->live, f->samples + at, n, position);
        position += n;
        if (random % 13 == 0)
            utter_live_flush(f->live);
        if (random % 5 == 0)
            sched_yield();
    }
    if (random % 3)
        utter_live_finish(f->live, position + random % 1000);
    return NULL;
}

/* Opened, pushed, read and closed in any order and at any time. */
static void random_rounds(void **state)
{
    (void)state;
    const char *wish = getenv("UTTER_TEST_ROUNDS");
    int rounds = wish ? atoi(wish) : 40;
    for (int i = 0; i < rounds; i++) {
        struct fixture f = {.model.look_ahead = i % 4};
        pthread_t thread;
        struct noise_maker maker = {.f = &f, .seed = (unsigned)i * 7919 + 1};
        voice_say(&f.samples, &f.count, "..abc|d|......efg|....");
        open_fixture(&f, 100 + i % 400, false);
        assert_int_equal(pthread_create(&thread, NULL, make_noise, &maker), 0);
        for (int k = 0; k < i % 50; k++) {
            utter_live_wait(f.live, k % 2);
            read_ready(&f);
            status_of(&f);
        }
        pthread_join(thread, NULL);
        close_fixture(&f);
    }
}

static void bad_arguments(void **state)
{
    (void)state;
    struct utter_error error;
    struct utter_live_options options = UTTER_LIVE_OPTIONS_INIT;
    assert_null(utter_live_open(NULL, NULL, NULL, &error));
    assert_int_equal(error.code, UTTER_ERROR_ARGUMENT);
    options.ring_ms = -1;
    assert_null(utter_live_open(NULL, NULL, &options, &error));
    assert_int_equal(utter_live_push(NULL, NULL, 1, 0), 0);
    utter_live_flush(NULL);
    utter_live_finish(NULL, 0);
    assert_null(utter_live_next(NULL));
    assert_int_equal(utter_live_wait(NULL, -1), UTTER_WAIT_DONE);
    assert_int_equal(utter_live_descriptor(NULL), -1);
    utter_live_status(NULL, NULL);
    utter_live_close(NULL);
    /* An older, shorter status gets what it has room for. */
    struct utter_live_status status = {.size = offsetof(struct utter_live_status, lost)};
    status.lost = 42;
    utter_live_status(NULL, &status);
    assert_int_equal(status.lost, 42);
    assert_int_equal(status.size, offsetof(struct utter_live_status, lost));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_pushed_is_recognised),
        cmocka_unit_test(a_jump_and_a_late_end_are_gaps),
        cmocka_unit_test(a_flush_ends_the_utterance),
        cmocka_unit_test(a_full_ring_gives_a_gap_of_exact_length),
        cmocka_unit_test(finals_that_lag_lose_nothing),
        cmocka_unit_test(closing_abandons_a_final),
        cmocka_unit_test(being_behind_is_told_and_ends),
        cmocka_unit_test(speech_at_any_speed_is_kept_or_told),
        cmocka_unit_test(a_reader_that_sleeps_loses_nothing_unseen),
        cmocka_unit_test(random_rounds),
        cmocka_unit_test(bad_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

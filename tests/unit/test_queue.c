/* SPDX-License-Identifier: MIT */
#include "stream/queue.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool readable(const struct queue *queue)
{
    struct pollfd descriptor = {.fd = queue_descriptor(queue), .events = POLLIN};
    return poll(&descriptor, 1, 0) == 1;
}

static bool put(struct queue *queue, enum utter_event_type type, uint64_t number)
{
    char text[64], words[2][32];
    snprintf(text, sizeof text, "text %d", (int)number);
    snprintf(words[0], sizeof words[0], "word%d", (int)number);
    snprintf(words[1], sizeof words[1], "second");
    const struct utter_word list[] = {{.text = words[0], .start = 1}, {.text = words[1]}};
    const struct utter_event event = {
        .type = type,
        .utterance = number,
        .text = text,
        .words = list,
        .word_count = number % 3,
    };
    return queue_write(queue, &event);
}

static void check(const struct utter_event *event, enum utter_event_type type, uint64_t number)
{
    char text[64];
    assert_non_null(event);
    snprintf(text, sizeof text, "text %d", (int)number);
    assert_int_equal(event->type, type);
    assert_int_equal(event->utterance, number);
    assert_string_equal(event->text, text);
    assert_int_equal(event->word_count, number % 3);
    snprintf(text, sizeof text, "word%d", (int)number);
    if (event->word_count > 0)
        assert_string_equal(event->words[0].text, text);
    if (event->word_count > 1)
        assert_string_equal(event->words[1].text, "second");
}

static void events_come_in_order(void **state)
{
    (void)state;
    struct queue *queue = queue_open(4096, NULL);
    assert_null(queue_read(queue));
    assert_false(readable(queue));
    assert_int_equal(queue_wait(queue, 0), UTTER_WAIT_TIMEOUT);
    for (uint64_t i = 1; i < 200; i++) { /* many times around */
        assert_true(put(queue, UTTER_EVENT_COMMIT, i));
        assert_true(put(queue, UTTER_EVENT_FINAL, i));
        assert_true(readable(queue));
        assert_int_equal(queue_wait(queue, -1), UTTER_WAIT_EVENT);
        check(queue_read(queue), UTTER_EVENT_COMMIT, i);
        check(queue_read(queue), UTTER_EVENT_FINAL, i);
        assert_false(readable(queue));
        assert_null(queue_read(queue));
    }
    put(queue, UTTER_EVENT_GAP, 7);
    queue_finish(queue);
    assert_int_equal(queue_wait(queue, -1), UTTER_WAIT_EVENT);
    check(queue_read(queue), UTTER_EVENT_GAP, 7);
    assert_true(readable(queue));
    assert_int_equal(queue_wait(queue, -1), UTTER_WAIT_DONE);
    assert_null(queue_read(queue));
    queue_close(queue);
    queue_close(NULL);
}

static bool put_draft(struct queue *queue, uint64_t utterance, int64_t end)
{
    const struct utter_event event = {
        .type = UTTER_EVENT_DRAFT, .utterance = utterance, .end = end, .text = "draft"};
    return queue_write(queue, &event);
}

static void check_draft(const struct utter_event *event, uint64_t utterance, int64_t end)
{
    assert_non_null(event);
    assert_int_equal(event->type, UTTER_EVENT_DRAFT);
    assert_int_equal(event->utterance, utterance);
    assert_int_equal(event->end, end);
}

static void unread_drafts_give_way(void **state)
{
    (void)state;
    struct queue *queue = queue_open(4096, NULL);
    put_draft(queue, 1, 1);
    put_draft(queue, 1, 2);
    put(queue, UTTER_EVENT_COMMIT, 1);
    for (int64_t i = 3; i < 500; i++) /* takes no more room than one */
        put_draft(queue, 1, i);
    check(queue_read(queue), UTTER_EVENT_COMMIT, 1);
    put_draft(queue, 1, 500);
    check_draft(queue_read(queue), 1, 500);
    put_draft(queue, 1, 501); /* the one that was read stays valid */
    put(queue, UTTER_EVENT_FINAL, 1);
    put_draft(queue, 2, 600); /* does not replace the other utterance's last */
    put_draft(queue, 2, 601);
    check_draft(queue_read(queue), 1, 501);
    check(queue_read(queue), UTTER_EVENT_FINAL, 1);
    check_draft(queue_read(queue), 2, 601);
    assert_null(queue_read(queue));
    assert_false(readable(queue));
    queue_close(queue);
}

enum { MANY = 20000 };

static void *write_many(void *argument)
{
    struct queue *queue = argument;
    for (uint64_t i = 1; i <= MANY; i++)
        if (!put(queue, i % 2 ? UTTER_EVENT_DRAFT : UTTER_EVENT_COMMIT, i))
            return NULL;
    queue_finish(queue);
    return queue;
}

static void a_writer_waits_for_room_and_nothing_is_lost(void **state)
{
    (void)state;
    pthread_t thread;
    struct queue *queue = queue_open(2048, NULL);
    uint64_t next = 2, last = 0;
    assert_int_equal(pthread_create(&thread, NULL, write_many, queue), 0);
    while (queue_wait(queue, 60000) == UTTER_WAIT_EVENT) {
        const struct utter_event *event = queue_read(queue);
        if (!event)
            continue; /* a draft that gave way to the next event meanwhile */
        check(event, event->type, event->utterance);
        assert_true(event->utterance > last);
        last = event->utterance;
        if (event->type != UTTER_EVENT_COMMIT)
            continue;
        assert_int_equal(event->utterance, next);
        next += 2;
    }
    pthread_join(thread, NULL);
    assert_int_equal(next, MANY + 2);
    queue_close(queue);
}

static void *write_commits(void *argument)
{
    for (uint64_t i = 1; i <= MANY; i++)
        put(argument, UTTER_EVENT_COMMIT, i);
    return NULL;
}

/* One that waits for the descriptor alone, without a limit: a wake-up that is lost hangs it. */
static void who_polls_misses_nothing(void **state)
{
    (void)state;
    pthread_t threads[2];
    struct queue *queue = queue_open(2048, NULL);
    struct pollfd descriptor = {.fd = queue_descriptor(queue), .events = POLLIN};
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_commits, queue), 0);
    for (int count = 0; count < 2 * MANY;) {
        assert_int_equal(poll(&descriptor, 1, -1), 1);
        while (queue_read(queue))
            count++;
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_null(queue_read(queue));
    assert_false(readable(queue));
    queue_close(queue);
}

static void a_waiting_writer_can_be_stopped(void **state)
{
    (void)state;
    pthread_t thread;
    void *result;
    struct queue *queue = queue_open(2048, NULL);
    assert_int_equal(pthread_create(&thread, NULL, write_many, queue), 0);
    assert_int_equal(queue_wait(queue, -1), UTTER_WAIT_EVENT);
    queue_stop(queue);
    pthread_join(thread, &result);
    assert_null(result);
    queue_close(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_in_order),
        cmocka_unit_test(unread_drafts_give_way),
        cmocka_unit_test(a_writer_waits_for_room_and_nothing_is_lost),
        cmocka_unit_test(who_polls_misses_nothing),
        cmocka_unit_test(a_waiting_writer_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

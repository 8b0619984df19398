/* SPDX-License-Identifier: MIT */
/* Two inputs, each with a thread of its own, are one: every frame where its clock says. */
#include "app/mixer.h"
#include "app/thread.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { RATE = 16000, CHUNK = 320, LENGTH = 4 * RATE };

/* An input that hears `value`, but for what is lost of it. */
struct input {
    struct source source;
    struct outlet *outlet;
    pthread_t pump;
    pthread_barrier_t *step; /* both inputs keep pace, as clocks do */
    float value;
    int64_t delay, other_delay; /* frames that this one, or the other, begins later */
    int64_t lost_begin, lost_end;
    atomic_bool paused;
};

static void *pump(void *user)
{
    struct input *input = user;
    float chunk[CHUNK];
    for (int i = 0; i < CHUNK; i++)
        chunk[i] = input->value;
    for (int64_t position = -input->delay; position < LENGTH; position += CHUNK) {
        pthread_barrier_wait(input->step);
        if (position < 0 || (position >= input->lost_begin && position < input->lost_end))
            continue;
        for (int64_t done = 0; done < CHUNK;)
            done += input->outlet->push(input->outlet, chunk + done, CHUNK - done, position + done);
        if (position + CHUNK == input->lost_begin)
            input->outlet->flush(input->outlet);
    }
    input->outlet->finish(input->outlet, LENGTH);
    for (int64_t rest = input->other_delay; rest > 0; rest -= CHUNK)
        pthread_barrier_wait(input->step);
    return NULL;
}

static bool input_start(struct source *source, struct outlet *outlet, struct utter_error *error)
{
    struct input *input = (struct input *)source;
    (void)error;
    input->outlet = outlet;
    return thread_start(&input->pump, pump, input) == 0;
}

static void input_pause(struct source *source, bool paused)
{
    atomic_store(&((struct input *)source)->paused, paused);
}

static void input_status(struct source *source, struct source_status *status)
{
    const struct input *input = (struct input *)source;
    *status = (struct source_status){.state = input->lost_end > 0 ? SOURCE_LOST : SOURCE_LISTENING};
}

static void input_stop(struct source *source)
{
    (void)source;
}

static void input_close(struct source *source)
{
    pthread_join(((struct input *)source)->pump, NULL);
}

static const struct source_kind KIND = {input_start, input_pause, input_status,
                                        input_stop,  input_close, NULL};

/* What comes out of the mixer; its pumps' until they are joined. */
struct mix {
    struct outlet outlet;
    float frames[2 * LENGTH];
    bool there[2 * LENGTH];
    int64_t position;
    int flushes;
    _Atomic int64_t end;
};

static int64_t mix_push(struct outlet *outlet, const float *samples, int64_t count,
                        int64_t position)
{
    struct mix *mix = (struct mix *)outlet;
    assert_true(position >= mix->position && position + count <= 2 * LENGTH);
    for (int64_t i = 0; i < count; i++) {
        mix->frames[position + i] = samples[i];
        mix->there[position + i] = true;
    }
    mix->position = position + count;
    return count;
}

static void mix_flush(struct outlet *outlet)
{
    ((struct mix *)outlet)->flushes++;
}

static void mix_finish(struct outlet *outlet, int64_t end)
{
    atomic_store(&((struct mix *)outlet)->end, end);
}

static bool has(const struct input *input, int64_t offset, int64_t position)
{
    int64_t own = position - offset;
    return own >= 0 && own < LENGTH && !(own >= input->lost_begin && own < input->lost_end);
}

/* The second input begins `offset` frames later. */
static void expect_mix(const struct mix *mix, const struct input inputs[2], int64_t offset)
{
    for (int64_t i = 0; i < LENGTH + offset; i++) {
        bool first = has(&inputs[0], 0, i), second = has(&inputs[1], offset, i);
        float sum = (first ? inputs[0].value : 0.0f) + (second ? inputs[1].value : 0.0f);
        assert_int_equal(mix->there[i], first || second);
        assert_true(!mix->there[i] || fabsf(mix->frames[i] - sum) < 1e-6f);
    }
}

/* Mixes while this thread asks for what it will; returns how many gaps of one input were told. */
static int run(struct mix *mix, struct input inputs[2], int64_t offset, struct source_gap *last)
{
    const struct timespec nap = {.tv_nsec = 1000000};
    struct utter_error error;
    struct source_status status;
    struct source *const sources[2] = {&inputs[0].source, &inputs[1].source};
    pthread_barrier_t step;
    pthread_barrier_init(&step, NULL, 2);
    for (int i = 0; i < 2; i++) {
        inputs[i].step = &step;
        inputs[i].delay = i * offset;
        inputs[i].other_delay = (1 - i) * offset;
        inputs[i].source =
            (struct source){.kind = &KIND,
                            .sample_rate = RATE,
                            .channels = 1,
                            .name = i == 0 ? "first" : "second",
                            .origin_ns = 1000000000 + i * offset * 1000000000 / RATE};
    }
    *mix = (struct mix){.outlet = {mix_push, mix_flush, mix_finish}, .end = -1};
    struct source *mixer = mixer_open(sources, RATE, &error);
    assert_non_null(mixer);
    assert_true(source_start(mixer, &mix->outlet, &error));
    int gaps = 0;
    for (bool done = false; !done;) {
        done = atomic_load(&mix->end) >= 0;
        while (source_next_gap(mixer, last))
            gaps++;
        source_status(mixer, &status);
        nanosleep(&nap, NULL);
    }
    source_close(mixer);
    pthread_barrier_destroy(&step);
    assert_int_equal(atomic_load(&mix->end), LENGTH + offset);
    return gaps;
}

static struct mix mix;

static void test_both_are_heard_at_their_times(void **state)
{
    (void)state;
    for (int64_t offset = 0; offset <= 30 * CHUNK; offset += 15 * CHUNK) {
        struct source_gap gap;
        struct input inputs[2] = {{.value = 0.25f}, {.value = 0.5f}};
        assert_int_equal(run(&mix, inputs, offset, &gap), 0);
        expect_mix(&mix, inputs, offset);
    }
}

static void test_what_one_lacks_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct source_gap gap;
        struct input inputs[2] = {{.value = 0.25f}, {.value = 0.5f}};
        inputs[i].lost_begin = RATE;
        inputs[i].lost_end = RATE + 80 * CHUNK; /* longer than the mix waits for it */
        assert_int_equal(run(&mix, inputs, 0, &gap), 1);
        expect_mix(&mix, inputs, 0);
        assert_int_equal(gap.input, i);
        assert_int_equal(gap.start, inputs[i].lost_begin);
        assert_int_equal(gap.end, inputs[i].lost_end);
        assert_int_equal(gap.lost, 80 * CHUNK);
    }
}

static void test_what_both_lack_is_left_out(void **state)
{
    (void)state;
    struct source_gap gap;
    struct input inputs[2] = {
        {.value = 0.25f, .lost_begin = RATE, .lost_end = RATE + 80 * CHUNK},
        {.value = 0.5f, .lost_begin = RATE + 20 * CHUNK, .lost_end = RATE + 80 * CHUNK}};
    assert_int_equal(run(&mix, inputs, 0, &gap), 1);
    expect_mix(&mix, inputs, 0);
    assert_int_equal(gap.input, 0);
    assert_int_equal(gap.lost, 20 * CHUNK); /* the rest is the mix's own gap */
    assert_true(mix.flushes > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_are_heard_at_their_times),
        cmocka_unit_test(test_what_one_lacks_is_told),
        cmocka_unit_test(test_what_both_lack_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

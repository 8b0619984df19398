/* SPDX-License-Identifier: MIT */
/* Once a stream runs, nothing is allocated: every malloc of the process is counted here. */
#include "golden_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define CAN_COUNT 0
#elif defined(__has_feature)
#define CAN_COUNT !(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define CAN_COUNT 1
#endif

static atomic_long allocations;

#if CAN_COUNT
/* glibc's own names for what these replace. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_memalign(alignment, size);
}
#endif

/* Speech and pauses, a gap, a flush: all that a stream meets. Returns the events read. */
static int run(struct utter_stream *stream, const float *samples, int64_t count, int64_t *position)
{
    int events = 0;
    for (int64_t at = 0; at < count;) {
        int64_t n = count - at < 1000 ? count - at : 1000;
        int64_t taken = utter_stream_feed(stream, samples + at * 2, n, *position + at, NULL);
        at += taken;
        while (utter_stream_next(stream))
            events++;
    }
    *position += count + 777;
    utter_stream_flush(stream, NULL);
    while (utter_stream_next(stream))
        events++;
    return events;
}

/* The longest golden input in stereo with a pause after it. */
static float *make_recording(const char *name, int64_t *count)
{
    struct golden golden;
    golden_open(&golden, name);
    int64_t spoken = 0;
    float *input = NULL;
    for (size_t i = 0; i < json_array_size(golden.cases); i++) {
        const json_t *test = json_array_get(golden.cases, i);
        if (golden_number(test, "samples") <= spoken)
            continue;
        free(input);
        input = golden_input(&golden, test, &spoken);
    }
    *count = spoken + 50000;
    float *samples = calloc((size_t)*count * 2, sizeof *samples);
    for (int64_t i = 0; i < spoken; i++)
        samples[2 * i] = samples[2 * i + 1] = input[i];
    free(input);
    golden_close(&golden);
    return samples;
}

static void a_running_stream_allocates_nothing(void **state)
{
    (void)state;
    if (!CAN_COUNT)
        skip();
    static const char *const names[] = {"digits", "base", "group-plain"};
    for (size_t i = 0; i < 2 * sizeof names / sizeof *names; i++) {
        char directory[512];
        int64_t count, position = 0;
        float *samples = make_recording(names[i / 2], &count);
        snprintf(directory, sizeof directory, GOLDEN_DIRECTORY "/%s", names[i / 2]);
        struct utter_engine *engine = utter_engine_open(NULL, NULL);
        struct utter_model *model = utter_model_open(engine, directory, NULL, NULL);
        struct utter_stream_options options = UTTER_STREAM_OPTIONS_INIT;
        options.channels = 2;
        options.sample_rate = 44100;
        options.encoder = i % 2 ? UTTER_ENCODER_CACHED : UTTER_ENCODER_WINDOW;
        struct utter_stream *stream = utter_stream_open(model, &options, NULL);
        assert_non_null(stream);
        long before = atomic_load(&allocations);
        assert_true(before > 0); /* they are counted at all */
        /* The resampling library grows its queues in the first seconds. */
        run(stream, samples, count, &position);
        before = atomic_load(&allocations);
        for (int k = 0; k < 3; k++)
            assert_true(run(stream, samples, count, &position) >= 3);
        assert_int_equal(atomic_load(&allocations) - before, 0);
        utter_stream_close(stream);
        utter_model_close(model);
        utter_engine_close(engine);
        free(samples);
    }
}

/* Pushes a recording as the producer, reads as the consumer, until its FINALs are there. */
static int run_live(struct utter_live *live, const float *samples, int64_t count, int64_t *position,
                    uint64_t *finals)
{
    int events = 0;
    uint64_t spoken = *finals;
    assert_int_equal(utter_live_push(live, samples, count, *position), count);
    utter_live_flush(live);
    *position += count;
    struct utter_live_status status = UTTER_LIVE_STATUS_INIT;
    /* The flush itself shows only in its events. */
    while (utter_live_status(live, &status), status.decoded < *position || *finals < spoken ||
                                                 utter_live_wait(live, 50) == UTTER_WAIT_EVENT) {
        utter_live_wait(live, 5);
        for (const struct utter_event *event; (event = utter_live_next(live)); events++) {
            if (event->utterance > spoken)
                spoken = event->utterance;
            *finals += event->type == UTTER_EVENT_FINAL;
        }
    }
    return events;
}

static void a_live_stream_allocates_nothing(void **state)
{
    (void)state;
    if (!CAN_COUNT)
        skip();
    int64_t count, position = 0;
    uint64_t finals = 0;
    float *samples = make_recording("digits", &count);
    struct utter_engine *engine = utter_engine_open(NULL, NULL);
    struct utter_model *model = utter_model_open(engine, GOLDEN_DIRECTORY "/digits", NULL, NULL);
    struct utter_stream_options options = UTTER_STREAM_OPTIONS_INIT;
    options.channels = 2;
    options.encoder = UTTER_ENCODER_CACHED;
    struct utter_live *live = utter_live_open(model, &options, NULL, NULL);
    assert_non_null(live);
    run_live(live, samples, count, &position, &finals);
    long before = atomic_load(&allocations);
    for (int k = 0; k < 3; k++)
        assert_true(run_live(live, samples, count, &position, &finals) >= 3);
    assert_true(finals >= 3);
    assert_int_equal(atomic_load(&allocations) - before, 0);
    utter_live_close(live);
    utter_model_close(model);
    utter_engine_close(engine);
    free(samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_stream_allocates_nothing),
        cmocka_unit_test(a_live_stream_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A stream that goes on: what is said again is heard again, to the sample, in the same memory. */
#include "golden_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    RATE = 16000,
    PERIOD = 4 * RATE, /* a multiple of what the gate remembers and of the hop */
    SETTLED = 3,       /* rounds until the noise floor is known and buffers are touched */
    ROUNDS = 40,
};

/* The golden inputs with pauses between them, whole periods. */
static float *make_round(int64_t *count)
{
    struct golden golden;
    float *samples = NULL;
    golden_open(&golden, "digits");
    *count = 0;
    for (size_t i = 0; i < json_array_size(golden.cases); i++) {
        int64_t more;
        float *input = golden_input(&golden, json_array_get(golden.cases, i), &more);
        int64_t whole = (more + 2 * RATE + PERIOD - 1) / PERIOD * PERIOD;
        samples = realloc(samples, (size_t)(*count + whole) * sizeof *samples);
        assert_non_null(samples);
        memset(samples + *count, 0, (size_t)whole * sizeof *samples);
        memcpy(samples + *count + RATE / 2, input, (size_t)more * sizeof *samples);
        *count += whole;
        free(input);
    }
    golden_close(&golden);
    return samples;
}

static long resident_pages(void)
{
    long all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%ld %ld", &all, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident;
}

/* Everything about an event but when it was. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(1099511628211);
    return hash;
}

static uint64_t mix_event(uint64_t hash, const struct utter_event *event, int64_t origin)
{
    const int64_t span[] = {event->start - origin, event->end - origin, event->type, event->state};
    hash = mix(hash, span, sizeof span);
    for (size_t i = 0; i < event->word_count; i++) {
        const struct utter_word *word = &event->words[i];
        const int64_t place[] = {word->start - origin, word->end - origin};
        hash = mix(hash, place, sizeof place);
        hash = mix(hash, &word->confidence, sizeof word->confidence);
    }
    return mix(hash, event->text, strlen(event->text));
}

/* One round of the recording; returns what its events were. */
static uint64_t run_round(struct utter_stream *stream, const float *samples, int64_t count,
                          int64_t origin, int *events)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (int64_t at = 0; at < count;) {
        int64_t n = count - at < 1600 ? count - at : 1600;
        int64_t taken = utter_stream_feed(stream, samples + at, n, origin + at, NULL);
        assert_true(taken >= 0);
        at += taken;
        for (const struct utter_event *event; (event = utter_stream_next(stream)); ++*events)
            hash = mix_event(hash, event, origin);
    }
    return hash;
}

static void check_encoder(enum utter_encoder encoder)
{
    const char *wish = getenv("UTTER_TEST_HOURS");
    int64_t count, rounds = ROUNDS;
    float *samples = make_round(&count);
    if (wish)
        rounds = (int64_t)(atof(wish) * 3600 * RATE) / count;
    struct utter_engine *engine = utter_engine_open(NULL, NULL);
    struct utter_model *model = utter_model_open(engine, GOLDEN_DIRECTORY "/digits", NULL, NULL);
    struct utter_stream_options options = UTTER_STREAM_OPTIONS_INIT;
    options.encoder = encoder;
    struct utter_stream *stream = utter_stream_open(model, &options, NULL);
    assert_non_null(stream);
    uint64_t first = 0;
    long pages = 0;
    for (int64_t i = 0; i < rounds; i++) {
        int events = 0;
        uint64_t hash = run_round(stream, samples, count, i * count, &events);
        assert_true(events > 8);
        if (i == SETTLED) {
            first = hash;
            pages = resident_pages();
        }
        if (i > SETTLED && hash != first)
            fail_msg("round %ld was heard in another way", (long)i);
    }
    print_message("%.2f hours; %ld pages more\n", (double)rounds * (double)count / RATE / 3600,
                  resident_pages() - pages);
    assert_true(resident_pages() - pages <= (1 << 20) / sysconf(_SC_PAGESIZE));
    utter_stream_close(stream);
    utter_model_close(model);
    utter_engine_close(engine);
    free(samples);
}

static void rounds_of_windows_are_alike(void **state)
{
    (void)state;
    check_encoder(UTTER_ENCODER_WINDOW);
}

static void rounds_of_the_cached_encoder_are_alike(void **state)
{
    (void)state;
    check_encoder(UTTER_ENCODER_CACHED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_of_windows_are_alike),
        cmocka_unit_test(rounds_of_the_cached_encoder_are_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

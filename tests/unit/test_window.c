/* SPDX-License-Identifier: MIT */
/* The streaming method's arithmetic: window plan, chunks, endpoints, what is kept. */
#include "stream/window.h"

#include "stream/audio.h"
#include "stream/chunks.h"
#include "stream/emissions.h"
#include "stream/endpoint.h"
#include "stream/ladder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- window plan ----------------------------------------------------------------------------- */

/* Runs a plan over an utterance of frames [start, end), `known` of which were there when it began,
 * and checks that each frame is settled once, in order, with its contexts. */
static int run_plan(struct window_plan plan, int64_t start, int64_t known, int64_t end)
{
    struct window w;
    int decodes = 0;
    int64_t settled = start;
    plan.stretch = plan.stretch ? plan.stretch : 1;
    window_begin(&plan, start, start + known);
    for (int64_t available = start + known; available <= end; available++) {
        while (window_next(&plan, available, &w)) {
            decodes++;
            assert_true(w.end <= available);
            assert_true(w.end - w.settle <= window_longest(&plan));
            if (w.end - w.settle < window_longest(&plan))
                assert_int_equal(w.end % (plan.hop * plan.stretch), 0);
            assert_int_equal(w.settle, settled);
            assert_true(w.settle_end >= w.settle);
            if (w.settle_end > w.settle)
                assert_true(w.end - w.settle_end >= plan.right);
            assert_true(w.first >= start && w.first <= w.settle);
            if (w.first > start)
                assert_int_equal(w.settle - w.first, plan.left);
            settled = w.settle_end;
        }
    }
    while (window_last(&plan, end, &w)) {
        assert_int_equal(w.settle, settled);
        assert_true(w.settle_end == end || w.end - w.settle == window_longest(&plan));
        assert_true(w.end <= end && w.settle_end > settled);
        settled = w.settle_end;
    }
    assert_int_equal(settled, end);
    assert_false(window_last(&plan, end, &w));
    return decodes;
}

static void each_frame_is_settled_once(void **state)
{
    (void)state;
    for (int64_t hop = 1; hop < 40; hop += 6)
        for (int64_t right = 1; right < 40; right += 7)
            for (int64_t start = 0; start < 50; start += 11)
                for (int64_t length = 0; length < 300; length += 43) {
                    struct window_plan plan = {.left = 25, .hop = hop, .right = right};
                    int64_t known = length < 30 ? length : 30;
                    run_plan(plan, start, known, start + length);
                    plan.stretch = 4;
                    run_plan(plan, start, known, start + length);
                }
}

static void decodes_come_once_a_hop(void **state)
{
    (void)state;
    const struct window_plan plan = {.left = 200, .hop = 20, .right = 16};
    assert_int_equal(run_plan(plan, 0, 0, 1000), 50);
    assert_int_equal(run_plan(plan, 7, 0, 1000), 50);
    /* What was there at the beginning is decoded in long windows, not hop by hop. */
    assert_int_equal(run_plan(plan, 0, 500, 1000), 26 + 6);
}

enum { HURRIED_HOPS = 4 };

/* The same decodes as without hurry, and others between them, before frame `until`. */
static void check_hurry(struct window_plan calm, int64_t until)
{
    struct window_plan hurried = calm;
    struct window a, b;
    int between = 0;
    window_begin(&calm, 13, 40);
    window_begin(&hurried, 13, 40);
    hurried.hurry = until;
    for (int64_t available = 40; available < 400; available++) {
        while (window_next(&hurried, available, &a)) {
            if (a.settle_end > a.settle || a.end % (calm.hop * calm.stretch) == 0) {
                assert_true(window_next(&calm, available, &b));
                assert_memory_equal(&a, &b, sizeof a);
                continue;
            }
            between++;
            assert_int_equal(a.end, available);
            assert_true(a.end < until && a.end % calm.hop == (calm.hop + 1) / 2);
        }
        assert_false(window_next(&calm, available, &b));
    }
    assert_int_equal(between, calm.stretch > 1 || calm.hop == 1 ? 0 : HURRIED_HOPS);
}

static void hurried_decodes_lie_between_and_settle_nothing(void **state)
{
    (void)state;
    for (int64_t hop = 1; hop <= 20; hop++) {
        struct window_plan plan = {.left = 200, .hop = hop, .right = 40, .stretch = 1};
        check_hurry(plan, 40 + HURRIED_HOPS * hop);
        plan.stretch = 2;
        check_hurry(plan, 40 + HURRIED_HOPS * hop);
    }
    /* What is too long for one decode is none. */
    struct window_plan plan = {.hop = 2, .right = 3, .stretch = 1};
    struct window w;
    window_begin(&plan, 0, 30);
    plan.hurry = 1000;
    while (window_next(&plan, 31, &w))
        assert_true(w.end - w.settle <= window_longest(&plan));
}

/* ---- chunks ---------------------------------------------------------------------------------- */

static void chunks_lay_every_frame_end_to_end(void **state)
{
    (void)state;
    const struct acoustic acoustic = {
        .sample_rate = 16000, .frame_samples = 320, .receptive_field = 400};
    const struct chunk_plan plans[] = {
        chunk_plan_make(&acoustic, 2000, 500),
        chunk_plan_make(&acoustic, 1000, 0),
        {.length = 40000 / 320 * 320, .left = 3200, .right = 11200},
    };
    for (size_t p = 0; p < sizeof plans / sizeof *plans; p++)
        for (int64_t total = 0; total < 200000; total += 997) {
            struct chunk chunk;
            int64_t next = 0;
            for (int64_t i = 0; chunk_at(&plans[p], &acoustic, total, i, &chunk); i++) {
                assert_int_equal(chunk.start % 320, 0);
                assert_true(chunk.start + chunk.count <= total);
                assert_true(chunk.skip + chunk.keep <= acoustic_frames(&acoustic, chunk.count));
                if (plans[p].left > 0 && chunk.keep > 0) {
                    assert_int_equal(chunk.start / 320 + chunk.skip, next);
                    next = chunk.start / 320 + chunk.skip + chunk.keep;
                }
            }
            if (plans[p].left > 0)
                assert_int_equal(next, acoustic_frames(&acoustic, total));
        }
}

static void lengths_are_rounded_as_the_pipeline_does(void **state)
{
    (void)state;
    const struct acoustic acoustic = {
        .sample_rate = 16000, .frame_samples = 320, .receptive_field = 400};
    struct chunk_plan plan = chunk_plan_make(&acoustic, 30000, 5000);
    assert_int_equal(plan.length, 480000);
    assert_int_equal(plan.left, 80000);
    plan = chunk_plan_make(&acoustic, 1010, 30); /* 50.5 and 1.5 frames: halves go to even */
    assert_int_equal(plan.length, 50 * 320);
    assert_int_equal(plan.right, 2 * 320);
}

/* ---- endpoint -------------------------------------------------------------------------------- */

/* Of `speech` blocks of speech, the last word of which ends after `words`, and silence. */
static int64_t length_at_end(struct endpoint *e, int64_t speech, int64_t words,
                             enum endpoint_verdict expected)
{
    endpoint_begin(e);
    for (int64_t length = 1;; length++) {
        enum endpoint_verdict verdict = endpoint_push(e, length <= speech, length <= speech, length,
                                                      length < words ? length : words);
        if (verdict == ENDPOINT_NONE)
            continue;
        assert_int_equal(verdict, expected);
        return length;
    }
}

static void silence_and_the_limit_end_utterances(void **state)
{
    (void)state;
    struct endpoint e = {.silence = 40, .wordless = 200, .limit = 900};
    assert_int_equal(length_at_end(&e, 100, 100, ENDPOINT_SILENCE), 140);
    assert_int_equal(length_at_end(&e, 0, 0, ENDPOINT_SILENCE), 40);
    assert_int_equal(length_at_end(&e, 5000, 5000, ENDPOINT_LIMIT), 900);
    /* Towards the limit a shorter pause is enough. */
    int64_t late = length_at_end(&e, 800, 800, ENDPOINT_SILENCE) - 800;
    int64_t later = length_at_end(&e, 880, 880, ENDPOINT_SILENCE) - 880;
    assert_true(late < 40 && later < late && later >= 10);
}

/* The verdict after 100 blocks of speech, then 45 blocks of `power`; words for `words` blocks. */
static enum endpoint_verdict verdict_after_pause(float power, int64_t words, bool pause_off)
{
    struct endpoint e = {.silence = 40, .wordless = 200, .limit = 900, .pause_off = pause_off};
    endpoint_begin(&e);
    for (int64_t length = 1; length <= 145; length++) {
        bool pause = length > 100;
        enum endpoint_verdict verdict =
            endpoint_push(&e, true, pause ? power : 1e-2f, length, length < words ? length : words);
        if (verdict != ENDPOINT_NONE) {
            assert_int_equal(length, 140);
            return verdict;
        }
    }
    return ENDPOINT_NONE;
}

static void a_faint_room_is_a_pause(void **state)
{
    (void)state;
    assert_int_equal(verdict_after_pause(1e-6f, 100, false), ENDPOINT_PAUSE);
    assert_int_equal(verdict_after_pause(1e-4f, 100, false), ENDPOINT_NONE);
    /* Somebody far away, but he is heard; and what was before the first word. */
    assert_int_equal(verdict_after_pause(1e-6f, 145, false), ENDPOINT_NONE);
    assert_int_equal(verdict_after_pause(1e-6f, 0, false), ENDPOINT_NONE);
    assert_int_equal(verdict_after_pause(1e-6f, 100, true), ENDPOINT_NONE);
}

static void a_bang_makes_speech_faint_for_seconds_only(void **state)
{
    (void)state;
    struct endpoint e = {.silence = 40, .wordless = 900, .limit = 900};
    endpoint_begin(&e);
    endpoint_push(&e, true, 1.0f, 1, 0);
    int64_t blocks = 1;
    while (e.faint == blocks - 1)
        endpoint_push(&e, true, 1e-4f, ++blocks, 0);
    assert_in_range(blocks, 100, 130);
}

static void sound_without_a_word_ends_utterances(void **state)
{
    (void)state;
    struct endpoint e = {.silence = 40, .wordless = 200, .limit = 900};
    assert_int_equal(length_at_end(&e, 5000, 0, ENDPOINT_WORDLESS), 200);
    assert_int_equal(length_at_end(&e, 5000, 300, ENDPOINT_WORDLESS), 500);
    assert_int_equal(length_at_end(&e, 5000, 750, ENDPOINT_LIMIT), 900);
    /* Silence after it has its own rule. */
    assert_int_equal(length_at_end(&e, 190, 0, ENDPOINT_SILENCE), 230);
}

/* ---- ladder ---------------------------------------------------------------------------------- */

static void the_ladder_goes_up_by_rungs_and_down_at_once(void **state)
{
    (void)state;
    enum ladder_rung rung = LADDER_IN_TIME;
    int64_t waited[4] = {0};
    for (int64_t ms = 0; ms < 20000; ms += 100) {
        enum ladder_rung next = ladder_step(rung, ms);
        assert_true(next == rung || next == rung + 1);
        if (next > rung)
            waited[next] = ms;
        rung = next;
    }
    assert_int_equal(rung, LADDER_LITTLE_LEFT);
    assert_true(0 < waited[1] && waited[1] < waited[2] && waited[2] < waited[3]);
    for (int64_t ms = 20000; ms > 500; ms -= 100)
        assert_int_equal(ladder_step(rung, ms), rung);
    assert_int_equal(ladder_step(rung, 500), LADDER_IN_TIME);
    for (rung = LADDER_IN_TIME; rung < LADDER_LITTLE_LEFT; rung++) {
        assert_true(ladder_stretch(rung) <= ladder_stretch(rung + 1));
        assert_true(ladder_left(rung, 200) >= ladder_left(rung + 1, 200));
    }
    assert_int_equal(ladder_stretch(LADDER_IN_TIME), 1);
    assert_int_equal(ladder_left(LADDER_LITTLE_LEFT, 1), 1);
}

/* ---- what is kept ---------------------------------------------------------------------------- */

static void emissions_are_settled_in_order(void **state)
{
    (void)state;
    struct emissions e;
    assert_int_equal(emissions_open(&e, 10, 2, NULL), UTTER_OK);
    emissions_reset(&e, 100);
    for (int64_t f = 100; f < 110; f++)
        emissions_settle(&e, f, (float[]){(float)f, (float)-f});
    assert_int_equal(emissions_end(&e), 110);
    assert_true(emissions_row(&e, 107)[1] == -107.0f);
    emissions_cut(&e, 200);
    assert_int_equal(emissions_end(&e), 110);
    emissions_cut(&e, 105);
    assert_int_equal(emissions_end(&e), 105);
    emissions_settle(&e, 105, (float[]){5, 5});
    assert_true(emissions_row(&e, 105)[0] == 5.0f);
    emissions_cut(&e, 50);
    assert_int_equal(emissions_end(&e), 100);
    emissions_close(&e);
}

static void audio_keeps_what_is_needed(void **state)
{
    (void)state;
    struct audio a;
    assert_int_equal(audio_open(&a, 10, 100, NULL), UTTER_OK);
    int64_t keep = 0;
    for (int64_t i = 0; i < 1000; i += 5) {
        keep = i > 60 ? i - 60 : 0;
        float *at = audio_reserve(&a, 5, keep / 10 * 10);
        for (int k = 0; k < 5; k++)
            at[k] = (float)(i + k);
        a.end += 5;
        if (a.end % 10 == 0)
            *audio_level(&a, a.end - 10) = (float)(a.end - 10);
        for (int64_t p = keep / 10 * 10; p < a.end; p += 7)
            assert_true(*audio_at(&a, p) == (float)p);
        for (int64_t p = keep / 10 * 10 + 10; p + 10 <= a.end; p += 10)
            assert_true(*audio_level(&a, p) == (float)p);
    }
    audio_close(&a);
}

static void the_quietest_place_is_found(void **state)
{
    (void)state;
    struct audio a;
    assert_int_equal(audio_open(&a, 10, 400, NULL), UTTER_OK);
    audio_reserve(&a, 400, 0);
    a.end = 400;
    for (int64_t p = 0; p < 400; p += 10)
        *audio_level(&a, p) = p >= 250 && p < 290 ? 0.1f : 1.0f;
    *audio_level(&a, 100) = 0.0f; /* too short */
    assert_int_equal(audio_quietest(&a, 0, 400, 4), 270);
    assert_int_equal(audio_quietest(&a, 300, 400, 4), 320);
    assert_int_equal(audio_quietest(&a, 395, 400, 4), 400);
    assert_int_equal(audio_quietest(&a, 400, 400, 4), 400);
    audio_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_frame_is_settled_once),
        cmocka_unit_test(decodes_come_once_a_hop),
        cmocka_unit_test(hurried_decodes_lie_between_and_settle_nothing),
        cmocka_unit_test(chunks_lay_every_frame_end_to_end),
        cmocka_unit_test(lengths_are_rounded_as_the_pipeline_does),
        cmocka_unit_test(silence_and_the_limit_end_utterances),
        cmocka_unit_test(a_faint_room_is_a_pause),
        cmocka_unit_test(a_bang_makes_speech_faint_for_seconds_only),
        cmocka_unit_test(sound_without_a_word_ends_utterances),
        cmocka_unit_test(the_ladder_goes_up_by_rungs_and_down_at_once),
        cmocka_unit_test(emissions_are_settled_in_order),
        cmocka_unit_test(audio_keeps_what_is_needed),
        cmocka_unit_test(the_quietest_place_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

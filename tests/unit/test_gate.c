/* SPDX-License-Identifier: MIT */
#include "stream/gate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { RATE = 16000, BLOCK = 320, BLOCK_MS = 20, SECOND = RATE / BLOCK };

struct room {
    struct gate gate;
    uint32_t random;
    int64_t sample;
    double hertz; /* of the voice */
};

static float decibels(float level)
{
    return powf(10.0f, level / 20.0f);
}

/* One block of noise with a voice over it (rms levels in dBFS, -200: none); hum below. */
static bool hear(struct room *room, float noise, float voice, float hum)
{
    float samples[BLOCK];
    for (int i = 0; i < BLOCK; i++, room->sample++) {
        room->random = room->random * 1664525u + 1013904223u;
        double uniform = (double)(room->random >> 8) / 8388608.0 - 1.0;
        double t = (double)room->sample / RATE;
        samples[i] = (float)(decibels(noise) * sqrt(3) * uniform +
                             decibels(voice) * sqrt(2) * sin(2 * M_PI * room->hertz * t) +
                             decibels(hum) * sqrt(2) * sin(2 * M_PI * 50 * t));
    }
    gate_push(&room->gate, samples, BLOCK);
    return room->gate.speech;
}

/* How many of `blocks` blocks are taken for speech. */
static int hear_long(struct room *room, int blocks, float noise, float voice, float hum)
{
    int open = 0;
    for (int i = 0; i < blocks; i++)
        open += hear(room, noise, voice, hum);
    return open;
}

static struct room enter(void)
{
    struct room room = {.random = 1, .hertz = 700};
    gate_reset(&room.gate, BLOCK_MS);
    return room;
}

static void noise_at_any_level_is_silence_in_the_end(void **state)
{
    (void)state;
    for (float noise = -100.0f; noise < -10.0f; noise += 10.0f) {
        struct room room = enter();
        hear_long(&room, 2 * SECOND, noise, -200, -200);
        assert_int_equal(hear_long(&room, 20 * SECOND, noise, -200, -200), 0);
    }
}

static void a_voice_over_the_noise_is_speech(void **state)
{
    (void)state;
    for (float noise = -90.0f; noise <= -30.0f; noise += 10.0f) {
        struct room room = enter();
        hear_long(&room, 3 * SECOND, noise, -200, -200);
        float voice = noise + 10.0f < -60.0f ? -60.0f : noise + 10.0f;
        /* At once, and for as long as it lasts. */
        hear_long(&room, 2, noise, voice, -200);
        assert_int_equal(hear_long(&room, SECOND, noise, voice, -200), SECOND);
        assert_true(hear_long(&room, SECOND, noise, -200, -200) <= 2);
    }
}

/* 4.5 dB over the floor: not enough to open, enough to stay open. Above 1 kHz, where little is
 * heard else. */
static void what_keeps_the_gate_open_does_not_open_it(void **state)
{
    (void)state;
    struct room room = enter();
    room.hertz = 3000;
    hear_long(&room, 3 * SECOND, -50, -200, -200);
    float faint = -50 + 10 * log10f(powf(10, 0.45f) - 1);
    assert_int_equal(hear_long(&room, SECOND, -50, faint, -200), 0);
    assert_true(hear_long(&room, SECOND / 2, -50, -35, -200) >= SECOND / 2 - 1);
    assert_int_equal(hear_long(&room, SECOND, -50, faint, -200), SECOND);
    assert_true(hear_long(&room, SECOND, -50, -200, -200) <= 2);
}

static void a_voice_is_heard_in_a_hiss_as_loud(void **state)
{
    (void)state;
    struct room room = enter();
    hear_long(&room, 3 * SECOND, -40, -200, -200);
    hear_long(&room, 3, -40, -40, -200);
    assert_int_equal(hear_long(&room, SECOND, -40, -40, -200), SECOND);
    assert_true(hear_long(&room, SECOND, -40, -200, -200) <= 2);
}

static void speech_from_the_first_sample_is_heard(void **state)
{
    (void)state;
    for (float voice = -55.0f; voice < -10.0f; voice += 15.0f) {
        struct room room = enter();
        assert_int_equal(hear_long(&room, SECOND / 2, -80, voice, -200), SECOND / 2);
    }
}

static void hum_is_no_speech(void **state)
{
    (void)state;
    struct room room = enter();
    hear_long(&room, 3 * SECOND, -70, -200, -200);
    assert_int_equal(hear_long(&room, SECOND, -70, -200, -62), 0);
}

static void a_louder_room_is_got_used_to(void **state)
{
    (void)state;
    struct room room = enter();
    hear_long(&room, 5 * SECOND, -70, -200, -200);
    assert_true(hear(&room, -45, -200, -200) || hear(&room, -45, -200, -200));
    hear_long(&room, 5 * SECOND, -45, -200, -200);
    assert_int_equal(hear_long(&room, 10 * SECOND, -45, -200, -200), 0);
    /* A quieter one at once. */
    hear_long(&room, SECOND, -75, -200, -200);
    hear_long(&room, 2, -75, -55, -200);
    assert_true(room.gate.speech);
}

static void a_cut_keeps_the_floor(void **state)
{
    (void)state;
    struct room room = enter();
    hear_long(&room, 5 * SECOND, -40, -200, -200);
    float floor = room.gate.whole.floor;
    assert_true(floor > 1e-5f);
    gate_cut(&room.gate);
    assert_false(room.gate.speech);
    assert_int_equal(hear_long(&room, 5 * SECOND, -40, -200, -200), 0);
    assert_true(room.gate.whole.floor > 0.5f * floor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_at_any_level_is_silence_in_the_end),
        cmocka_unit_test(a_voice_over_the_noise_is_speech),
        cmocka_unit_test(what_keeps_the_gate_open_does_not_open_it),
        cmocka_unit_test(a_voice_is_heard_in_a_hiss_as_loud),
        cmocka_unit_test(speech_from_the_first_sample_is_heard),
        cmocka_unit_test(hum_is_no_speech),
        cmocka_unit_test(a_louder_room_is_got_used_to),
        cmocka_unit_test(a_cut_keeps_the_floor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

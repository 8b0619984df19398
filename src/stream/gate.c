/* SPDX-License-Identifier: MIT */
#include "stream/gate.h"

/* Speech is 6 dB over the floor (two blocks' mean), until it is less than 3 dB over it. */
static const float OPEN_RATIO = 4.0f, CLOSE_RATIO = 2.0f;
/* -75 dBFS: what a good converter hisses. Digital silence must not make the gate nervous. */
static const float FLOOR_LEAST = 3.2e-8f;
/* -70 dBFS, until there is a measured floor. */
static const float FLOOR_FIRST = 1e-7f;
/* One pole at 150 Hz (16 kHz): hum and rumble are no speech. */
static const float HIGH_PASS = 0.94f;
/* Two poles at 1 kHz (16 kHz): voices are there, most of a hiss is not. */
static const float LOW_PASS = 0.33f;

static int blocks_in(int milliseconds, int block_ms)
{
    int blocks = milliseconds / block_ms;
    return blocks > 0 ? blocks : 1;
}

void gate_reset(struct gate *gate, int block_ms)
{
    *gate = (struct gate){
        .part_blocks = blocks_in(GATE_PART_MS, block_ms),
        .settling_blocks = blocks_in(GATE_SETTLING_MS, block_ms),
        .smooth_blocks = blocks_in(GATE_SMOOTH_MS, block_ms),
        .whole.floor = FLOOR_FIRST,
        .voice.floor = FLOOR_FIRST,
    };
    if (gate->smooth_blocks > GATE_BLOCKS_MAX)
        gate->smooth_blocks = GATE_BLOCKS_MAX;
}

void gate_cut(struct gate *gate)
{
    gate->previous_in = gate->previous_out = gate->low = gate->lower = 0.0f;
    gate->speech = false;
}

/* Mean squares of both bands. */
static void block_powers(struct gate *gate, const float *samples, int64_t count, float *whole,
                         float *voice)
{
    float in = gate->previous_in, out = gate->previous_out;
    float low = gate->low, lower = gate->lower;
    double sum = 0.0, low_sum = 0.0;
    for (int64_t i = 0; i < count; i++) {
        out = HIGH_PASS * (out + samples[i] - in);
        in = samples[i];
        low += LOW_PASS * (out - low);
        lower += LOW_PASS * (low - lower);
        sum += (double)out * out;
        low_sum += (double)lower * lower;
    }
    gate->previous_in = in;
    gate->previous_out = out;
    gate->low = low;
    gate->lower = lower;
    *whole = (float)(sum / (double)count);
    *voice = (float)(low_sum / (double)count);
}

static float recent_mean(const struct gate *gate, const struct gate_band *band, int blocks)
{
    float sum = 0.0f;
    if (blocks > gate->blocks)
        blocks = (int)gate->blocks;
    for (int i = 1; i <= blocks; i++)
        sum += band->recent[(gate->blocks - i) % GATE_BLOCKS_MAX];
    return sum / (float)blocks;
}

static void follow_floor(const struct gate *gate, struct gate_band *band)
{
    int64_t number = (gate->blocks - 1) / gate->part_blocks;
    float *part = &band->minima[number % GATE_PARTS];
    float power = recent_mean(gate, band, gate->smooth_blocks);
    if ((gate->blocks - 1) % gate->part_blocks == 0 || power < *part)
        *part = power;
    if (gate->blocks < gate->settling_blocks)
        return;
    int64_t parts = number + 1 < GATE_PARTS ? number + 1 : GATE_PARTS;
    band->floor = *part;
    for (int64_t i = 0; i < parts; i++)
        if (band->minima[i] < band->floor)
            band->floor = band->minima[i];
    if (band->floor < FLOOR_LEAST)
        band->floor = FLOOR_LEAST;
}

static bool is_over(const struct gate *gate, const struct gate_band *band)
{
    return recent_mean(gate, band, 2) > band->floor * (gate->speech ? CLOSE_RATIO : OPEN_RATIO);
}

float gate_push(struct gate *gate, const float *samples, int64_t count)
{
    float power, voice;
    block_powers(gate, samples, count, &power, &voice);
    gate->whole.recent[gate->blocks % GATE_BLOCKS_MAX] = power;
    gate->voice.recent[gate->blocks % GATE_BLOCKS_MAX] = voice;
    gate->blocks++;
    follow_floor(gate, &gate->whole);
    follow_floor(gate, &gate->voice);
    gate->speech = is_over(gate, &gate->whole) || is_over(gate, &gate->voice);
    return power;
}

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
        .floor = FLOOR_FIRST,
    };
    if (gate->smooth_blocks > GATE_BLOCKS_MAX)
        gate->smooth_blocks = GATE_BLOCKS_MAX;
}

void gate_cut(struct gate *gate)
{
    gate->previous_in = gate->previous_out = 0.0f;
    gate->speech = false;
}

static float block_power(struct gate *gate, const float *samples, int64_t count)
{
    float in = gate->previous_in, out = gate->previous_out;
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) {
        out = HIGH_PASS * (out + samples[i] - in);
        in = samples[i];
        sum += (double)out * out;
    }
    gate->previous_in = in;
    gate->previous_out = out;
    return (float)(sum / (double)count);
}

static float recent_mean(const struct gate *gate, int blocks)
{
    float sum = 0.0f;
    if (blocks > gate->blocks)
        blocks = (int)gate->blocks;
    for (int i = 1; i <= blocks; i++)
        sum += gate->recent[(gate->blocks - i) % GATE_BLOCKS_MAX];
    return sum / (float)blocks;
}

static void follow_floor(struct gate *gate)
{
    int64_t number = (gate->blocks - 1) / gate->part_blocks;
    float *part = &gate->minima[number % GATE_PARTS];
    float power = recent_mean(gate, gate->smooth_blocks);
    if ((gate->blocks - 1) % gate->part_blocks == 0 || power < *part)
        *part = power;
    if (gate->blocks < gate->settling_blocks)
        return;
    int64_t parts = number + 1 < GATE_PARTS ? number + 1 : GATE_PARTS;
    gate->floor = *part;
    for (int64_t i = 0; i < parts; i++)
        if (gate->minima[i] < gate->floor)
            gate->floor = gate->minima[i];
    if (gate->floor < FLOOR_LEAST)
        gate->floor = FLOOR_LEAST;
}

float gate_push(struct gate *gate, const float *samples, int64_t count)
{
    float power = block_power(gate, samples, count);
    gate->recent[gate->blocks % GATE_BLOCKS_MAX] = power;
    gate->blocks++;
    follow_floor(gate);
    gate->speech = recent_mean(gate, 2) > gate->floor * (gate->speech ? CLOSE_RATIO : OPEN_RATIO);
    return power;
}

/* SPDX-License-Identifier: MIT */
#include "sound.h"

#include <math.h>
#include <stdbool.h>

static const double PERIOD = 7.0, SPOKEN = 5.6; /* seconds */
static const double SYLLABLES = 4.0;            /* a second */
static const double TURN = 6.283185307179586;

/* Noise of -1 to 1 (Numerical Recipes' linear congruence). */
static float hiss(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(int32_t)*state * 0x1p-31f;
}

void sound_make(float *samples, int64_t count, int rate)
{
    uint32_t state = 1;
    double phase = 0;
    for (int64_t i = 0; i < count; i++) {
        double time = (double)i / rate, within = fmod(time, PERIOD);
        double pitch = 130 + 30 * sin(TURN * 0.7 * time) + 10 * sin(TURN * 2.3 * time);
        phase = fmod(phase + pitch / rate, 1.0);
        double syllable = fabs(sin(TURN / 2 * SYLLABLES * time));
        double voice = 0;
        /* Harmonics fall off, but for two bands that move as a mouth's do. */
        for (int k = 1; k <= 20; k++) {
            double first = 500 + 250 * sin(TURN * 1.1 * time),
                   second = 1500 + 500 * sin(2.9 * time);
            double near = exp(-pow((k * pitch - first) / 150, 2)) +
                          0.5 * exp(-pow((k * pitch - second) / 200, 2));
            voice += (0.1 / k + near) * sin(TURN * k * phase);
        }
        bool speaks = within < SPOKEN;
        samples[i] = 0.001f * hiss(&state);
        if (speaks)
            samples[i] += (float)(0.1 * syllable * voice) + 0.01f * (float)syllable * hiss(&state);
    }
}

/* SPDX-License-Identifier: MIT */
#include "stream/ladder.h"

#include "stream/window.h"

enum { IN_TIME_MS = 500 };

/* From so much waiting audio on a rung is taken. */
static const int64_t rungs_ms[] = {
    [LADDER_FEWER_DRAFTS] = 2000,
    [LADDER_LONG_HOPS] = 4000,
    [LADDER_LITTLE_LEFT] = 8000,
};

enum ladder_rung ladder_step(enum ladder_rung rung, int64_t waiting_ms)
{
    if (waiting_ms <= IN_TIME_MS)
        return LADDER_IN_TIME;
    if (rung < LADDER_LITTLE_LEFT && waiting_ms >= rungs_ms[rung + 1])
        return rung + 1;
    return rung;
}

int ladder_stretch(enum ladder_rung rung)
{
    static const int stretches[] = {1, 2, WINDOW_STRETCH_MOST, WINDOW_STRETCH_MOST};
    return stretches[rung];
}

int64_t ladder_left(enum ladder_rung rung, int64_t frames)
{
    return rung == LADDER_LITTLE_LEFT ? (frames + 1) / 2 : frames;
}

/* SPDX-License-Identifier: MIT */
#include "app/sample_clock.h"

#include <math.h>

static const double NS = 1e-9;
static const double LATE = 0.1;     /* s above the baseline: perhaps something was lost */
static const double NOTHING = 0.05; /* s: an excess below this is jitter */
static const double DRIFT = 0.002;  /* s per window: 400 ppm, more than any crystal */
static const int64_t WINDOW_NS = INT64_C(5000000000);
static const int64_t SETTLE_NS = INT64_C(1000000000);

void sample_clock_start(struct sample_clock *clock, int rate)
{
    *clock = (struct sample_clock){.rate = rate};
}

void sample_clock_lost(struct sample_clock *clock, int64_t frames)
{
    clock->position += frames;
}

int64_t sample_clock_at(const struct sample_clock *clock, int64_t now_ns)
{
    if (!clock->started)
        return 0;
    double seconds = (double)(now_ns - clock->origin_ns) * NS - clock->baseline;
    int64_t position = llround(seconds * clock->rate);
    return position > clock->position ? position : clock->position;
}

/* A window looks at all of its length: the least lateness of a few arrivals may be jitter. */
static void open_window(struct sample_clock *clock, int64_t begin_ns)
{
    clock->window_end_ns = begin_ns + WINDOW_NS;
    clock->window_excess = HUGE_VAL;
}

static void begin(struct sample_clock *clock, int64_t frames, int64_t arrival_ns)
{
    clock->started = clock->starting = true;
    clock->start_end_ns = arrival_ns + CLOCK_START_NS;
    clock->origin_ns = arrival_ns - llround((double)frames / clock->rate / NS);
    clock->position = frames;
    clock->settled_ns = arrival_ns + SETTLE_NS;
    open_window(clock, clock->settled_ns);
}

/* Ends the doubt: what is still late is lost. */
static int64_t settle_doubt(struct sample_clock *clock, double excess)
{
    int64_t lost = excess > 0 ? llround(excess * clock->rate) : 0;
    clock->doubt = false;
    clock->broken = false;
    clock->position += lost;
    return lost;
}

int64_t sample_clock_break(struct sample_clock *clock)
{
    int64_t lost = clock->doubt ? settle_doubt(clock, clock->doubt_excess) : 0;
    clock->starting = false;
    clock->broken = clock->started;
    return lost;
}

/* Once per window: follows drift, and finds losses too small to raise a doubt. */
static int64_t close_window(struct sample_clock *clock, int64_t arrival_ns)
{
    double excess = clock->window_excess;
    open_window(clock, arrival_ns);
    if (excess > NOTHING) {
        int64_t lost = llround(excess * clock->rate);
        clock->position += lost;
        return lost;
    }
    clock->baseline += fmax(-DRIFT, fmin(DRIFT, excess));
    return 0;
}

bool sample_clock_arrived(struct sample_clock *clock, int64_t frames, int64_t arrival_ns,
                          int64_t *lost)
{
    *lost = 0;
    if (!clock->started) {
        begin(clock, frames, arrival_ns);
        return false;
    }
    clock->position += frames;
    double late =
        (double)(arrival_ns - clock->origin_ns) * NS - (double)clock->position / clock->rate;
    if (arrival_ns < clock->settled_ns && late < 0) {
        clock->origin_ns += llround(late / NS);
        late = 0;
    }
    double excess = late - clock->baseline;

    if (clock->starting) {
        clock->starting = arrival_ns < clock->start_end_ns;
        return !clock->starting;
    }
    if (!clock->doubt && (clock->broken || excess > LATE)) {
        clock->doubt = true;
        clock->doubt_excess = HUGE_VAL;
        clock->doubt_end_ns = arrival_ns + CLOCK_DOUBT_NS;
    }
    if (clock->doubt) {
        clock->doubt_excess = fmin(clock->doubt_excess, excess);
        if (!clock->broken && clock->doubt_excess < NOTHING)
            settle_doubt(clock, 0);
        else if (arrival_ns < clock->doubt_end_ns)
            return false;
        else
            *lost = settle_doubt(clock, clock->doubt_excess);
        open_window(clock, arrival_ns);
        return true;
    }
    clock->window_excess = fmin(clock->window_excess, excess);
    if (arrival_ns >= clock->window_end_ns)
        *lost = close_window(clock, arrival_ns);
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "stream/window.h"

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void window_begin(struct window_plan *plan, int64_t start, int64_t available)
{
    plan->start = start;
    plan->settled = start;
    /* Decodes that could have been made before the utterance was known are not made up for. */
    plan->last_end = larger(start, available - 1);
}

static struct window make_window(struct window_plan *plan, int64_t settle_end, int64_t end)
{
    struct window window = {
        .first = larger(plan->start, plan->settled - plan->left),
        .settle = plan->settled,
        .settle_end = larger(settle_end, plan->settled),
        .end = end,
    };
    plan->settled = window.settle_end;
    plan->last_end = end;
    return window;
}

bool window_next(struct window_plan *plan, int64_t available, struct window *window)
{
    int64_t hop = plan->hop * plan->stretch;
    int64_t end = (plan->last_end / hop + 1) * hop;
    if (end > available)
        return false;
    *window = make_window(plan, end - plan->right, end);
    return true;
}

bool window_last(struct window_plan *plan, int64_t end, struct window *window)
{
    if (end <= plan->settled)
        return false;
    *window = make_window(plan, end, end);
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "stream/window.h"

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t window_longest(const struct window_plan *plan)
{
    return WINDOW_STRETCH_MOST * plan->hop + plan->right;
}

void window_begin(struct window_plan *plan, int64_t start, int64_t available)
{
    plan->start = start;
    plan->settled = start;
    plan->hurry = start;
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
    return window;
}

/* Settles a part of what lies before `end`, when all of it would make too long a window. */
static bool make_part(struct window_plan *plan, int64_t end, struct window *window)
{
    int64_t most = plan->settled + window_longest(plan);
    if (end <= most)
        return false;
    *window = make_window(plan, most - plan->right, most);
    return true;
}

/* A decode half-way to that which ends at `next`. */
static bool make_half_way(struct window_plan *plan, int64_t next, int64_t available,
                          struct window *window)
{
    int64_t end = next - plan->hop / 2;
    if (plan->stretch > 1 || end == next || end <= plan->last_end || end >= plan->hurry ||
        end > available || end > plan->settled + window_longest(plan))
        return false;
    *window = make_window(plan, plan->settled, end);
    plan->last_end = end;
    return true;
}

bool window_next(struct window_plan *plan, int64_t available, struct window *window)
{
    int64_t hop = plan->hop * plan->stretch;
    int64_t end = (plan->last_end / hop + 1) * hop;
    if (make_half_way(plan, end, available, window))
        return true;
    if (end > available)
        return false;
    if (make_part(plan, end, window))
        return true;
    *window = make_window(plan, end - plan->right, end);
    plan->last_end = end;
    return true;
}

bool window_last(struct window_plan *plan, int64_t end, struct window *window)
{
    if (end <= plan->settled)
        return false;
    if (!make_part(plan, end, window))
        *window = make_window(plan, end, end);
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "app/interval.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { ROUNDS = 1000 };
static const double TAIL = 0.025;
static const double DEVIATIONS = 1.96; /* of a normal distribution, for the same tails */

/* xorshift64*: any seeded generator will do, and this one is the same everywhere. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

struct interval interval_of_ratio(const struct share *shares, size_t count)
{
    double ratios[ROUNDS];
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
    if (count == 0)
        return (struct interval){0, 0};
    for (int round = 0; round < ROUNDS; round++) {
        struct share sum = {0, 0};
        for (size_t i = 0; i < count; i++) {
            const struct share *drawn = &shares[next_random(&state) % count];
            sum.part += drawn->part;
            sum.whole += drawn->whole;
        }
        ratios[round] = sum.whole > 0 ? sum.part / sum.whole : 0;
    }
    qsort(ratios, ROUNDS, sizeof ratios[0], compare_doubles);
    return (struct interval){ratios[(int)(TAIL * ROUNDS)],
                             ratios[ROUNDS - 1 - (int)(TAIL * ROUNDS)]};
}

struct interval interval_of_quantile(const float *sorted, size_t count, double quantile)
{
    if (count == 0)
        return (struct interval){0, 0};
    double middle = quantile * (double)(count - 1);
    double reach = DEVIATIONS * sqrt((double)count * quantile * (1 - quantile));
    double low = floor(middle - reach);
    double high = ceil(middle + reach);
    double last = (double)(count - 1);
    return (struct interval){sorted[(size_t)(low > 0 ? low : 0)],
                             sorted[(size_t)(high < last ? high : last)]};
}

/* SPDX-License-Identifier: MIT */
/**
 * 95 % confidence intervals, each made the same way on every machine. Pure functions; any thread.
 */
#ifndef APP_INTERVAL_H
#define APP_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>

struct interval {
    double low;
    double high;
};

/** What one recording adds to a ratio: errors by words, say. */
struct share {
    double part;
    double whole;
};

/** Of sum(part) / sum(whole), by a seeded bootstrap over recordings. Zeros when there are none. */
struct interval interval_of_ratio(const struct share *shares, size_t count);

/**
 * Of a quantile of `sorted` values, which are taken as independent: the values at the ranks
 * between which it lies with that probability.
 */
struct interval interval_of_quantile(const float *sorted, size_t count, double quantile);

#endif

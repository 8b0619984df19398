/* SPDX-License-Identifier: MIT */
/**
 * Accuracy, latency and cost of streams over left context, hop and right context: one row for each
 * combination, as a table that tools/plot draws. One thread at a time.
 */
#ifndef APP_SWEEP_H
#define APP_SWEEP_H

#include "app/evaluation.h"

enum { SWEEP_VALUES_MAX = 16 };

/** Milliseconds. */
struct sweep_axis {
    int values[SWEEP_VALUES_MAX];
    int count;
};

struct sweep {
    const char *path; /**< ".tsv", otherwise JSON; written anew after every row */
    struct sweep_axis left;
    struct sweep_axis hop;
    struct sweep_axis right;
};

/** A list of seconds, as "0.2,0.4", each in minimum..maximum. */
bool sweep_parse_axis(const char *name, const char *list, double minimum, double maximum,
                      struct sweep_axis *axis, struct utter_error *error);

/**
 * Runs all of it and prints a line a row. Axes without values get the usual ones; without an
 * encoder in `options` both are run.
 */
bool sweep_run(struct sweep *sweep, const struct evaluation *evaluation,
               const struct utter_stream_options *options, struct utter_error *error);

#endif

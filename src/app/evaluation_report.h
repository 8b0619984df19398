/* SPDX-License-Identifier: MIT */
/**
 * The report of an evaluation, as text or JSON. `streamed` is NULL when nothing was streamed.
 */
#ifndef APP_EVALUATION_REPORT_H
#define APP_EVALUATION_REPORT_H

#include "app/evaluation.h"

#include <jansson.h>

/** The caller releases it; NULL when out of memory. */
json_t *evaluation_json(const struct evaluation *evaluation,
                        const struct stream_evaluation *streamed);
void evaluation_print(const struct evaluation *evaluation,
                      const struct stream_evaluation *streamed);

/** [low, high] */
json_t *interval_json(const struct interval *interval);

#endif

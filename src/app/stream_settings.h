/* SPDX-License-Identifier: MIT */
/** How `utter listen` and `utter eval` stream, from their options. Main thread. */
#ifndef APP_STREAM_SETTINGS_H
#define APP_STREAM_SETTINGS_H

#include "app/option_values.h"
#include "utter.h"

/** Fills in what both commands have; the rest of `stream` is left as it is. */
void stream_settings_take(const struct option_values *values, struct utter_stream_options *stream);

#endif

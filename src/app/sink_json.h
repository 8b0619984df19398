/* SPDX-License-Identifier: MIT */
/** JSON of recordings and events, for sink.c. Times are in seconds. Any thread. */
#ifndef APP_SINK_JSON_H
#define APP_SINK_JSON_H

#include "app/sink.h"

/** One object, indented, with the newline after it. The caller frees it; NULL: out of memory. */
char *sink_json_recording(const struct sink_recording *recording, enum letter_case letter_case);

/**
 * One object on one line, with the newline after it. `speaker` 0: there is but one.
 * `*sentence_start` is that of case_apply() for the event's text. The caller frees it; NULL: out of
 * memory.
 */
char *sink_json_event(const struct utter_event *event, int speaker,
                      const struct sink_options *options, bool *sentence_start);

#endif

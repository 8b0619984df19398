/* SPDX-License-Identifier: MIT */
/**
 * utter.json: what was measured of a model and stands in none of Hugging Face's files. Optional, as
 * is every field. Immutable after reading; any thread.
 */
#ifndef MODEL_MEASURED_H
#define MODEL_MEASURED_H

#include "model/json_file.h"

struct measured {
    enum utter_encoder encoder; /* "encoder": "cached" or "window"; default window */
    enum utter_latency latency; /* "latency": "low", "normal" or "high"; default normal */
    double word_error_rate;     /* of 100 words; -1 when it does not say */
};

enum utter_code measured_read(struct measured *measured, const char *directory,
                              struct utter_error *error);
/** From JSON in memory; NULL means the defaults. `path` is the file's, for messages. */
enum utter_code measured_parse(struct measured *measured, const json_t *json, const char *path,
                               struct utter_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * config.c's two readers, on JSON already in memory. Any thread.
 */
#ifndef MODEL_CONFIG_JSON_H
#define MODEL_CONFIG_JSON_H

#include "model/config.h"
#include "model/json_file.h"

/** `path` is the file's, for messages. */
enum utter_code config_parse_model(struct model_config *config, const json_t *json,
                                   const char *path, struct utter_error *error);
/** NULL for `json` means the defaults. */
enum utter_code config_parse_preprocessor(struct model_config *config, const json_t *json,
                                          const char *path, struct utter_error *error);

#endif

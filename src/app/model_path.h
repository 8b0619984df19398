/* SPDX-License-Identifier: MIT */
/**
 * Finds and opens the model: what the option --model says (option_values.h), else the model that
 * comes with the program: beside an uninstalled program (build/utter: ../models/digits) or where
 * models are installed.
 */
#ifndef APP_MODEL_PATH_H
#define APP_MODEL_PATH_H

#include "app/option_values.h"

/**
 * The option's value is a directory, or the bare name of a bundled model. Returns the directory,
 * which exists but may not be a model; the caller frees it. NULL when there is none.
 */
char *model_path_find(const struct option_values *values, struct utter_error *error);

/** Opens a model as --precision says; as utter_model_open(). */
struct utter_model *model_path_open(struct utter_engine *engine, const char *directory,
                                    const struct option_values *values, struct utter_error *error);

/**
 * About how many of 100 words the model gets wrong (its utter.json), where that is more than
 * captions may and whoever reads them must be told; 0 otherwise, and when nobody has measured it.
 */
int model_path_experimental(const struct utter_model *model);

/** A model's name for people: the last part of its directory, clean. The caller frees it. */
char *model_path_name(const char *directory);

/** A file that comes with the program, as "models/digits" or "demo.flac"; the caller frees it. */
char *model_path_data(const char *relative);

#endif

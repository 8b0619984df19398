/* SPDX-License-Identifier: MIT */
/**
 * The files beside a checkpoint's weights. One thread.
 */
#ifndef QUANTIZE_FILES_H
#define QUANTIZE_FILES_H

#include "utter.h"

/**
 * Copies what utter reads, and what people do, from a model's directory into another; config.json
 * comes last: a directory without it is no model.
 */
enum utter_code files_copy(const char *from, const char *to, struct utter_error *error);

/** Removes them and the weights, where they are, and the directory. */
void files_remove(const char *directory);

#endif

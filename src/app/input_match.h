/* SPDX-License-Identifier: MIT */
/**
 * Which of several inputs somebody means by a name or a part of it. Any thread.
 */
#ifndef APP_INPUT_MATCH_H
#define APP_INPUT_MATCH_H

#include <stddef.h>

enum { INPUT_NONE = -1, INPUT_AMBIGUOUS = -2 };

/**
 * An input has two names, names[i][0] and names[i][1] (NULL: none). The first that is called
 * exactly `wanted`, otherwise the only one that has it in a name, without regard to case; two of
 * the same name are one. Otherwise INPUT_NONE, or INPUT_AMBIGUOUS with two that it could be.
 */
int input_match(const char *const (*names)[2], size_t count, const char *wanted, int could_be[2]);

#endif

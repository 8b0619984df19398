/* SPDX-License-Identifier: MIT */
/**
 * Upper and lower case of transcripts: many models know capital letters only. Any thread.
 */
#ifndef APP_CASE_H
#define APP_CASE_H

#include <stdbool.h>

enum letter_case {
    CASE_AS_IS, /**< as the model's vocabulary spells it */
    CASE_LOWER,
    CASE_SENTENCE /**< lower, but the first letter of a sentence */
};

/**
 * A copy of clean `text` in that case. `*sentence_start` says whether a sentence begins here, and
 * is set to whether one begins after it: words can be given one by one. The caller frees the copy;
 * NULL when out of memory.
 */
char *case_apply(enum letter_case letter_case, const char *text, bool *sentence_start);

#endif

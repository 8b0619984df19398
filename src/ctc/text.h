/* SPDX-License-Identifier: MIT */
/**
 * From a decoder's raw text to what people read, as Wav2Vec2CTCTokenizer.batch_decode finishes it:
 * spaces stripped at both ends, lower case where the tokenizer says so, spaces before punctuation
 * removed where it says so. Any thread; allocates nothing.
 */
#ifndef CTC_TEXT_H
#define CTC_TEXT_H

#include "ctc/labels.h"

/** Bytes that the functions below write at most for `length` bytes of raw text. */
size_t ctc_text_bound(const struct ctc_labels *labels, size_t length);

/** The whole text, terminated; returns its length. */
size_t ctc_text_whole(const struct ctc_labels *labels, const char *raw, size_t length, char *out);
/** One word of it, terminated; returns its length. */
size_t ctc_text_word(const struct ctc_labels *labels, const char *raw, size_t length, char *out);

#endif

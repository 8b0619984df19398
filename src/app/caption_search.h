/* SPDX-License-Identifier: MIT */
/**
 * Searching the captions, without regard to case. Knows no terminal. One thread at a time.
 */
#ifndef APP_CAPTION_SEARCH_H
#define APP_CAPTION_SEARCH_H

#include "app/captions.h"

/** A byte of a caption's text. */
struct caption_place {
    size_t caption;
    size_t byte;
};

/** First match of `wanted` in `text` at byte `from` or later: its byte and length; false: none. */
bool caption_match(const char *text, size_t from, const char *wanted, size_t *start,
                   size_t *length);

/** The nearest match before *place, which becomes its place; false: there is none. */
bool caption_search_older(const struct captions *captions, const char *wanted,
                          struct caption_place *place);

/** The nearest match after *place. */
bool caption_search_newer(const struct captions *captions, const char *wanted,
                          struct caption_place *place);

#endif

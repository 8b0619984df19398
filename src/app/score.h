/* SPDX-License-Identifier: MIT */
/**
 * Word and character error rates as NIST's sclite counts them: the cheapest alignment where a
 * substitution costs 4, an insertion or a deletion 3; of equally cheap ones that which, read from
 * the end, prefers a pair of words, then an insertion, then a deletion. Letters' case is ignored.
 * Pure functions; any thread.
 */
#ifndef APP_SCORE_H
#define APP_SCORE_H

#include <stdbool.h>
#include <stddef.h>

struct score {
    long reference; /* units (words or characters) in the reference */
    long correct;
    long substitutions;
    long insertions;
    long deletions;
};

/** A text cut into units, folded to one case. Owned by the caller. */
struct score_units {
    char *storage;
    const char **units; /* [count] */
    size_t count;
};

/** Words are what white space separates. False when out of memory. */
bool score_split_words(struct score_units *units, const char *text);
/** Characters are code points; white space does not count (sclite's -c). */
bool score_split_characters(struct score_units *units, const char *text);
void score_units_free(struct score_units *units);

/**
 * Aligns and counts. `pairs`, when not NULL, has room for reference->count entries: the index in
 * the hypothesis that each unit of the reference is aligned with, -1 where it is deleted.
 * False when out of memory.
 */
bool score_align(const struct score_units *reference, const struct score_units *hypothesis,
                 struct score *score, long *pairs);

void score_add(struct score *sum, const struct score *score);
/** Errors per unit of the reference: 0.05 is 5 %. With an empty reference, 0 or 1. */
double score_error_rate(const struct score *score);

#endif

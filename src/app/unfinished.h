/* SPDX-License-Identifier: MIT */
/**
 * Words that were committed and whose FINAL has not come: all there is of an utterance when a
 * session is left in a hurry. One thread at a time.
 */
#ifndef APP_UNFINISHED_H
#define APP_UNFINISHED_H

#include "utter.h"

struct unfinished_utterance {
    uint64_t number;
    int speaker;
    struct utter_word *words; /* texts owned */
    size_t count;
    size_t room;
};

struct unfinished {
    struct unfinished_utterance *list; /* in the order in which they were first heard of */
    size_t count;
    size_t room;
};

/** Keeps the words of a COMMIT; a FINAL takes its utterance away. False when out of memory. */
bool unfinished_event(struct unfinished *unfinished, const struct utter_event *event, int speaker);
/** An utterance's words, joined, as its FINAL; the caller frees the text. False: out of memory. */
bool unfinished_final(const struct unfinished_utterance *utterance, struct utter_event *final,
                      char **text);
void unfinished_free(struct unfinished *unfinished);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * The words of one event with the bytes of their text, made from what a decoder heard. Belongs to
 * one thread at a time; allocates nothing after opening.
 */
#ifndef STREAM_WORDS_H
#define STREAM_WORDS_H

#include "ctc/greedy.h"
#include "stream/input.h"

struct words {
    const struct ctc_labels *labels; /* borrowed */
    int frame_samples;
    struct utter_word *list; /* [capacity] */
    size_t count;
    size_t capacity;
    char *bytes; /* [byte_capacity] */
    size_t used;
    size_t byte_capacity;
};

/** For what a decoder hears in `frames_max` frames. On failure nothing is held. */
enum utter_code words_open(struct words *words, const struct ctc_labels *labels, int frame_samples,
                           int64_t frames_max, struct utter_error *error);
void words_close(struct words *words);
/** The most bytes that the words and text of one event take. */
size_t words_event_bytes_max(const struct words *words);

/** Takes the words of `greedy` from number `first` on. */
void words_fill(struct words *words, const struct ctc_greedy *greedy, size_t first,
                const struct input_clock *clock);
/** An event of the first `count` words; its text is these joined. It points into `words`. */
struct utter_event words_event(struct words *words, size_t count, enum utter_event_type type,
                               uint64_t utterance);
/** Takes all words of `greedy` and makes them the FINAL of an utterance from `start` to `end`. */
struct utter_event words_final_event(struct words *words, uint64_t utterance,
                                     const struct ctc_greedy *greedy, int64_t start, int64_t end,
                                     const struct input_clock *clock);

#endif

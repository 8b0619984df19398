/* SPDX-License-Identifier: MIT */
/**
 * Greedy CTC decoding, a frame at a time: the best label of every frame, repeats merged, blanks
 * dropped, words with times and confidence. The state goes on over any cut of the emissions: the
 * last label is carried over, and a blank clears it. Belongs to one thread at a time; allocates
 * nothing after opening.
 */
#ifndef CTC_GREEDY_H
#define CTC_GREEDY_H

#include "ctc/labels.h"

struct ctc_word {
    int64_t start;  /* its first label's frame */
    int64_t end;    /* after its last label's last frame */
    int64_t frames; /* of its labels, blanks left out */
    double log_sum; /* of those frames' posteriors */
    size_t text;    /* where it begins in the decoder's raw text */
    size_t length;  /* bytes */
};

struct ctc_greedy {
    const struct ctc_labels *labels; /* borrowed */
    int64_t frame;                   /* the next one */
    int last;                        /* group of the last frame's label, the blank's after a cut */

    char *raw; /* [raw_capacity] every label's text, spaces too */
    size_t raw_length;
    size_t raw_capacity;

    struct ctc_word *words; /* [word_capacity] the last one may still be growing */
    size_t word_count;      /* whole words: a delimiter or ctc_greedy_finish() came after them */
    size_t word_capacity;
    bool growing; /* words[word_count] has begun */
};

/** Room for `frames_max` frames. On failure nothing is held. */
enum utter_code ctc_greedy_open(struct ctc_greedy *greedy, const struct ctc_labels *labels,
                                int64_t frames_max, struct utter_error *error);
void ctc_greedy_close(struct ctc_greedy *greedy);

/** Begins afresh; the next frame pushed is `frame`. */
void ctc_greedy_reset(struct ctc_greedy *greedy, int64_t frame);
/** `log_probs` [labels->size] of the next frame. */
void ctc_greedy_push(struct ctc_greedy *greedy, const float *log_probs);
/** The growing word is whole: no frame follows. */
void ctc_greedy_finish(struct ctc_greedy *greedy);
/** `to` goes on where `from` is, without its whole words: a draft of what may follow. */
void ctc_greedy_fork(struct ctc_greedy *to, const struct ctc_greedy *from);

/** 0..1, geometric mean of the posteriors. */
float ctc_word_confidence(const struct ctc_word *word);

#endif

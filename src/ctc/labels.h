/* SPDX-License-Identifier: MIT */
/**
 * What the columns of the emissions spell, prepared for decoding the way that Hugging Face's
 * Wav2Vec2CTCTokenizer.batch_decode does with its defaults. Immutable after opening; any thread.
 */
#ifndef CTC_LABELS_H
#define CTC_LABELS_H

#include "utter.h"

/** The tokenizer's files, as they are read. Strings are only looked at by ctc_labels_open(). */
struct ctc_spelling {
    int size;                          /* columns of the emissions */
    const char *const *tokens;         /* [size] */
    const int *group;                  /* [size] the first column that is spelt the same */
    int blank;                         /* the padding token's group */
    int delimiter;                     /* the word delimiter's group, -1 when there is none */
    const char *replace_delimiter;     /* what a delimiter becomes in text: " " */
    bool do_lower_case;                /* of the whole text */
    bool clean_up_tokenization_spaces; /* "do n't" becomes "don't" */
};

enum { CTC_TOKEN_BYTES_MAX = 256 };

struct ctc_label {
    const char *text; /* what it adds to the text, without control characters; "" for the blank */
    size_t length;    /* bytes of `text` */
    int group;        /* the first column that is spelt the same: repeats are merged by it */
    bool space;       /* stands between words */
};

struct ctc_labels {
    int size;
    int blank;               /* its group */
    struct ctc_label *label; /* [size] */
    size_t longest;          /* bytes of the longest label's text */
    char *space;             /* what joins words */
    bool do_lower_case;
    bool clean_up_tokenization_spaces;
};

/** On failure nothing is held. */
enum utter_code ctc_labels_open(struct ctc_labels *labels, const struct ctc_spelling *spelling,
                                struct utter_error *error);
void ctc_labels_close(struct ctc_labels *labels);

#endif

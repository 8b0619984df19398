/* SPDX-License-Identifier: MIT */
/**
 * vocab.json with tokenizer_config.json, special_tokens_map.json and added_tokens.json: what a
 * column of the emissions means. Immutable after opening; any thread.
 */
#ifndef MODEL_VOCABULARY_H
#define MODEL_VOCABULARY_H

#include "utter.h"

struct vocabulary {
    int size;            /* columns of the emissions: config.json's vocab_size */
    const char **tokens; /* [size] as spelt in the files; NULL where no token has this id */
    int blank;           /* pad_token's id */
    int delimiter;       /* word_delimiter_token's id, -1 when there is none */
    bool *special;       /* [size] <s>, </s>, <unk>, <pad> and other special tokens */
    /* The tokenizer's own habits, which the decoder follows as batch_decode does. */
    char *replace_word_delimiter; /* what a delimiter becomes in text: " " */
    bool do_lower_case;
    bool clean_up_tokenization_spaces;
};

/** `size` is config.json's vocab_size. On failure nothing is held. */
enum utter_code vocabulary_open(struct vocabulary *vocabulary, const char *directory, int size,
                                struct utter_error *error);
void vocabulary_close(struct vocabulary *vocabulary);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * vocab.json with tokenizer_config.json, special_tokens_map.json and added_tokens.json: what a
 * column of the emissions means. Immutable after opening; any thread.
 */
#ifndef MODEL_VOCABULARY_H
#define MODEL_VOCABULARY_H

#include "utter.h"

/**
 * What Wav2Vec2CTCTokenizer.batch_decode does with its defaults, of the best column of every frame:
 * take label[column]; drop repetitions; drop the blank; write replace_word_delimiter for the
 * delimiter and tokens[] for all others, special tokens included; strip white space at both ends
 * (inside it stays, so two delimiters with a blank between them are two spaces); lower the case if
 * do_lower_case; clean up if clean_up_tokenization_spaces.
 *
 * Tokens are not trusted: they may hold control characters, which the decoder strips.
 */
struct vocabulary {
    int size;      /* columns of the emissions: config.json's vocab_size */
    char **tokens; /* [size] as spelt in the files; unk_token where no token has this id */
    int *label;    /* [size] the first column that is spelt the same, itself as a rule */
    int blank;     /* pad_token's label */
    int delimiter; /* word_delimiter_token's label, -1 when there is none */
    bool *special; /* [size] <s>, </s>, <unk>, <pad> and the like, never the delimiter */
    char *replace_word_delimiter; /* what a delimiter becomes in text: " " */
    bool do_lower_case;
    bool clean_up_tokenization_spaces;
};

/**
 * `size` is config.json's vocab_size, `pad_token_id` config.json's or -1. On failure nothing is
 * held.
 */
enum utter_code vocabulary_open(struct vocabulary *vocabulary, const char *directory, int size,
                                int pad_token_id, struct utter_error *error);
void vocabulary_close(struct vocabulary *vocabulary);

#endif

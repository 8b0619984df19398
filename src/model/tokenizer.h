/* SPDX-License-Identifier: MIT */
/**
 * tokenizer_config.json and special_tokens_map.json merged: which tokens play which part. Strings
 * belong to the JSON values or are constants. Any thread.
 */
#ifndef MODEL_TOKENIZER_H
#define MODEL_TOKENIZER_H

#include "model/json_file.h"

/* In the order in which the reference adds those that the vocabulary lacks. */
enum tokenizer_part {
    TOKENIZER_BOS,
    TOKENIZER_EOS,
    TOKENIZER_UNK,
    TOKENIZER_SEP,
    TOKENIZER_PAD,
    TOKENIZER_CLS,
    TOKENIZER_MASK,
    TOKENIZER_DELIMITER,
    TOKENIZER_PARTS,
};

struct tokenizer {
    const char *parts[TOKENIZER_PARTS]; /* NULL: none */
    bool pad_named;                     /* a file says what the pad token is */
    const json_t *extra[2];             /* lists of further special tokens, or NULL */
    const json_t *added_tokens_decoder; /* id → token, or NULL */
    const char *replace_word_delimiter;
    bool do_lower_case;
    bool clean_up_tokenization_spaces;
};

/** Either JSON may be NULL. */
enum utter_code tokenizer_parse(struct tokenizer *tokenizer, const struct json_file *config,
                                const struct json_file *special_tokens_map,
                                struct utter_error *error);

/** A token is spelt as a string or as an object with "content"; NULL when it is neither. */
const char *tokenizer_token_text(const json_t *json);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * vocabulary.c's reader, on JSON already in memory. Any thread.
 */
#ifndef MODEL_VOCABULARY_JSON_H
#define MODEL_VOCABULARY_JSON_H

#include "model/json_file.h"
#include "model/vocabulary.h"

struct vocabulary_files {
    struct json_file vocab;
    struct json_file tokenizer_config;   /* this and the next two may be absent */
    struct json_file special_tokens_map; /* read only without added_tokens_decoder, */
    struct json_file added_tokens;       /* and so is this */
};

/** `size` and `pad_token_id` as in vocabulary_open(). On failure nothing is held. */
enum utter_code vocabulary_parse(struct vocabulary *vocabulary,
                                 const struct vocabulary_files *files, int size, int pad_token_id,
                                 struct utter_error *error);

#endif

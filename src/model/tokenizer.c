/* SPDX-License-Identifier: MIT */
#include "model/tokenizer.h"

#include "base/error.h"

static const char *const keys[TOKENIZER_PARTS] = {
    [TOKENIZER_BOS] = "bos_token",   [TOKENIZER_EOS] = "eos_token",
    [TOKENIZER_UNK] = "unk_token",   [TOKENIZER_SEP] = "sep_token",
    [TOKENIZER_PAD] = "pad_token",   [TOKENIZER_CLS] = "cls_token",
    [TOKENIZER_MASK] = "mask_token", [TOKENIZER_DELIMITER] = "word_delimiter_token",
};

static const struct tokenizer defaults = {
    .parts = {[TOKENIZER_BOS] = "<s>",
              [TOKENIZER_EOS] = "</s>",
              [TOKENIZER_UNK] = "<unk>",
              [TOKENIZER_PAD] = "<pad>",
              [TOKENIZER_DELIMITER] = "|"},
    .replace_word_delimiter = " ",
};

const char *tokenizer_token_text(const json_t *json)
{
    if (json_is_object(json))
        json = json_object_get(json, "content");
    return json_string_value(json);
}

/* An explicit null means that no token plays this part. */
static void read_parts(struct tokenizer *tokenizer, struct json_fields *fields)
{
    for (int i = 0; i < TOKENIZER_PARTS; i++) {
        const json_t *json = json_object_get(fields->object, keys[i]);
        if (!json)
            continue;
        tokenizer->parts[i] = tokenizer_token_text(json);
        if (!tokenizer->parts[i] && !json_is_null(json))
            fields->code =
                error_set(fields->error, UTTER_ERROR_FORMAT, "%s: %s must be a token or null",
                          error_path(fields->path), keys[i]);
        if (i == TOKENIZER_PAD)
            tokenizer->pad_named = true;
    }
}

/* The list under its new name, else under its old one; an empty one is none. */
static const json_t *find_extra(const json_t *json, bool old_name)
{
    const json_t *extra = json_object_get(json, "extra_special_tokens");
    if (json_array_size(extra) == 0 && old_name)
        extra = json_object_get(json, "additional_special_tokens");
    return json_array_size(extra) == 0 ? NULL : extra;
}

enum utter_code tokenizer_parse(struct tokenizer *tokenizer, const struct json_file *config,
                                const struct json_file *special_tokens_map,
                                struct utter_error *error)
{
    struct json_fields fields = {config->json, config->path.text, UTTER_OK, error};
    *tokenizer = defaults;
    read_parts(tokenizer, &fields);
    tokenizer->extra[0] = find_extra(config->json, true);
    tokenizer->replace_word_delimiter =
        json_fields_string(&fields, "replace_word_delimiter_char", " ");
    tokenizer->do_lower_case = json_fields_bool(&fields, "do_lower_case", false);
    tokenizer->clean_up_tokenization_spaces =
        json_fields_bool(&fields, "clean_up_tokenization_spaces", false);
    const json_t *added = json_object_get(config->json, "added_tokens_decoder");
    if (json_is_object(added)) {
        tokenizer->added_tokens_decoder = added;
        return fields.code;
    }
    struct json_fields map = {special_tokens_map->json, special_tokens_map->path.text, fields.code,
                              error};
    if (map.code == UTTER_OK)
        read_parts(tokenizer, &map);
    tokenizer->extra[1] = find_extra(map.object, !tokenizer->extra[0]);
    return map.code;
}

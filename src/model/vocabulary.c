/* SPDX-License-Identifier: MIT */
#include "model/vocabulary.h"

#include "base/error.h"
#include "model/tokenizer.h"
#include "model/vocabulary_json.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A vocabulary while it is put together. */
struct builder {
    struct vocabulary *vocabulary;
    const struct vocabulary_files *files;
    struct tokenizer tokenizer;
    json_t *known;      /* every token that has an id, in range or not */
    json_t *labels;     /* spelling → label */
    const char **text;  /* [size] vocab.json by id, borrowed; NULL: none */
    const char **added; /* [size] the other files by id: where vocab.json has none */
    struct utter_error *error;
};

static enum utter_code refuse(const struct builder *builder, const struct json_file *file,
                              const char *token, const char *cause)
{
    return error_set(builder->error, UTTER_ERROR_FORMAT, "%s: token \"%s\" %s",
                     error_path(file->path.text), token, cause);
}

/* vocab.json: each token has one id, each id at most one token. */
static enum utter_code place_vocab(struct builder *builder)
{
    const struct json_file *file = &builder->files->vocab;
    const int size = builder->vocabulary->size;
    const char *token;
    json_t *value;
    json_object_foreach(file->json, token, value)
    {
        int id;
        if (json_is_object(value))
            return error_set(builder->error, UTTER_ERROR_UNSUPPORTED,
                             "%s: nested by language (\"%s\"), as in MMS: not supported",
                             error_path(file->path.text), token);
        if (!json_is_whole(value, 0, INT_MAX, &id))
            return refuse(builder, file, token, "has an id that is no whole number from 0 on");
        if (id >= size)
            return error_set(builder->error, UTTER_ERROR_FORMAT,
                             "%s: token \"%s\" has id %d, but config.json's vocab_size is %d",
                             error_path(file->path.text), token, id, size);
        if (builder->text[id])
            return error_set(builder->error, UTTER_ERROR_FORMAT,
                             "%s: tokens \"%s\" and \"%s\" have one id, %d",
                             error_path(file->path.text), builder->text[id], token, id);
        builder->text[id] = token;
        if (json_object_set_new(builder->known, token, json_true()) != 0)
            return error_memory(builder->error, "the vocabulary");
    }
    return UTTER_OK;
}

/* Ids behind the last column are of no concern. */
static enum utter_code place_added(struct builder *builder, const char *token, int id)
{
    if (id < builder->vocabulary->size)
        builder->added[id] = token;
    if (json_object_set_new(builder->known, token, json_true()) != 0)
        return error_memory(builder->error, "the vocabulary");
    return UTTER_OK;
}

/* tokenizer_config.json: {"17": {"content": "<s>", ...}} */
static enum utter_code place_decoder(struct builder *builder)
{
    const struct json_file *file = &builder->files->tokenizer_config;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)builder->tokenizer.added_tokens_decoder, key, value)
    {
        char *end;
        const char *token = tokenizer_token_text(value);
        long id = strtol(key, &end, 10);
        if (!token || *end != '\0' || end == key || id < 0 || id > INT_MAX)
            return error_set(builder->error, UTTER_ERROR_FORMAT,
                             "%s: added_tokens_decoder: \"%s\" is no id with a token",
                             error_path(file->path.text), key);
        enum utter_code code = place_added(builder, token, (int)id);
        if (code != UTTER_OK)
            return code;
    }
    return UTTER_OK;
}

/* added_tokens.json, older: {"<s>": 17} */
static enum utter_code place_added_tokens(struct builder *builder)
{
    const struct json_file *file = &builder->files->added_tokens;
    const char *token;
    json_t *value;
    json_object_foreach(file->json, token, value)
    {
        int id;
        if (!json_is_whole(value, 0, INT_MAX, &id))
            return refuse(builder, file, token, "has an id that is no whole number from 0 on");
        if (id < builder->vocabulary->size && builder->added[id])
            return refuse(builder, file, token, "has the id of another one");
        enum utter_code code = place_added(builder, token, id);
        if (code != UTTER_OK)
            return code;
    }
    return UTTER_OK;
}

/*
 * Where no file names the pad token and the vocabulary has no "<pad>": config.json's pad_token_id,
 * if that column is spelt like a special token. It may well be the default, and so a letter.
 */
static void guess_pad(struct builder *builder, int pad_token_id)
{
    struct tokenizer *tokenizer = &builder->tokenizer;
    if (tokenizer->pad_named || pad_token_id < 0 || pad_token_id >= builder->vocabulary->size ||
        json_object_get(builder->known, tokenizer->parts[TOKENIZER_PAD]))
        return;
    const char *text = builder->text[pad_token_id];
    if (text && strlen(text) > 2 && strchr("<[", text[0]))
        tokenizer->parts[TOKENIZER_PAD] = text;
}

/* Calls `each` with every special token, in the reference's order, until one call fails. */
static enum utter_code for_each_special(struct builder *builder,
                                        enum utter_code (*each)(struct builder *, const char *))
{
    enum utter_code code = UTTER_OK;
    const struct tokenizer *tokenizer = &builder->tokenizer;
    for (int i = 0; i < TOKENIZER_PARTS && code == UTTER_OK; i++)
        if (tokenizer->parts[i])
            code = each(builder, tokenizer->parts[i]);
    for (int list = 0; list < 2; list++)
        for (size_t i = 0; i < json_array_size(tokenizer->extra[list]) && code == UTTER_OK; i++) {
            const char *token = tokenizer_token_text(json_array_get(tokenizer->extra[list], i));
            if (token)
                code = each(builder, token);
        }
    return code;
}

/* A special token that no file gives an id follows the known ones, as in the reference. */
static enum utter_code place_special(struct builder *builder, const char *token)
{
    size_t next = json_object_size(builder->known);
    if (!*token || json_object_get(builder->known, token))
        return UTTER_OK;
    return place_added(builder, token, next < INT_MAX ? (int)next : INT_MAX);
}

static const char *spelling(const struct builder *builder, int id)
{
    const char *unknown = builder->tokenizer.parts[TOKENIZER_UNK];
    if (builder->text[id])
        return builder->text[id];
    if (builder->added[id])
        return builder->added[id];
    return unknown ? unknown : "";
}

/* Copies the spellings and gives columns that are spelt alike one label. */
static enum utter_code label_columns(struct builder *builder)
{
    struct vocabulary *vocabulary = builder->vocabulary;
    for (int id = 0; id < vocabulary->size; id++) {
        const char *text = spelling(builder, id);
        const json_t *label = json_object_get(builder->labels, text);
        vocabulary->label[id] = label ? (int)json_integer_value(label) : id;
        vocabulary->tokens[id] = strdup(text);
        if (!vocabulary->tokens[id] ||
            (!label && json_object_set_new(builder->labels, text, json_integer(id)) != 0))
            return error_memory(builder->error, "the vocabulary");
    }
    return UTTER_OK;
}

/* The label of the columns spelt so, or -1. */
static int find_label(const struct builder *builder, const char *token)
{
    const json_t *label = token ? json_object_get(builder->labels, token) : NULL;
    return label ? (int)json_integer_value(label) : -1;
}

static enum utter_code mark_special(struct builder *builder, const char *token)
{
    int label = find_label(builder, token);
    if (label >= 0 && label != builder->vocabulary->delimiter)
        builder->vocabulary->special[label] = true;
    return UTTER_OK;
}

static enum utter_code find_parts(struct builder *builder)
{
    struct vocabulary *vocabulary = builder->vocabulary;
    const struct tokenizer *tokenizer = &builder->tokenizer;
    const char *pad = tokenizer->parts[TOKENIZER_PAD];
    vocabulary->blank = find_label(builder, pad);
    if (vocabulary->blank < 0)
        return error_set(builder->error, UTTER_ERROR_FORMAT,
                         "%s: no CTC blank: there is no token \"%s\"; name the blank as pad_token "
                         "in tokenizer_config.json",
                         error_path(builder->files->vocab.path.text), pad ? pad : "<pad>");
    vocabulary->delimiter = find_label(builder, tokenizer->parts[TOKENIZER_DELIMITER]);
    if (vocabulary->delimiter == vocabulary->blank)
        vocabulary->delimiter = -1;
    for_each_special(builder, mark_special);
    for (int id = 0; id < vocabulary->size; id++)
        vocabulary->special[id] = vocabulary->special[vocabulary->label[id]];
    return UTTER_OK;
}

static enum utter_code place_tokens(struct builder *builder, int pad_token_id)
{
    const struct vocabulary_files *files = builder->files;
    enum utter_code code = tokenizer_parse(&builder->tokenizer, &files->tokenizer_config,
                                           &files->special_tokens_map, builder->error);
    if (code == UTTER_OK)
        code = place_vocab(builder);
    if (code == UTTER_OK)
        code = builder->tokenizer.added_tokens_decoder ? place_decoder(builder)
                                                       : place_added_tokens(builder);
    guess_pad(builder, pad_token_id);
    if (code == UTTER_OK)
        code = for_each_special(builder, place_special);
    return code;
}

static enum utter_code builder_open(struct builder *builder)
{
    struct vocabulary *vocabulary = builder->vocabulary;
    const size_t size = (size_t)vocabulary->size;
    builder->known = json_object();
    builder->labels = json_object();
    builder->text = calloc(size, sizeof *builder->text);
    builder->added = calloc(size, sizeof *builder->added);
    vocabulary->tokens = calloc(size, sizeof *vocabulary->tokens);
    vocabulary->label = calloc(size, sizeof *vocabulary->label);
    vocabulary->special = calloc(size, sizeof *vocabulary->special);
    if (!builder->known || !builder->labels || !builder->text || !builder->added ||
        !vocabulary->tokens || !vocabulary->label || !vocabulary->special)
        return error_memory(builder->error, "the vocabulary");
    return UTTER_OK;
}

static void builder_close(struct builder *builder)
{
    json_decref(builder->known);
    json_decref(builder->labels);
    free(builder->text);
    free(builder->added);
}

static enum utter_code take_habits(struct builder *builder)
{
    struct vocabulary *vocabulary = builder->vocabulary;
    const struct tokenizer *tokenizer = &builder->tokenizer;
    vocabulary->do_lower_case = tokenizer->do_lower_case;
    vocabulary->clean_up_tokenization_spaces = tokenizer->clean_up_tokenization_spaces;
    vocabulary->replace_word_delimiter = strdup(tokenizer->replace_word_delimiter);
    if (!vocabulary->replace_word_delimiter)
        return error_memory(builder->error, "the vocabulary");
    return UTTER_OK;
}

enum utter_code vocabulary_parse(struct vocabulary *vocabulary,
                                 const struct vocabulary_files *files, int size, int pad_token_id,
                                 struct utter_error *error)
{
    struct builder builder = {.vocabulary = vocabulary, .files = files, .error = error};
    *vocabulary = (struct vocabulary){.size = size};
    enum utter_code code = builder_open(&builder);
    if (code == UTTER_OK)
        code = place_tokens(&builder, pad_token_id);
    if (code == UTTER_OK)
        code = label_columns(&builder);
    if (code == UTTER_OK)
        code = find_parts(&builder);
    if (code == UTTER_OK)
        code = take_habits(&builder);
    builder_close(&builder);
    if (code != UTTER_OK)
        vocabulary_close(vocabulary);
    return code;
}

enum utter_code vocabulary_open(struct vocabulary *vocabulary, const char *directory, int size,
                                int pad_token_id, struct utter_error *error)
{
    struct vocabulary_files files = {0};
    *vocabulary = (struct vocabulary){0};
    enum utter_code code = json_file_read(&files.vocab, directory, "vocab.json", error);
    if (code == UTTER_OK)
        code = json_file_read_optional(&files.tokenizer_config, directory, "tokenizer_config.json",
                                       error);
    if (code == UTTER_OK)
        code = json_file_read_optional(&files.special_tokens_map, directory,
                                       "special_tokens_map.json", error);
    if (code == UTTER_OK)
        code = json_file_read_optional(&files.added_tokens, directory, "added_tokens.json", error);
    if (code == UTTER_OK)
        code = vocabulary_parse(vocabulary, &files, size, pad_token_id, error);
    json_file_close(&files.vocab);
    json_file_close(&files.tokenizer_config);
    json_file_close(&files.special_tokens_map);
    json_file_close(&files.added_tokens);
    return code;
}

void vocabulary_close(struct vocabulary *vocabulary)
{
    for (int id = 0; vocabulary->tokens && id < vocabulary->size; id++)
        free(vocabulary->tokens[id]);
    free(vocabulary->tokens);
    free(vocabulary->label);
    free(vocabulary->special);
    free(vocabulary->replace_word_delimiter);
    *vocabulary = (struct vocabulary){0};
}

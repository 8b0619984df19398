/* SPDX-License-Identifier: MIT */
/*
 * The JSON files of a checkpoint. The first byte says which: 'c' config.json, 'p'
 * preprocessor_config.json, 'u' utter.json, 'i' the index of shards, 'v' vocab.json,
 * tokenizer_config.json, special_tokens_map.json and added_tokens.json with zero bytes between
 * them.
 */
#include "model/config_json.h"
#include "model/index.h"
#include "model/measured.h"
#include "model/vocabulary_json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { COLUMNS = 40 };

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* A failure explains itself in one line. */
static bool accepted(enum utter_code code, const struct utter_error *error)
{
    if (code == UTTER_OK)
        return true;
    require(error->code == code && error->message[0] && !strchr(error->message, '\n'));
    return false;
}

static void check_config(const struct json_file *file)
{
    struct model_config config = {0};
    struct utter_error error = {0};
    if (!accepted(config_parse_model(&config, file->json, "fuzz", &error), &error))
        return;
    require(config.conv_layers >= 1 && config.conv_layers <= CONFIG_CONV_LAYERS_MAX);
    require(config.hidden_size % config.num_attention_heads == 0);
    require(config.hidden_size % config.num_conv_pos_embedding_groups == 0);
    require(config.frame_samples >= 1 && config.receptive_field >= 1);
    require(config_frames(&config, config.receptive_field) == 1);
    require(config_frames(&config, config.receptive_field - 1) == 0);
}

static void check_preprocessor(const struct json_file *file)
{
    struct model_config config = {0};
    struct utter_error error = {0};
    if (accepted(config_parse_preprocessor(&config, file->json, "fuzz", &error), &error))
        require(config.sampling_rate > 0);
}

static void check_measured(const struct json_file *file)
{
    struct measured measured = {0};
    struct utter_error error = {0};
    if (!accepted(measured_parse(&measured, file->json, "fuzz", &error), &error))
        return;
    require(measured.encoder == UTTER_ENCODER_WINDOW || measured.encoder == UTTER_ENCODER_CACHED);
    require(measured.latency >= UTTER_LATENCY_LOW && measured.latency <= UTTER_LATENCY_HIGH);
    require(measured.word_error_rate == -1 || measured.word_error_rate >= 0);
}

static void check_index(const struct json_file *file)
{
    struct index index;
    struct utter_error error = {0};
    const char *tensor;
    json_t *value;
    if (!accepted(index_open(&index, file, &error), &error))
        return;
    json_object_foreach(json_object_get(file->json, "weight_map"), tensor, value)
    {
        int number = index_find(&index, tensor);
        require(number >= 0 && number < index.file_count);
        require(strcmp(index.files[number], json_string_value(value)) == 0);
        require(!strchr(index.files[number], '/'));
    }
    index_close(&index);
}

static void check_vocabulary(const struct vocabulary_files *files, int pad_token_id)
{
    struct vocabulary vocabulary;
    struct utter_error error = {0};
    enum utter_code code = vocabulary_parse(&vocabulary, files, COLUMNS, pad_token_id, &error);
    if (!accepted(code, &error)) {
        require(!vocabulary.tokens);
        return;
    }
    require(vocabulary.blank >= 0 && vocabulary.blank < COLUMNS);
    require(vocabulary.delimiter >= -1 && vocabulary.delimiter < COLUMNS);
    require(vocabulary.delimiter != vocabulary.blank && vocabulary.replace_word_delimiter);
    for (int id = 0; id < COLUMNS; id++) {
        int label = vocabulary.label[id];
        require(label >= 0 && label <= id && vocabulary.label[label] == label);
        require(strcmp(vocabulary.tokens[id], vocabulary.tokens[label]) == 0);
    }
    vocabulary_close(&vocabulary);
}

/* Parses up to the next zero byte, which it steps over. */
static bool parse_next(struct json_file *file, const uint8_t **bytes, size_t *size)
{
    struct utter_error error = {0};
    const uint8_t *end = *size > 0 ? memchr(*bytes, 0, *size) : NULL;
    const size_t length = end ? (size_t)(end - *bytes) : *size;
    enum utter_code code = json_file_parse(file, *bytes, length, &error);
    *bytes += length + (end != NULL);
    *size -= length + (end != NULL);
    return accepted(code, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct vocabulary_files files;
    struct json_file *file = &files.vocab;
    if (size < 1)
        return 0;
    const uint8_t kind = *bytes++;
    size--;
    if (!parse_next(file, &bytes, &size))
        return 0;
    if (kind == 'c') {
        check_config(file);
    } else if (kind == 'p') {
        check_preprocessor(file);
    } else if (kind == 'u') {
        check_measured(file);
    } else if (kind == 'i') {
        check_index(file);
    } else {
        parse_next(&files.tokenizer_config, &bytes, &size);
        parse_next(&files.special_tokens_map, &bytes, &size);
        parse_next(&files.added_tokens, &bytes, &size);
        check_vocabulary(&files, kind % COLUMNS);
    }
    json_file_close(&files.vocab);
    json_file_close(&files.tokenizer_config);
    json_file_close(&files.special_tokens_map);
    json_file_close(&files.added_tokens);
    return 0;
}

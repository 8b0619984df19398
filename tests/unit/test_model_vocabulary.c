/* SPDX-License-Identifier: MIT */
/* Expected values were checked against transformers 5.23.0's Wav2Vec2CTCTokenizer. */
#include "model/vocabulary_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LETTERS "{\"<pad>\": 0, \"a\": 1, \"_\": 2, \"b\": 3, \"|\": 4}"

/* The texts of the four files; NULL: no such file. */
struct texts {
    const char *vocab, *tokenizer_config, *special_tokens_map, *added_tokens;
    int pad_token_id; /* config.json's; 0 stands for none */
};

static void parse(struct json_file *file, const char *text, const char *name)
{
    snprintf(file->path.text, sizeof file->path.text, "dir/%s", name);
    if (text)
        assert_int_equal(json_file_parse(file, text, strlen(text), NULL), UTTER_OK);
}

static enum utter_code open_texts(struct vocabulary *vocabulary, const struct texts *texts,
                                  int size, struct utter_error *error)
{
    struct vocabulary_files files = {0};
    parse(&files.vocab, texts->vocab, "vocab.json");
    parse(&files.tokenizer_config, texts->tokenizer_config, "tokenizer_config.json");
    parse(&files.special_tokens_map, texts->special_tokens_map, "special_tokens_map.json");
    parse(&files.added_tokens, texts->added_tokens, "added_tokens.json");
    const int pad = texts->pad_token_id ? texts->pad_token_id : -1;
    enum utter_code code = vocabulary_parse(vocabulary, &files, size, pad, error);
    json_file_close(&files.vocab);
    json_file_close(&files.tokenizer_config);
    json_file_close(&files.special_tokens_map);
    json_file_close(&files.added_tokens);
    return code;
}

static struct vocabulary open_good(int size, struct texts texts)
{
    struct vocabulary vocabulary;
    struct utter_error error = {0};
    if (open_texts(&vocabulary, &texts, size, &error) != UTTER_OK)
        fail_msg("%s", error.message);
    return vocabulary;
}

static void expect_failure(int size, struct texts texts, const char *cause)
{
    struct vocabulary vocabulary;
    struct utter_error error = {0};
    assert_true(open_texts(&vocabulary, &texts, size, &error) < 0);
    assert_null(vocabulary.tokens);
    if (strncmp(error.message, "dir/", 4) != 0 || !strstr(error.message, cause))
        fail_msg("\"%s\" does not name the file and \"%s\"", error.message, cause);
}

static void test_vocab_alone_follows_the_defaults(void **state)
{
    (void)state;
    struct vocabulary v = open_good(5, (struct texts){LETTERS});
    assert_int_equal(v.size, 5);
    assert_string_equal(v.tokens[3], "b");
    assert_int_equal(v.label[3], 3);
    assert_int_equal(v.blank, 0);
    assert_int_equal(v.delimiter, 4);
    assert_true(v.special[0]);
    assert_false(v.special[1]);
    assert_false(v.special[4]);
    assert_string_equal(v.replace_word_delimiter, " ");
    assert_false(v.do_lower_case);
    assert_false(v.clean_up_tokenization_spaces);
    vocabulary_close(&v);
}

static void test_tokenizer_config(void **state)
{
    (void)state;
    struct vocabulary v = open_good(
        5, (struct texts){LETTERS,
                          "{\"pad_token\": \"b\", \"word_delimiter_token\": {\"content\": \"_\"},"
                          "\"replace_word_delimiter_char\": \"~\", \"do_lower_case\": true,"
                          "\"clean_up_tokenization_spaces\": true,"
                          "\"model_max_length\": 1000000000000000019884624838656}"});
    assert_int_equal(v.blank, 3);
    assert_int_equal(v.delimiter, 2);
    assert_string_equal(v.replace_word_delimiter, "~");
    assert_true(v.do_lower_case);
    assert_true(v.clean_up_tokenization_spaces);
    assert_false(v.special[4]);
    vocabulary_close(&v);
}

static void test_no_delimiter(void **state)
{
    (void)state;
    struct vocabulary v = open_good(5, (struct texts){LETTERS, "{\"word_delimiter_token\": null}"});
    assert_int_equal(v.delimiter, -1);
    vocabulary_close(&v);
    v = open_good(5, (struct texts){LETTERS, "{\"word_delimiter_token\": \"<pad>\"}"});
    assert_int_equal(v.delimiter, -1); /* the blank is dropped before it could delimit */
    vocabulary_close(&v);
}

/* Names that nobody gives an id come behind the known ones: <s> 5, </s> 6, <unk> 7. */
static void test_columns_beyond_the_vocabulary(void **state)
{
    (void)state;
    struct vocabulary v = open_good(10, (struct texts){LETTERS});
    assert_string_equal(v.tokens[5], "<s>");
    assert_string_equal(v.tokens[6], "</s>");
    assert_string_equal(v.tokens[7], "<unk>");
    assert_string_equal(v.tokens[8], "<unk>");
    assert_string_equal(v.tokens[9], "<unk>");
    assert_int_equal(v.label[7], 7);
    assert_int_equal(v.label[8], 7);
    assert_int_equal(v.label[9], 7);
    assert_true(v.special[9]);
    vocabulary_close(&v);
}

static void test_pad_token_behind_the_vocabulary(void **state)
{
    (void)state;
    struct vocabulary v = open_good(7, (struct texts){"{\"a\": 0, \"b\": 1}"});
    assert_int_equal(v.blank, 5);
    assert_int_equal(v.delimiter, 6);
    vocabulary_close(&v);
}

static void test_added_tokens_and_special_tokens_map(void **state)
{
    (void)state;
    struct vocabulary v = open_good(
        10, (struct texts){LETTERS, "{\"additional_special_tokens\": [\"a\"]}",
                           "{\"pad_token\": {\"content\": \"<pad>\", \"lstrip\": false},"
                           "\"additional_special_tokens\": [\"b\", {\"content\": \"y\"}]}",
                           "{\"q\": 5, \"<s>\": 9, \"a2\": 1}"});
    assert_string_equal(v.tokens[1], "a"); /* vocab.json wins */
    assert_string_equal(v.tokens[5], "q");
    assert_string_equal(v.tokens[6], "<unk>");
    assert_string_equal(v.tokens[8], "</s>");  /* eight tokens were known */
    assert_string_equal(v.tokens[9], "<unk>"); /* the next free id, taken from <s> */
    vocabulary_close(&v);
}

static void test_added_tokens_decoder_hides_the_older_files(void **state)
{
    (void)state;
    struct vocabulary v =
        open_good(7, (struct texts){"{\"a\": 0, \"b\": 1, \"|\": 2}",
                                    "{\"added_tokens_decoder\": {\"3\": {\"content\": \"<pad>\"},"
                                    "\"4\": {\"content\": \"<s>\"}, \"1\": {\"content\": \"B\"},"
                                    "\"500\": {\"content\": \"far\"}}}",
                                    "{\"pad_token\": \"a\"}", "{\"z\": 6}"});
    assert_int_equal(v.blank, 3);
    assert_string_equal(v.tokens[1], "b");
    assert_string_equal(v.tokens[4], "<s>");
    assert_true(v.special[4]);
    assert_string_equal(v.tokens[6], "<unk>");
    vocabulary_close(&v);
}

static void test_pad_token_id_of_the_config(void **state)
{
    (void)state;
    static const char vocab[] =
        "{\"a\": 0, \"<s>\": 1, \"</s>\": 2, \"<unk>\": 3, \"[PAD]\": 4, \"|\": 5}";
    struct vocabulary v = open_good(6, (struct texts){vocab, .pad_token_id = 4});
    assert_int_equal(v.blank, 4);
    vocabulary_close(&v);
    expect_failure(6, (struct texts){vocab}, "no CTC blank");
    expect_failure(6, (struct texts){vocab, .pad_token_id = 5}, "no CTC blank");
    expect_failure(6, (struct texts){vocab, .pad_token_id = 9}, "no CTC blank");
    expect_failure(6, (struct texts){vocab, "{\"pad_token\": \"<pad>\"}", .pad_token_id = 4},
                   "no CTC blank");
}

static void test_no_blank(void **state)
{
    (void)state;
    expect_failure(2, (struct texts){"{\"a\": 0, \"b\": 1}"},
                   "vocab.json: no CTC blank: there is no token \"<pad>\"");
    expect_failure(5, (struct texts){LETTERS, "{\"pad_token\": \"[PAD]\"}"},
                   "there is no token \"[PAD]\"; name the blank as pad_token in tokenizer_config");
    expect_failure(5, (struct texts){LETTERS, "{\"pad_token\": null}"}, "no CTC blank");
}

static void test_bad_ids(void **state)
{
    (void)state;
    static const struct {
        const char *vocab, *cause;
    } cases[] = {
        {"{\"<pad>\": 0, \"a\": 0}", "tokens \"<pad>\" and \"a\" have one id, 0"},
        {"{\"<pad>\": 0, \"a\": 5}", "token \"a\" has id 5, but config.json's vocab_size is 5"},
        {"{\"<pad>\": 0, \"a\": -1}", "token \"a\" has an id that is no whole number"},
        {"{\"<pad>\": 0, \"a\": 1.5}", "token \"a\" has an id that is no whole number"},
        {"{\"<pad>\": 0, \"a\": 1e300}", "token \"a\" has an id that is no whole number"},
        {"{\"<pad>\": 0, \"a\": \"1\"}", "token \"a\" has an id that is no whole number"},
        {"{\"<pad>\": 0, \"a\": null}", "token \"a\" has an id that is no whole number"},
        {"{\"eng\": {\"<pad>\": 0}}", "nested by language (\"eng\"), as in MMS"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_failure(5, (struct texts){cases[i].vocab}, cases[i].cause);
}

static void test_bad_companions(void **state)
{
    (void)state;
    static const struct {
        const char *config, *map, *added, *cause;
    } cases[] = {
        {"{\"pad_token\": 7}", NULL, NULL, "tokenizer_config.json: pad_token must be a token"},
        {"{\"unk_token\": {\"text\": \"x\"}}", NULL, NULL, "unk_token must be a token"},
        {"{\"do_lower_case\": 1}", NULL, NULL, "do_lower_case must be true or false"},
        {"{\"replace_word_delimiter_char\": 1}", NULL, NULL, "replace_word_delimiter_char must"},
        {"{\"added_tokens_decoder\": {\"x\": {\"content\": \"y\"}}}", NULL, NULL, "\"x\" is no id"},
        {"{\"added_tokens_decoder\": {\"-1\": {\"content\": \"y\"}}}", NULL, NULL, "\"-1\""},
        {"{\"added_tokens_decoder\": {\"5\": {\"content\": 5}}}", NULL, NULL, "\"5\""},
        {"{\"added_tokens_decoder\": {\"99999999999999999999\": \"y\"}}", NULL, NULL, "is no id"},
        {NULL, "{\"pad_token\": []}", NULL, "special_tokens_map.json: pad_token must be a token"},
        {NULL, NULL, "{\"x\": -5}", "added_tokens.json: token \"x\" has an id"},
        {NULL, NULL, "{\"x\": 4, \"y\": 4}", "token \"y\" has the id of another one"},
        {NULL, NULL, "{\"x\": {}}", "added_tokens.json: token \"x\" has an id"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_failure(5, (struct texts){LETTERS, cases[i].config, cases[i].map, cases[i].added},
                       cases[i].cause);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vocab_alone_follows_the_defaults),
        cmocka_unit_test(test_tokenizer_config),
        cmocka_unit_test(test_no_delimiter),
        cmocka_unit_test(test_columns_beyond_the_vocabulary),
        cmocka_unit_test(test_pad_token_behind_the_vocabulary),
        cmocka_unit_test(test_added_tokens_and_special_tokens_map),
        cmocka_unit_test(test_added_tokens_decoder_hides_the_older_files),
        cmocka_unit_test(test_pad_token_id_of_the_config),
        cmocka_unit_test(test_no_blank),
        cmocka_unit_test(test_bad_ids),
        cmocka_unit_test(test_bad_companions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

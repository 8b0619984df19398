/* SPDX-License-Identifier: MIT */
#include "model/config_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef enum utter_code reader(struct model_config *config, const json_t *json, const char *path,
                               struct utter_error *error);

static enum utter_code read_text(reader *read, const char *text, struct model_config *config,
                                 struct utter_error *error)
{
    struct json_file file = {.path = {"dir/c.json"}};
    *config = (struct model_config){0};
    enum utter_code code = json_file_parse(&file, text, strlen(text), error);
    if (code == UTTER_OK)
        code = read(config, file.json, file.path.text, error);
    json_file_close(&file);
    return code;
}

static void expect_failure(reader *read, const char *text, enum utter_code code, const char *cause)
{
    struct model_config config;
    struct utter_error error = {0};
    assert_int_equal(read_text(read, text, &config, &error), code);
    if (strncmp(error.message, "dir/c.json: ", 12) != 0 || !strstr(error.message, cause))
        fail_msg("\"%s\" does not name the file and \"%s\"", error.message, cause);
}

/* `fields` besides the model_type. */
static void expect_refusal(const char *fields, enum utter_code code, const char *cause)
{
    char text[1000];
    snprintf(text, sizeof text, "{\"model_type\": \"wav2vec2\", %s}", fields);
    expect_failure(config_parse_model, text, code, cause);
}

static struct model_config read_good(const char *text)
{
    struct model_config config;
    struct utter_error error = {0};
    if (read_text(config_parse_model, text, &config, &error) != UTTER_OK)
        fail_msg("%s", error.message);
    return config;
}

static void test_defaults_are_those_of_the_reference(void **state)
{
    (void)state;
    const struct model_config c = read_good("{\"model_type\": \"wav2vec2\"}");
    assert_string_equal(c.model_type, "wav2vec2");
    assert_int_equal(c.conv_layers, 7);
    assert_int_equal(c.conv_dim[6], 512);
    assert_int_equal(c.conv_kernel[0], 10);
    assert_int_equal(c.conv_kernel[4], 3);
    assert_int_equal(c.conv_kernel[6], 2);
    assert_int_equal(c.conv_stride[0], 5);
    assert_int_equal(c.conv_stride[6], 2);
    assert_false(c.conv_bias);
    assert_int_equal(c.feat_extract_norm, EXTRACTOR_NORM_GROUP);
    assert_int_equal(c.feat_extract_activation, ACTIVATION_GELU);
    assert_true(c.feat_proj_layer_norm);
    assert_int_equal(c.hidden_size, 768);
    assert_int_equal(c.num_hidden_layers, 12);
    assert_int_equal(c.num_attention_heads, 12);
    assert_int_equal(c.intermediate_size, 3072);
    assert_int_equal(c.hidden_act, ACTIVATION_GELU);
    assert_false(c.do_stable_layer_norm);
    assert_true(c.layer_norm_eps == 1e-5f);
    assert_int_equal(c.num_conv_pos_embeddings, 128);
    assert_int_equal(c.num_conv_pos_embedding_groups, 16);
    assert_int_equal(c.vocab_size, 32);
    assert_int_equal(c.pad_token_id, -1);
    assert_int_equal(c.frame_samples, 320);
    assert_int_equal(c.receptive_field, 400);
}

static void test_every_field_is_read(void **state)
{
    (void)state;
    const struct model_config c = read_good(
        "{\"model_type\": \"hubert\", \"conv_dim\": [8, 6], \"conv_kernel\": [7, 4],"
        "\"conv_stride\": [3, 2], \"conv_bias\": true, \"feat_extract_norm\": \"layer\","
        "\"feat_extract_activation\": \"relu\", \"feat_proj_layer_norm\": false,"
        "\"hidden_size\": 24, \"num_hidden_layers\": 3, \"num_attention_heads\": 4,"
        "\"intermediate_size\": 20, \"hidden_act\": \"gelu_new\", \"do_stable_layer_norm\": true,"
        "\"layer_norm_eps\": 1e-6, \"num_conv_pos_embeddings\": 15,"
        "\"num_conv_pos_embedding_groups\": 2, \"vocab_size\": 11, \"pad_token_id\": 10,"
        "\"add_adapter\": false, \"adapter_attn_dim\": null, \"conv_pos_batch_norm\": false,"
        "\"huge\": 1000000000000000019884624838656}");
    assert_string_equal(c.model_type, "hubert");
    assert_int_equal(c.conv_layers, 2);
    assert_int_equal(c.conv_dim[0], 8);
    assert_int_equal(c.conv_dim[1], 6);
    assert_int_equal(c.conv_kernel[1], 4);
    assert_int_equal(c.conv_stride[0], 3);
    assert_true(c.conv_bias);
    assert_int_equal(c.feat_extract_norm, EXTRACTOR_NORM_LAYER);
    assert_int_equal(c.feat_extract_activation, ACTIVATION_RELU);
    assert_false(c.feat_proj_layer_norm);
    assert_int_equal(c.hidden_size, 24);
    assert_int_equal(c.num_hidden_layers, 3);
    assert_int_equal(c.num_attention_heads, 4);
    assert_int_equal(c.intermediate_size, 20);
    assert_int_equal(c.hidden_act, ACTIVATION_GELU_TANH);
    assert_true(c.do_stable_layer_norm);
    assert_true(c.layer_norm_eps == 1e-6f);
    assert_int_equal(c.num_conv_pos_embeddings, 15);
    assert_int_equal(c.num_conv_pos_embedding_groups, 2);
    assert_int_equal(c.vocab_size, 11);
    assert_int_equal(c.pad_token_id, 10);
    assert_int_equal(c.frame_samples, 6);
    assert_int_equal(c.receptive_field, 7 + 3 * 3);
}

static void test_frames_follow_the_layers(void **state)
{
    (void)state;
    const struct model_config c = read_good("{\"model_type\": \"wav2vec2\"}");
    static const struct {
        int64_t samples, frames;
    } cases[] = {{0, 0}, {399, 0}, {400, 1}, {719, 1}, {720, 2}, {16000, 49}, {480000, 1499}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(config_frames(&c, cases[i].samples), cases[i].frames);
}

static void test_other_architectures_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const types[] = {"data2vec-audio", "wavlm", "wav2vec2-conformer",
                                        "wav2vec2-bert", "whisper"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"model_type\": \"%s\"}", types[i]);
        expect_failure(config_parse_model, text, UTTER_ERROR_UNSUPPORTED, types[i]);
    }
    expect_failure(config_parse_model, "{}", UTTER_ERROR_FORMAT, "model_type is missing");
    expect_failure(config_parse_model, "{\"model_type\": 7}", UTTER_ERROR_FORMAT,
                   "model_type must be a string");
}

static void test_what_utter_cannot_run_is_refused_by_name(void **state)
{
    (void)state;
    expect_refusal("\"add_adapter\": true", UTTER_ERROR_UNSUPPORTED, "add_adapter");
    expect_refusal("\"adapter_attn_dim\": 16", UTTER_ERROR_UNSUPPORTED, "adapter_attn_dim");
    expect_refusal("\"hidden_act\": \"prelu\"", UTTER_ERROR_UNSUPPORTED, "hidden_act \"prelu\"");
    expect_refusal("\"feat_extract_activation\": \"x\"", UTTER_ERROR_UNSUPPORTED,
                   "feat_extract_activation \"x\"");
    expect_failure(config_parse_model,
                   "{\"model_type\": \"hubert\", \"conv_pos_batch_norm\": true}",
                   UTTER_ERROR_UNSUPPORTED, "conv_pos_batch_norm");
    read_good("{\"model_type\": \"wav2vec2\", \"conv_pos_batch_norm\": true}"); /* HuBERT's alone */
}

static void test_bad_values(void **state)
{
    (void)state;
    static const struct {
        const char *fields, *cause;
    } cases[] = {
        {"\"hidden_size\": 0", "hidden_size must be a whole number of 1 to 65536"},
        {"\"hidden_size\": -768", "hidden_size must"},
        {"\"hidden_size\": 65537", "hidden_size must"},
        {"\"hidden_size\": 1e300", "hidden_size must"},
        {"\"hidden_size\": 7.5", "hidden_size must"},
        {"\"hidden_size\": \"768\"", "hidden_size must"},
        {"\"hidden_size\": [768]", "hidden_size must"},
        {"\"hidden_size\": 770", "multiple of num_attention_heads"},
        {"\"num_attention_heads\": 5", "multiple of num_attention_heads"},
        {"\"num_conv_pos_embedding_groups\": 5", "multiple of num_conv_pos_embedding_groups"},
        {"\"num_hidden_layers\": 257", "num_hidden_layers must"},
        {"\"vocab_size\": 0", "vocab_size must"},
        {"\"layer_norm_eps\": 0", "layer_norm_eps must"},
        {"\"layer_norm_eps\": \"small\"", "layer_norm_eps must"},
        {"\"conv_bias\": 1", "conv_bias must be true or false"},
        {"\"feat_extract_norm\": \"batch\"", "feat_extract_norm must be"},
        {"\"conv_dim\": 512", "conv_dim must be a list"},
        {"\"conv_dim\": []", "conv_dim must be a list"},
        {"\"conv_dim\": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "conv_dim must be a list"},
        {"\"conv_dim\": [512]", "conv_kernel and conv_dim differ"},
        {"\"conv_stride\": [5]", "conv_stride and conv_dim differ"},
        {"\"conv_stride\": [5,2,2,2,2,2,0]", "conv_stride holds"},
        {"\"conv_kernel\": [5,2,2,2,2,2,null]", "conv_kernel holds"},
        {"\"conv_stride\": [65536,65536,65536,65536,65536,65536,65536]", "absurdly long"},
        {"\"conv_kernel\": [1,65536,65536,65536,65536,65536,65536]", "absurdly long"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refusal(cases[i].fields, UTTER_ERROR_FORMAT, cases[i].cause);
}

static void test_not_json(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{",
        "nonsense",
        "{\"a\": NaN}",
        "{\"a\": Infinity}",
        "{\"a\":1}x",
        "{\"a\":1e999}",
        "{\"a\":1,\"a\":1}",
        "{\"\xff\":1}",
        "{\"a\":\"\\u0000\"}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_failure(config_parse_model, texts[i], UTTER_ERROR_FORMAT, "not valid JSON");
    expect_failure(config_parse_model, "[1]", UTTER_ERROR_FORMAT, "holds no JSON object");
    char deep[100000] = "{\"a\":";
    memset(deep + 5, '[', sizeof deep - 6);
    expect_failure(config_parse_model, deep, UTTER_ERROR_FORMAT, "not valid JSON");
}

static void test_preprocessor(void **state)
{
    (void)state;
    struct model_config config = {0};
    assert_int_equal(config_parse_preprocessor(&config, NULL, "p", NULL), UTTER_OK);
    assert_true(config.do_normalize);
    assert_int_equal(config.sampling_rate, 16000);
    assert_int_equal(read_text(config_parse_preprocessor,
                               "{\"do_normalize\": false, \"sampling_rate\": 8000,"
                               "\"feature_size\": 1}",
                               &config, NULL),
                     UTTER_OK);
    assert_false(config.do_normalize);
    assert_int_equal(config.sampling_rate, 8000);
    static const struct {
        const char *text, *cause;
    } cases[] = {
        {"{\"feature_size\": 80}", "feature_size"},
        {"{\"sampling_rate\": 0}", "sampling_rate"},
        {"{\"sampling_rate\": 1e9}", "sampling_rate"},
        {"{\"do_normalize\": \"no\"}", "do_normalize"},
        {"{\"feature_extractor_type\": \"WhisperFeatureExtractor\"}", "feature_extractor_type"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_failure(config_parse_preprocessor, cases[i].text, UTTER_ERROR_FORMAT,
                       cases[i].cause);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_those_of_the_reference),
        cmocka_unit_test(test_every_field_is_read),
        cmocka_unit_test(test_frames_follow_the_layers),
        cmocka_unit_test(test_other_architectures_are_refused_by_name),
        cmocka_unit_test(test_what_utter_cannot_run_is_refused_by_name),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_not_json),
        cmocka_unit_test(test_preprocessor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

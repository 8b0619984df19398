/* SPDX-License-Identifier: MIT */
/* The golden checkpoints open, with the values that their makers wrote into them. */
#include "model/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct checkpoint *open_golden(const char *name)
{
    char directory[4096];
    struct utter_error error = {0};
    snprintf(directory, sizeof directory, "%s/%s", GOLDEN_DIRECTORY, name);
    struct checkpoint *checkpoint = checkpoint_open(directory, &error);
    if (!checkpoint)
        fail_msg("%s", error.message);
    return checkpoint;
}

static void test_every_golden_checkpoint_opens(void **state)
{
    (void)state;
    static const char *const names[] = {
        "base",       "large",       "xlsr",         "digits",      "group-plain",  "group-stable",
        "group-deep", "layer-plain", "layer-stable", "hubert-base", "hubert-large", "hubert-bare",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct checkpoint *checkpoint = open_golden(names[i]);
        assert_true(checkpoint->parameter_count > 10000);
        assert_true(checkpoint->mapped_bytes > 10000);
        assert_int_equal(checkpoint->config.sampling_rate, 16000);
        assert_non_null(checkpoint->weights.head.bias.data);
        checkpoint_release_pages(checkpoint);
        checkpoint_close(checkpoint);
    }
}

static void test_base(void **state)
{
    (void)state;
    struct checkpoint *checkpoint = open_golden("base");
    const struct model_config *config = &checkpoint->config;
    const struct weights *weights = &checkpoint->weights;
    assert_string_equal(config->model_type, "wav2vec2");
    assert_int_equal(config->conv_layers, 7);
    assert_int_equal(config->feat_extract_norm, EXTRACTOR_NORM_GROUP);
    assert_int_equal(config->frame_samples, 320);
    assert_int_equal(config->receptive_field, 400);
    assert_int_equal(config_frames(config, 399), 0);
    assert_int_equal(config_frames(config, 400), 1);
    assert_int_equal(config_frames(config, 719), 1);
    assert_int_equal(config_frames(config, 720), 2);
    assert_true(config->do_normalize);
    assert_int_equal(weights->conv[0].weight.rank, 3);
    assert_null(weights->conv[0].bias.data);
    assert_non_null(weights->conv[0].norm.weight.data);
    assert_null(weights->conv[1].norm.weight.data);
    assert_non_null(weights->position_gain.data);
    assert_int_equal(weights->position_direction.shape[2], 128);
    checkpoint_close(checkpoint);
}

static void test_large_has_half_precision_and_old_weight_norm_names(void **state)
{
    (void)state;
    struct checkpoint *checkpoint = open_golden("large");
    const struct weights *weights = &checkpoint->weights;
    assert_true(checkpoint->config.do_stable_layer_norm);
    assert_true(checkpoint->config.conv_bias);
    assert_int_equal(weights->layers[2].up.weight.dtype, DTYPE_F16);
    assert_non_null(weights->conv[6].bias.data);
    assert_non_null(weights->conv[6].norm.bias.data);
    assert_int_equal(weights->position_gain.shape[2], 128);
    checkpoint_close(checkpoint);
}

static void test_shards_and_bfloat16(void **state)
{
    (void)state;
    struct checkpoint *checkpoint = open_golden("xlsr");
    const struct vocabulary *vocabulary = &checkpoint->vocabulary;
    assert_int_equal(checkpoint->weights.head.weight.dtype, DTYPE_BF16);
    assert_string_equal(vocabulary->tokens[29], "[PAD]");
    assert_string_equal(vocabulary->tokens[30], "</s>");
    assert_int_equal(vocabulary->blank, 29);
    assert_int_equal(vocabulary->delimiter, 0);
    assert_true(vocabulary->special[30]);
    assert_false(vocabulary->special[0]);
    checkpoint_close(checkpoint);
}

static void test_processor_config_of_newer_checkpoints(void **state)
{
    (void)state;
    struct checkpoint *checkpoint = open_golden("digits");
    assert_false(checkpoint->config.do_normalize);
    assert_true(checkpoint->config.layer_norm_eps == 1e-3f);
    assert_int_equal(checkpoint->vocabulary.size, 17);
    checkpoint_close(checkpoint);
}

static void test_other_delimiter_and_columns_without_token(void **state)
{
    (void)state;
    struct checkpoint *checkpoint = open_golden("group-stable");
    const struct vocabulary *vocabulary = &checkpoint->vocabulary;
    assert_int_equal(vocabulary->blank, 6);
    assert_true(vocabulary->delimiter >= 0);
    assert_string_equal(vocabulary->tokens[vocabulary->delimiter], "\u2581");
    int unnamed = 0;
    for (int id = 0; id < vocabulary->size; id++)
        unnamed += vocabulary->label[id] != id;
    assert_true(unnamed > 0);
    checkpoint_close(checkpoint);
}

static void test_hubert(void **state)
{
    (void)state;
    struct checkpoint *checkpoint = open_golden("hubert-bare");
    assert_string_equal(checkpoint->config.model_type, "hubert");
    assert_false(checkpoint->config.feat_proj_layer_norm);
    assert_null(checkpoint->weights.projection_norm.weight.data);
    checkpoint_close(checkpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_golden_checkpoint_opens),
        cmocka_unit_test(test_base),
        cmocka_unit_test(test_large_has_half_precision_and_old_weight_norm_names),
        cmocka_unit_test(test_shards_and_bfloat16),
        cmocka_unit_test(test_processor_config_of_newer_checkpoints),
        cmocka_unit_test(test_other_delimiter_and_columns_without_token),
        cmocka_unit_test(test_hubert),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

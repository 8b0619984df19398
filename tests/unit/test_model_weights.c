/* SPDX-License-Identifier: MIT */
/* Tensors: which are needed, in what shape and dtype, and under which names they are found. */
#include "checkpoint_copy.h"

#include "model/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WEIGHTS "model.safetensors"

static int open_base(void **state)
{
    static struct checkpoint_copy copy;
    copy_open(&copy, "base");
    *state = &copy;
    return 0;
}

static int close_copy(void **state)
{
    copy_close(*state);
    return 0;
}

static void test_every_tensor_is_needed(void **state)
{
    const struct checkpoint_copy *copy = *state;
    json_t *header = copy_header(copy, WEIGHTS), *tensor;
    const char *name;
    int tried = 0;
    json_object_foreach(header, name, tensor)
    {
        json_t *edited = json_copy(header);
        if (strcmp(name, "__metadata__") == 0 || strstr(name, "masked_spec_embed"))
            goto next;
        json_object_set(edited, "other", tensor);
        json_object_del(edited, name);
        copy_set_header(copy, WEIGHTS, edited, 0);
        copy_refused(copy, name, "is missing");
        tried++;
    next:
        json_decref(edited);
    }
    assert_true(tried > 40);
    json_decref(header);
}

static void test_every_shape_is_checked(void **state)
{
    const struct checkpoint_copy *copy = *state;
    json_t *header = copy_header(copy, WEIGHTS), *tensor;
    const char *name;
    json_object_foreach(header, name, tensor)
    {
        json_t *edited = json_deep_copy(header);
        json_t *shape = json_object_get(json_object_get(edited, name), "shape");
        if (shape && !strstr(name, "masked_spec_embed")) {
            json_array_append_new(shape, json_integer(1));
            copy_set_header(copy, WEIGHTS, edited, 0);
            copy_refused(copy, name, "but config.json makes it [");
        }
        json_decref(edited);
    }
    json_decref(header);
}

static void test_every_dtype_is_checked(void **state)
{
    const struct checkpoint_copy *copy = *state;
    json_t *header = copy_header(copy, WEIGHTS), *tensor;
    const char *name;
    json_object_foreach(header, name, tensor)
    {
        json_t *edited = json_deep_copy(header);
        if (json_object_get(tensor, "dtype") && !strstr(name, "masked_spec_embed")) {
            json_object_set_new(json_object_get(edited, name), "dtype", json_string("I32"));
            copy_set_header(copy, WEIGHTS, edited, 0);
            copy_refused(copy, name, "has dtype I32; utter reads F32, F16, BF16 and I8");
        }
        json_decref(edited);
    }
    json_decref(header);
}

static void test_offsets_that_overlap_or_leave_a_hole(void **state)
{
    const struct checkpoint_copy *copy = *state;
    json_t *header = copy_header(copy, WEIGHTS);
    json_t *bias = json_object_get(header, "lm_head.bias"); /* first in the file, 32 floats */
    json_object_set_new(bias, "shape", json_pack("[i]", 33));
    json_object_set_new(bias, "data_offsets", json_pack("[ii]", 0, 132));
    copy_set_header(copy, WEIGHTS, header, 0);
    copy_refused(copy, WEIGHTS, "overlaps another tensor's");
    json_object_set_new(bias, "shape", json_pack("[i]", 31));
    json_object_set_new(bias, "data_offsets", json_pack("[ii]", 0, 124));
    copy_set_header(copy, WEIGHTS, header, 0);
    copy_refused(copy, WEIGHTS, "there is a hole before its data");
    json_decref(header);
}

static void test_checkpoint_without_head(void **state)
{
    const struct checkpoint_copy *copy = *state;
    json_t *header = copy_header(copy, WEIGHTS);
    json_object_set(header, "quantizer.weight", json_object_get(header, "lm_head.weight"));
    json_object_del(header, "lm_head.weight");
    copy_set_header(copy, WEIGHTS, header, 0);
    copy_refused(copy, WEIGHTS, "lm_head.weight is missing: the checkpoint has no CTC head");
    json_decref(header);
}

static void test_config_that_contradicts_the_weights(void **state)
{
    const struct checkpoint_copy *copy = *state;
    copy_set_json(copy, "config.json", "intermediate_size", json_integer(65));
    copy_refused(copy, "intermediate_dense.weight",
                 "has shape [64, 32], but config.json makes it [65, 32]");
    copy_set_json(copy, "config.json", "intermediate_size", json_integer(64));
    copy_set_json(copy, "config.json", "num_hidden_layers", json_integer(256));
    copy_refused(copy, "layers.2.", "is missing");
}

/* ---- what must still open -------------------------------------------------------------------- */

static void read_head(const struct checkpoint_copy *copy, float values[32])
{
    struct utter_error error = {0};
    struct checkpoint *checkpoint = checkpoint_open(copy->directory, &error);
    if (!checkpoint)
        fail_msg("%s", error.message);
    const struct tensor *weight = &checkpoint->weights.head.weight;
    assert_int_equal((uintptr_t)weight->data % (weight->dtype == DTYPE_I8 ? 1 : 4), 0);
    tensor_to_float(weight, 32, 32, values);
    checkpoint_close(checkpoint);
}

static void test_misaligned_data_is_copied(void **state)
{
    const struct checkpoint_copy *copy = *state;
    json_t *header = copy_header(copy, WEIGHTS);
    float expected[32], values[32];
    read_head(copy, expected);
    for (size_t spaces = 0; spaces < 5; spaces++) {
        copy_set_header(copy, WEIGHTS, header, spaces);
        read_head(copy, values);
        assert_memory_equal(values, expected, sizeof values);
    }
    json_decref(header);
}

static void test_other_prefixes_and_tensors_that_are_not_needed(void **state)
{
    const struct checkpoint_copy *copy = *state;
    static const char *const prefixes[] = {"hubert.", ""};
    for (int i = 0; i < 2; i++) {
        json_t *header = copy_header(copy, WEIGHTS), *edited = json_object(), *tensor;
        const char *name;
        json_object_foreach(header, name, tensor)
        {
            char renamed[200];
            const char *dot = strncmp(name, "lm_head", 7) == 0 ? NULL : strchr(name, '.');
            snprintf(renamed, sizeof renamed, "%s%s", dot ? prefixes[i] : "", dot ? dot + 1 : name);
            json_object_set(edited, renamed, tensor);
        }
        json_object_set_new(
            edited, "project_hid.steps",
            json_pack("{s:s,s:[i],s:[ii]}", "dtype", "I64", "shape", 0, "data_offsets", 0, 0));
        copy_set_header(copy, WEIGHTS, edited, 0);
        assert_true(copy_opens(copy, WEIGHTS, NULL));
        json_decref(edited);
        json_decref(header);
        copy_close(*state);
        open_base(state);
    }
}

static void test_positional_convolution_without_weight_norm(void **state)
{
    const struct checkpoint_copy *copy = *state;
    static const char base[] = "wav2vec2.encoder.pos_conv_embed.conv.";
    char direction[100], plain[100];
    json_t *header = copy_header(copy, WEIGHTS);
    snprintf(direction, sizeof direction, "%sparametrizations.weight.original1", base);
    snprintf(plain, sizeof plain, "%sweight", base);
    json_object_set(header, plain, json_object_get(header, direction));
    json_object_del(header, direction);
    copy_set_header(copy, WEIGHTS, header, 0);
    struct checkpoint *checkpoint = checkpoint_open(copy->directory, NULL);
    assert_non_null(checkpoint);
    assert_null(checkpoint->weights.position_gain.data);
    assert_non_null(checkpoint->weights.position_direction.data);
    checkpoint_close(checkpoint);
    json_decref(header);
}

/* ---- bytes with steps ------------------------------------------------------------------------ */

/* lm_head.weight, [32, 32] floats, becomes as many bytes, 32 steps, and what is left over. */
static json_t *head_in_bytes(const struct checkpoint_copy *copy, const char *scale_dtype,
                             int scale_bytes, int64_t *begin)
{
    json_t *header = copy_header(copy, WEIGHTS);
    json_t *offsets = json_object_get(json_object_get(header, "lm_head.weight"), "data_offsets");
    *begin = json_integer_value(json_array_get(offsets, 0));
    int at = (int)*begin;
    json_object_set_new(header, "lm_head.weight",
                        json_pack("{s:s,s:[ii],s:[ii]}", "dtype", "I8", "shape", 32, 32,
                                  "data_offsets", at, at + 1024));
    json_object_set_new(header, "lm_head.weight_scale",
                        json_pack("{s:s,s:[i],s:[ii]}", "dtype", scale_dtype, "shape", 32,
                                  "data_offsets", at + 1024, at + 1024 + scale_bytes));
    json_object_set_new(header, "other",
                        json_pack("{s:s,s:[i],s:[ii]}", "dtype", "U8", "shape", 3072 - scale_bytes,
                                  "data_offsets", at + 1024 + scale_bytes, at + 4096));
    return header;
}

/* Sets the data's floats from byte `offset` on. */
static void set_floats(const struct checkpoint_copy *copy, int64_t offset, int count, float value)
{
    size_t size;
    uint64_t length;
    char *bytes = copy_read(copy, WEIGHTS, &size);
    memcpy(&length, bytes, sizeof length);
    for (int i = 0; i < count; i++)
        memcpy(bytes + 8 + length + offset + 4 * i, &value, sizeof value);
    copy_write(copy, WEIGHTS, bytes, size);
    free(bytes);
}

static void test_bytes_need_steps(void **state)
{
    const struct checkpoint_copy *copy = *state;
    int64_t begin;
    json_t *header = head_in_bytes(copy, "F32", 128, &begin), *edited = json_deep_copy(header);
    json_object_set(edited, "lm_head.weight_step", json_object_get(edited, "lm_head.weight_scale"));
    json_object_del(edited, "lm_head.weight_scale");
    copy_set_header(copy, WEIGHTS, edited, 0);
    copy_refused(copy, "lm_head.weight_scale", "is missing");
    json_decref(edited);
    edited = json_deep_copy(header);
    json_t *scale = json_object_get(edited, "lm_head.weight_scale");
    json_object_set_new(scale, "shape", json_pack("[ii]", 32, 1));
    copy_set_header(copy, WEIGHTS, edited, 0);
    copy_refused(copy, "lm_head.weight_scale", "but config.json makes it [32]");
    json_decref(edited);
    json_decref(header);
}

static void test_steps_are_floats(void **state)
{
    const struct checkpoint_copy *copy = *state;
    int64_t begin;
    json_t *header = head_in_bytes(copy, "F16", 64, &begin);
    copy_set_header(copy, WEIGHTS, header, 0);
    copy_refused(copy, "lm_head.weight_scale", "must have dtype F32");
    json_decref(header);
}

static void test_steps_are_numbers(void **state)
{
    const struct checkpoint_copy *copy = *state;
    int64_t begin;
    json_t *header = head_in_bytes(copy, "F32", 128, &begin);
    copy_set_header(copy, WEIGHTS, header, 0);
    const float odd[] = {-1.0f, 2e30f, 1.0f / 0.0f, 0.0f / 0.0f};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        set_floats(copy, begin + 1024, 32, 0.5f);
        set_floats(copy, begin + 1024 + 4 * 31, 1, odd[i]);
        copy_refused(copy, "lm_head.weight_scale", "value 31, ");
    }
    json_decref(header);
}

static void test_bytes_times_steps(void **state)
{
    const struct checkpoint_copy *copy = *state;
    int64_t begin;
    json_t *header = head_in_bytes(copy, "F32", 128, &begin);
    size_t size;
    copy_set_header(copy, WEIGHTS, header, 0);
    set_floats(copy, begin + 1024, 32, 0.5f);
    set_floats(copy, begin + 1024 + 4, 1, 0.25f); /* of the second output, which is read */
    char *bytes = copy_read(copy, WEIGHTS, &size);
    uint64_t length;
    memcpy(&length, bytes, sizeof length);
    float values[32];
    read_head(copy, values);
    for (int i = 0; i < 32; i++)
        assert_true(values[i] == 0.25f * (signed char)bytes[8 + length + (uint64_t)begin + 32 + i]);
    free(bytes);
    json_decref(header);
}

#define BASE(test) cmocka_unit_test_setup_teardown(test, open_base, close_copy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BASE(test_every_tensor_is_needed),
        BASE(test_every_shape_is_checked),
        BASE(test_every_dtype_is_checked),
        BASE(test_offsets_that_overlap_or_leave_a_hole),
        BASE(test_checkpoint_without_head),
        BASE(test_config_that_contradicts_the_weights),
        BASE(test_misaligned_data_is_copied),
        BASE(test_other_prefixes_and_tensors_that_are_not_needed),
        BASE(test_positional_convolution_without_weight_norm),
        BASE(test_bytes_need_steps),
        BASE(test_steps_are_floats),
        BASE(test_steps_are_numbers),
        BASE(test_bytes_times_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

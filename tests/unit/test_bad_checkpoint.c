/* SPDX-License-Identifier: MIT */
/* Damaged checkpoints: each is refused in one line that names the file and the cause. */
#include "checkpoint_copy.h"

#include "model/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define WEIGHTS "model.safetensors"
#define INDEX "model.safetensors.index.json"

static int open_base(void **state)
{
    static struct checkpoint_copy copy;
    copy_open(&copy, "base");
    *state = &copy;
    return 0;
}

static int open_sharded(void **state)
{
    static struct checkpoint_copy copy;
    copy_open(&copy, "hubert-large");
    *state = &copy;
    return 0;
}

static int close_copy(void **state)
{
    copy_close(*state);
    return 0;
}

static const char *const json_names[] = {"config.json", "vocab.json", "tokenizer_config.json",
                                         "special_tokens_map.json", "preprocessor_config.json"};
enum { JSON_NAMES = sizeof json_names / sizeof *json_names };

/* ---- files ----------------------------------------------------------------------------------- */

static void expect_open_failure(const char *directory, const char *cause)
{
    struct utter_error error = {0};
    assert_null(checkpoint_open(directory, &error));
    if (!strstr(error.message, cause))
        fail_msg("\"%s\" does not say \"%s\"", error.message, cause);
}

static void test_no_directory(void **state)
{
    const struct checkpoint_copy *copy = *state;
    char *path = copy_path(copy, "config.json");
    expect_open_failure(path, "not a directory; a model is a directory with config.json");
    free(path);
    expect_open_failure("/nonexistent/model", "/nonexistent/model: No such file or directory");
    expect_open_failure("", "no model directory was given");
    expect_open_failure(NULL, "no model directory was given");
    char *long_path = calloc(1, 5001);
    memset(long_path, 'x', 5000);
    expect_open_failure(long_path, "File name too long");
    free(long_path);
    assert_null(checkpoint_open("", NULL));
}

static void test_missing_files(void **state)
{
    const struct checkpoint_copy *copy = *state;
    copy_remove(copy, WEIGHTS);
    copy_refused(copy, WEIGHTS, "no such file");
    copy_write_text(copy, "pytorch_model.bin", "x");
    copy_refused(copy, "pytorch_model.bin", "convert it with tools/convert");
    copy_remove(copy, "vocab.json");
    copy_refused(copy, "/vocab.json", "No such file");
    copy_remove(copy, "config.json");
    copy_refused(copy, "config.json", "not a model in Hugging Face layout");
}

static void test_optional_files_may_be_missing(void **state)
{
    const struct checkpoint_copy *copy = *state;
    copy_remove(copy, "tokenizer_config.json");
    copy_remove(copy, "special_tokens_map.json");
    copy_remove(copy, "preprocessor_config.json");
    assert_true(copy_opens(copy, NULL, NULL));
}

/* Every file in turn made into something that cannot be read. */
static void test_files_that_are_none(void **state)
{
    const struct checkpoint_copy *copy = *state;
    const char *names[JSON_NAMES + 1] = {WEIGHTS};
    memcpy(names + 1, json_names, sizeof json_names);
    for (int i = 0; i < JSON_NAMES + 1; i++) {
        size_t size;
        char *bytes = copy_read(copy, names[i], &size), *path = copy_path(copy, names[i]);
        copy_write_text(copy, names[i], "");
        copy_refused(copy, names[i], "the file is empty");
        copy_remove(copy, names[i]);
        assert_int_equal(mkdir(path, 0777), 0);
        copy_refused(copy, names[i], "is a directory");
        copy_remove(copy, names[i]);
        assert_int_equal(mkfifo(path, 0777), 0);
        copy_refused(copy, names[i], "not a regular file");
        copy_remove(copy, names[i]);
        assert_int_equal(symlink("nowhere", path), 0);
        copy_refused(copy, names[i], "No such file");
        copy_remove(copy, names[i]);
        copy_write(copy, names[i], bytes, size);
        assert_true(copy_opens(copy, NULL, NULL));
        free(bytes);
        free(path);
    }
}

static void test_no_permission(void **state)
{
    const struct checkpoint_copy *copy = *state;
    char *path = copy_path(copy, WEIGHTS);
    assert_int_equal(chmod(path, 0), 0);
    free(path);
    if (geteuid() == 0)
        skip(); /* root may read everything */
    copy_refused(copy, WEIGHTS, "Permission denied");
}

/* ---- damage ---------------------------------------------------------------------------------- */

static void test_weights_cut_short(void **state)
{
    const struct checkpoint_copy *copy = *state;
    size_t size;
    char *bytes = copy_read(copy, WEIGHTS, &size);
    for (size_t length = 0; length < size;) {
        copy_write(copy, WEIGHTS, bytes, length);
        copy_refused(copy, WEIGHTS, NULL);
        const size_t left = size - length;
        length += length < 20 || left <= 20 ? 1 : left < 20 + 397 ? left - 20 : 397;
    }
    copy_write(copy, WEIGHTS, bytes, size - 1);
    copy_refused(copy, WEIGHTS, "the file is cut short; fetch it again");
    bytes = realloc(bytes, size + 1);
    assert_non_null(bytes);
    bytes[size] = 0;
    copy_write(copy, WEIGHTS, bytes, size + 1);
    copy_refused(copy, WEIGHTS, "1 bytes behind the last tensor");
    free(bytes);
}

static void test_json_cut_short(void **state)
{
    const struct checkpoint_copy *copy = *state;
    for (int i = 0; i < JSON_NAMES; i++) {
        size_t size;
        char *bytes = copy_read(copy, json_names[i], &size);
        size_t end = (size_t)(strrchr(bytes, '}') - bytes);
        for (size_t length = 0; length <= end; length += 3) {
            copy_write(copy, json_names[i], bytes, length);
            copy_refused(copy, json_names[i], NULL);
        }
        copy_write(copy, json_names[i], bytes, size);
        free(bytes);
    }
}

/* Whatever one flipped bit does, opening either succeeds or explains itself. */
static void flip_bits(const struct checkpoint_copy *copy, const char *name, size_t end, size_t step)
{
    size_t size;
    char *bytes = copy_read(copy, name, &size);
    for (size_t i = 0; i < end && i < size; i += step) {
        const char flip = (char)(1 << i % 8);
        bytes[i] ^= flip;
        copy_write(copy, name, bytes, size);
        copy_opens(copy, NULL, NULL);
        bytes[i] ^= flip;
    }
    copy_write(copy, name, bytes, size);
    free(bytes);
}

static void test_flipped_bits(void **state)
{
    const struct checkpoint_copy *copy = *state;
    flip_bits(copy, WEIGHTS, 40, 1);
    flip_bits(copy, WEIGHTS, 8000, 9);
    for (int i = 0; i < JSON_NAMES; i++)
        flip_bits(copy, json_names[i], SIZE_MAX, 3);
    assert_true(copy_opens(copy, NULL, NULL));
}

static void test_absurd_header_length(void **state)
{
    const struct checkpoint_copy *copy = *state;
    size_t size;
    char *bytes = copy_read(copy, WEIGHTS, &size);
    memset(bytes, 0xff, 8);
    copy_write(copy, WEIGHTS, bytes, size);
    copy_refused(copy, WEIGHTS, "its header would be 18446744073709551615 bytes long");
    free(bytes);
}

static void test_config_with_nan(void **state)
{
    const struct checkpoint_copy *copy = *state;
    copy_write_text(copy, "config.json", "{\"model_type\": \"wav2vec2\", \"layerdrop\": NaN}");
    copy_refused(copy, "config.json", "not valid JSON");
}

static void test_vocabulary_without_blank(void **state)
{
    const struct checkpoint_copy *copy = *state;
    copy_write_text(copy, "vocab.json", "{\"a\": 0, \"b\": 1}");
    copy_set_json(copy, "tokenizer_config.json", "pad_token", json_string("[PAD]"));
    copy_set_json(copy, "special_tokens_map.json", "pad_token", json_null());
    copy_refused(copy, "vocab.json", "no CTC blank");
}

/* ---- shards ---------------------------------------------------------------------------------- */

static void test_shards(void **state)
{
    const struct checkpoint_copy *copy = *state;
    assert_true(copy_opens(copy, NULL, NULL));
    size_t size;
    char *index = copy_read(copy, INDEX, &size);
    static const char *const names[] = {"../model.safetensors", "/etc/passwd", "..", ".", "",
                                        "a/b.safetensors"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        copy_set_json(copy, INDEX, "weight_map", json_pack("{s:s}", "lm_head.weight", names[i]));
        copy_refused(copy, INDEX, "which is no file beside the index");
    }
    copy_set_json(copy, INDEX, "weight_map", json_pack("{s:i}", "lm_head.weight", 1));
    copy_refused(copy, INDEX, "which is no file beside the index");
    copy_set_json(copy, INDEX, "weight_map", json_object());
    copy_refused(copy, INDEX, "has no weight_map");
    copy_set_json(copy, INDEX, "weight_map", json_pack("{s:s}", "lm_head.weight", "gone"));
    copy_refused(copy, "/gone", "No such file");
    copy_write_text(copy, INDEX, "[");
    copy_refused(copy, INDEX, "not valid JSON");
    copy_write(copy, INDEX, index, size);
    copy_remove(copy, "model-00002-of-00002.safetensors");
    copy_refused(copy, "model-00002-of-00002.safetensors", "No such file");
    free(index);
}

static void test_tensor_in_another_shard_than_the_index_says(void **state)
{
    const struct checkpoint_copy *copy = *state;
    size_t size;
    char *text = copy_read(copy, INDEX, &size);
    json_t *index = json_loads(text, 0, NULL);
    json_t *map = json_object_get(index, "weight_map");
    const char *was = json_string_value(json_object_get(map, "lm_head.weight"));
    json_object_set_new(map, "lm_head.weight",
                        json_string(strstr(was, "00001-of") ? "model-00002-of-00002.safetensors"
                                                            : "model-00001-of-00002.safetensors"));
    copy_set_json(copy, INDEX, "weight_map", json_incref(map));
    copy_refused(copy, "lm_head.weight", "is missing");
    json_decref(index);
    free(text);
}

#define BASE(test) cmocka_unit_test_setup_teardown(test, open_base, close_copy)
#define SHARDED(test) cmocka_unit_test_setup_teardown(test, open_sharded, close_copy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BASE(test_no_directory),
        BASE(test_missing_files),
        BASE(test_optional_files_may_be_missing),
        BASE(test_files_that_are_none),
        BASE(test_no_permission),
        BASE(test_weights_cut_short),
        BASE(test_json_cut_short),
        BASE(test_flipped_bits),
        BASE(test_absurd_header_length),
        BASE(test_config_with_nan),
        BASE(test_vocabulary_without_blank),
        SHARDED(test_shards),
        SHARDED(test_tensor_in_another_shard_than_the_index_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

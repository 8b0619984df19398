/* SPDX-License-Identifier: MIT */
/* What the format allows and what it forbids, one small file at a time. */
#include "model/safetensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A file of this header and so many zero bytes; the caller frees it. */
static uint8_t *build(const char *header, size_t data_size, size_t *size)
{
    uint64_t length = strlen(header);
    *size = 8 + (size_t)length + data_size;
    uint8_t *bytes = calloc(1, *size);
    assert_non_null(bytes);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, (size_t)length);
    return bytes;
}

static void expect_failure(const char *header, size_t data_size, const char *cause)
{
    size_t size;
    struct safetensors file;
    struct utter_error error = {0};
    uint8_t *bytes = build(header, data_size, &size);
    enum utter_code code = safetensors_open(&file, bytes, size, "dir/m.safetensors", &error);
    assert_int_equal(code, UTTER_ERROR_FORMAT);
    assert_int_equal(error.code, code);
    assert_null(file.tensors);
    if (!strstr(error.message, "m.safetensors: ") || !strstr(error.message, cause))
        fail_msg("\"%s\" does not name the file and \"%s\"", error.message, cause);
    free(bytes);
}

static void test_good_file(void **state)
{
    (void)state;
    size_t size;
    struct safetensors file;
    uint8_t *bytes =
        build("{\"__metadata__\":{\"format\":\"pt\"},"
              "\"b\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[4,28]},"
              "\"none\":{\"dtype\":\"I64\",\"shape\":[5,0],\"data_offsets\":[28,28]},"
              "\"a\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]},"
              "\"scalar\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[28,29]}}   ",
              29, &size);
    bytes[size - 29] = 42;
    assert_int_equal(safetensors_open(&file, bytes, size, "m", NULL), UTTER_OK);
    assert_int_equal(file.count, 4);
    const struct safetensors_tensor *a = safetensors_find(&file, "a");
    const struct safetensors_tensor *b = safetensors_find(&file, "b");
    assert_true(a && b);
    assert_int_equal(file.data[a->begin], 42);
    assert_string_equal(a->dtype, "BF16");
    assert_int_equal(b->rank, 2);
    assert_int_equal(b->shape[1], 3);
    assert_int_equal(b->end, 28);
    assert_null(safetensors_find(&file, "__metadata__"));
    assert_null(safetensors_find(&file, ""));
    safetensors_close(&file);
    free(bytes);
}

static void test_file_without_tensors(void **state)
{
    (void)state;
    size_t size;
    struct safetensors file;
    uint8_t *bytes = build("{}", 0, &size);
    assert_int_equal(safetensors_open(&file, bytes, size, "m", NULL), UTTER_OK);
    assert_null(safetensors_find(&file, "a"));
    safetensors_close(&file);
    free(bytes);
    expect_failure("{}", 1, "1 bytes behind the last tensor");
}

static void test_header_length(void **state)
{
    (void)state;
    static const struct {
        uint64_t length;
        const char *cause;
    } cases[] = {
        {0, "no JSON object"},
        {3, "cut short inside its header"},
        {100000000, "cut short inside its header"},
        {100000001, "its header would be 100000001 bytes long"},
        {UINT64_MAX, "its header would be 18446744073709551615 bytes long"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[10] = {0};
        struct safetensors file;
        struct utter_error error;
        memcpy(bytes, &cases[i].length, 8);
        memcpy(bytes + 8, "{}", 2);
        assert_int_equal(safetensors_open(&file, bytes, sizeof bytes, "m", &error),
                         UTTER_ERROR_FORMAT);
        assert_non_null(strstr(error.message, cases[i].cause));
    }
    for (size_t size = 0; size < 8; size++) {
        struct safetensors file;
        struct utter_error error;
        assert_int_equal(safetensors_open(&file, "1234567", size, "m", &error), UTTER_ERROR_FORMAT);
        assert_non_null(strstr(error.message, "too few"));
    }
}

static void test_pointer_in_place_of_the_file(void **state)
{
    (void)state;
    static const char text[] = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n";
    struct safetensors file;
    struct utter_error error;
    assert_int_equal(safetensors_open(&file, text, sizeof text - 1, "m", &error),
                     UTTER_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "git lfs pull"));
}

static void test_header_that_is_no_object(void **state)
{
    (void)state;
    expect_failure("[]", 0, "no JSON object");
    expect_failure(" {}", 0, "no JSON object");
    expect_failure("{", 0, "not valid JSON");
    expect_failure("{} {}", 0, "not valid JSON");
    expect_failure("{\"a\":NaN}", 0, "not valid JSON");
    expect_failure("{\"\xff\":1}", 0, "not valid JSON");
    expect_failure("{\"a\":1,\"a\":1}", 0, "duplicate");
    expect_failure("{\"a\":[]}", 0, "tensor a");
    expect_failure("{\"a\":null}", 0, "tensor a");
}

static void test_header_that_nests_deeply(void **state)
{
    (void)state;
    enum { DEPTH = 1 << 20 };
    char *header = malloc(DEPTH + 10);
    assert_non_null(header);
    memset(header, '[', DEPTH);
    memcpy(header, "{\"a\":", 5);
    header[DEPTH] = '\0';
    expect_failure(header, 0, "not valid JSON");
    free(header);
}

/* One tensor whose three fields are given, and 16 bytes of data. */
static void expect_tensor_failure(const char *dtype, const char *shape, const char *offsets,
                                  const char *cause)
{
    char header[500];
    snprintf(header, sizeof header, "{\"a\":{\"dtype\":%s,\"shape\":%s,\"data_offsets\":%s}}",
             dtype, shape, offsets);
    expect_failure(header, 16, cause);
}

static void test_bad_tensors(void **state)
{
    (void)state;
    static const struct {
        const char *dtype, *shape, *offsets, *cause;
    } cases[] = {
        {"\"F31\"", "[4]", "[0,16]", "unknown dtype"},
        {"7", "[4]", "[0,16]", "unknown dtype"},
        {"\"F32\"", "4", "[0,16]", "shape is not an array"},
        {"\"F32\"", "[4.0]", "[0,16]", "not a whole number"},
        {"\"F32\"", "[-4]", "[0,16]", "not a whole number"},
        {"\"F32\"", "[1,1,1,1,1,1,1,1,4]", "[0,16]", "more than 8 dimensions"},
        {"\"F32\"", "[4]", "[0]", "data_offsets"},
        {"\"F32\"", "[4]", "[0,16,16]", "data_offsets"},
        {"\"F32\"", "[4]", "[-1,15]", "data_offsets"},
        {"\"F32\"", "[4]", "[16,0]", "data_offsets"},
        {"\"F32\"", "[4]", "{}", "data_offsets"},
        {"\"F32\"", "[5]", "[0,20]", "ends at byte 20 of 16: the file is cut short"},
        {"\"F32\"", "[4]", "[0,9223372036854775807]", "cut short"},
        {"\"F32\"", "[4]", "[0,9223372036854775808]", "not valid JSON"},
        {"\"F32\"", "[3]", "[0,16]", "disagree"},
        {"\"F16\"", "[4]", "[0,16]", "disagree"},
        {"\"F32\"", "[4611686018427387904,4]", "[0,16]", "disagree"},
        {"\"F32\"", "[4294967296,4294967296]", "[0,0]", "disagree"},
        {"\"F4\"", "[33]", "[0,16]", "disagree"},
        {"\"F32\"", "[3]", "[0,12]", "4 bytes behind the last tensor"},
        {"\"F32\"", "[3]", "[4,16]", "a hole before its data"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_tensor_failure(cases[i].dtype, cases[i].shape, cases[i].offsets, cases[i].cause);
}

static void test_overlap_and_hole(void **state)
{
    (void)state;
    expect_failure("{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},"
                   "\"b\":{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[7,16]}}",
                   16, "tensor b: its data overlaps another tensor's");
    expect_failure("{\"a\":{\"dtype\":\"U8\",\"shape\":[16],\"data_offsets\":[0,16]},"
                   "\"b\":{\"dtype\":\"U8\",\"shape\":[16],\"data_offsets\":[0,16]}}",
                   16, "overlaps");
    expect_failure("{\"a\":{\"dtype\":\"U8\",\"shape\":[7],\"data_offsets\":[0,7]},"
                   "\"b\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[8,16]}}",
                   16, "tensor b: there is a hole before its data");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_file),
        cmocka_unit_test(test_file_without_tensors),
        cmocka_unit_test(test_header_length),
        cmocka_unit_test(test_pointer_in_place_of_the_file),
        cmocka_unit_test(test_header_that_is_no_object),
        cmocka_unit_test(test_header_that_nests_deeply),
        cmocka_unit_test(test_bad_tensors),
        cmocka_unit_test(test_overlap_and_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

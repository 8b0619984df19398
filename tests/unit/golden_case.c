/* SPDX-License-Identifier: MIT */
#include "golden_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const char *const golden_names[] = {
    "base",         "digits",      "group-deep",   "group-plain", "group-stable",
    "hubert-bare",  "hubert-base", "hubert-large", "large",       "layer-plain",
    "layer-stable", "xlsr",        NULL,
};

void golden_open(struct golden *golden, const char *name)
{
    char path[600];
    snprintf(golden->directory, sizeof golden->directory, GOLDEN_DIRECTORY "/%s", name);
    snprintf(path, sizeof path, "%s/cases.json", golden->directory);
    golden->root = json_load_file(path, 0, NULL);
    golden->cases = json_object_get(golden->root, "cases");
    assert_true(json_array_size(golden->cases) > 0);
    snprintf(path, sizeof path, "%s/expected.safetensors", golden->directory);
    assert_int_equal(file_map(&golden->file, path, NULL), UTTER_OK);
    assert_int_equal(
        safetensors_open(&golden->expected, golden->file.bytes, golden->file.size, path, NULL),
        UTTER_OK);
}

void golden_close(struct golden *golden)
{
    safetensors_close(&golden->expected);
    file_unmap(&golden->file);
    json_decref(golden->root);
}

float *golden_tensor(const struct golden *golden, const char *name, const char *stage,
                     int64_t *count)
{
    char full[160];
    snprintf(full, sizeof full, "%s%s%s", name, stage ? "." : "", stage ? stage : "");
    const struct safetensors_tensor *tensor = safetensors_find(&golden->expected, full);
    assert_non_null(tensor);
    size_t bytes = (size_t)(tensor->end - tensor->begin);
    float *values = malloc(bytes + 1);
    assert_non_null(values);
    memcpy(values, golden->expected.data + tensor->begin, bytes);
    *count = (int64_t)(bytes / sizeof *values);
    return values;
}

float *golden_input(const struct golden *golden, const json_t *test, int64_t *count)
{
    return golden_tensor(golden, golden_text(test, "input"), NULL, count);
}

void golden_log_softmax(float *rows, int64_t count, int columns)
{
    for (float *row = rows; row < rows + count * columns; row += columns) {
        double greatest = row[0], sum = 0;
        for (int i = 1; i < columns; i++)
            greatest = fmax(greatest, row[i]);
        for (int i = 0; i < columns; i++)
            sum += exp(row[i] - greatest);
        for (int i = 0; i < columns; i++)
            row[i] = (float)(row[i] - greatest - log(sum));
    }
}

const char *golden_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    return text;
}

int64_t golden_number(const json_t *object, const char *key)
{
    const json_t *number = json_object_get(object, key);
    assert_true(json_is_integer(number));
    return json_integer_value(number);
}

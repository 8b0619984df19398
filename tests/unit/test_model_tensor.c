/* SPDX-License-Identifier: MIT */
#include "model/tensor.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { HALVES = 65536 };

/* binary16 by its definition. */
static float half_value(unsigned bits)
{
    int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
    double value = exponent == 0    ? ldexp(fraction, -24)
                   : exponent == 31 ? (fraction ? NAN : INFINITY)
                                    : ldexp(1024 + fraction, exponent - 25);
    return (float)(bits & 0x8000 ? -value : value);
}

static void test_every_half(void **state)
{
    (void)state;
    static uint16_t halves[HALVES];
    static float floats[HALVES];
    for (unsigned i = 0; i < HALVES; i++)
        halves[i] = (uint16_t)i;
    const struct tensor tensor = {DTYPE_F16, 1, {HALVES}, halves};
    tensor_to_float(&tensor, 0, HALVES, floats);
    for (unsigned i = 0; i < HALVES; i++) {
        float expected = half_value(i);
        if (isnan(expected))
            assert_true(isnan(floats[i]));
        else
            assert_memory_equal(&floats[i], &expected, sizeof expected);
    }
}

static void test_bfloat16_is_the_upper_half_of_a_float(void **state)
{
    (void)state;
    const float values[] = {0, -0.0f, 1, -2.5f, 0x1p-140f, 3e38f, INFINITY};
    enum { COUNT = sizeof values / sizeof *values };
    uint16_t upper[COUNT];
    float widened[COUNT];
    for (int i = 0; i < COUNT; i++)
        memcpy(&upper[i], (const char *)&values[i] + 2, 2);
    const struct tensor tensor = {DTYPE_BF16, 1, {COUNT}, upper};
    tensor_to_float(&tensor, 0, COUNT, widened);
    for (int i = 0; i < COUNT; i++) {
        uint32_t bits, expected;
        memcpy(&bits, &widened[i], 4);
        memcpy(&expected, &values[i], 4);
        assert_int_equal(bits, expected & 0xffff0000);
    }
}

static void test_a_part_of_a_tensor(void **state)
{
    (void)state;
    const float values[] = {1, 2, 3, 4, 5};
    const struct tensor tensor = {DTYPE_F32, 1, {5}, values};
    float part[3] = {0};
    tensor_to_float(&tensor, 2, 2, part);
    assert_true(part[0] == 3 && part[1] == 4 && part[2] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_half),
        cmocka_unit_test(test_bfloat16_is_the_upper_half_of_a_float),
        cmocka_unit_test(test_a_part_of_a_tensor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

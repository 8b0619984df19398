/* SPDX-License-Identifier: MIT */
#include "kernel_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t state = 1;

void random_seed(uint64_t seed)
{
    state = seed;
}

uint32_t random_number(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

int64_t random_between(int64_t least, int64_t most)
{
    return least + random_number() % (most - least + 1);
}

void *allocate(int64_t bytes)
{
    void *memory = aligned_alloc(64, ((size_t)bytes + 63) / 64 * 64);
    assert_non_null(memory);
    return memory;
}

float *random_floats(int64_t count)
{
    float *values = allocate(count * (int64_t)sizeof *values);
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)random_number() / (float)(1u << 30) - 1.0f;
    return values;
}

void for_all_kernels(void check(const struct kernels *kernels))
{
    assert_non_null(kernels_find(KERNELS_PORTABLE));
    for (int set = 0; set < KERNELS_SETS; set++) {
        const struct kernels *kernels = kernels_find((enum instruction_set)set);
        if (kernels) {
            print_message("  %s\n", kernels->name);
            check(kernels);
        }
    }
}

struct product product_make(int round, int64_t rows_max)
{
    struct product p = {.shape.groups = round % 3 ? 1 : random_between(1, 5)};
    bool big = round % 8 == 0;
    p.taps = round % 2 ? 1 : random_between(1, big ? 3 : 9);
    p.tap_length = random_between(1, big ? 1000 : 70);
    p.stride = random_between(1, 3);
    p.rows = random_between(1, big ? rows_max : 40);
    p.shape.inputs = p.taps * p.tap_length;
    p.shape.outputs = p.shape.groups * random_between(1, big ? 30 : 110);
    p.frame = p.shape.groups * p.tap_length + random_between(0, 20);
    p.out_stride = p.shape.outputs + random_between(0, 20);
    p.bias = random_number() % 2;
    p.residual = random_number() % 2;
    p.offsets = random_floats(p.shape.outputs);
    p.input = random_floats((p.rows * p.stride + p.taps) * p.frame);
    p.rest = random_floats(p.rows * p.out_stride);
    return p;
}

void product_free(struct product *product)
{
    free(product->offsets);
    free(product->input);
    free(product->rest);
}

struct gemm_input product_input(const struct product *product, int64_t first, int64_t rows)
{
    int64_t row = product->stride * product->frame;
    return (struct gemm_input){product->input + first * row, rows,          row, product->taps,
                               product->tap_length,          product->frame};
}

struct gemm_output product_output(const struct product *product, float *out, int64_t first,
                                  enum activation activation)
{
    return (struct gemm_output){out + first * product->out_stride, product->out_stride, activation,
                                product->residual ? product->rest + first * product->out_stride
                                                  : NULL,
                                product->out_stride};
}

bool product_same_row(const struct product *product, const float *a, const float *b, int64_t row)
{
    return memcmp(a + row * product->out_stride, b + row * product->out_stride,
                  (size_t)product->shape.outputs * sizeof *a) == 0;
}

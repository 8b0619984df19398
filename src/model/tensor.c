/* SPDX-License-Identifier: MIT */
#include "model/tensor.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "checkpoints are little-endian");

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16, subnormals, infinities and NaNs included; without a branch, for vectors. */
static float float_of_half(uint16_t half)
{
    uint32_t exponent = half & 0x7c00, magnitude = (uint32_t)(half & 0x7fff) << 13;
    uint32_t normal = magnitude + (exponent == 0x7c00 ? 224u << 23 : 112u << 23);
    float subnormal = float_of_bits(magnitude + (113u << 23)) - 0x1p-14f;
    uint32_t bits;
    memcpy(&bits, &subnormal, sizeof bits);
    bits = exponent == 0 ? bits : normal;
    return float_of_bits(bits | (uint32_t)(half & 0x8000) << 16);
}

/* Integers times the step of their place in the first dimension. */
static void widen_bytes(const struct tensor *tensor, int64_t first, int64_t count, float *out)
{
    const int8_t *bytes = (const int8_t *)tensor->data + first;
    int64_t row = 1;
    for (int i = 1; i < tensor->rank; i++)
        row *= tensor->shape[i];
    for (int64_t i = 0; i < count; i++)
        out[i] = (float)bytes[i] * tensor->steps[(first + i) / row];
}

void tensor_to_float(const struct tensor *tensor, int64_t first, int64_t count, float *out)
{
    const uint16_t *halves = (const uint16_t *)tensor->data + first;
    switch (tensor->dtype) {
    case DTYPE_F32:
        memcpy(out, (const float *)tensor->data + first, (size_t)count * sizeof *out);
        break;
    case DTYPE_F16:
        for (int64_t i = 0; i < count; i++)
            out[i] = float_of_half(halves[i]);
        break;
    case DTYPE_BF16:
        for (int64_t i = 0; i < count; i++)
            out[i] = float_of_bits((uint32_t)halves[i] << 16);
        break;
    case DTYPE_I8:
        widen_bytes(tensor, first, count, out);
        break;
    }
}

/* SPDX-License-Identifier: MIT */
/**
 * Vectors for products of bytes; private to the kernel files. A `quads` vector holds 4 bytes of
 * each of VECTOR_LANES columns, or 2 words of 16 bits; a `sums` vector holds a
 * 32-bit sum of each.
 *
 * INT8_LEVELS is the greatest byte of an activation and INT8_SHIFT what is taken from it before it
 * is stored: unsigned bytes, or signed ones where the instruction set multiplies no others.
 */
#ifndef NN_INT8_VECTOR_H
#define NN_INT8_VECTOR_H

#include "nn/vector.h"

#if defined(__AVX2__) && !defined(__AVX512VNNI__) && !defined(__AVXVNNI__)
/*
 * Without VNNI, 16-bit sums of two products must not saturate: activations have 7 bits, and
 * 2 × 127 × 127 < 2¹⁵.
 */
enum { INT8_LEVELS = 127 };
#else
enum { INT8_LEVELS = 255 };
#endif

#if defined(__AVX512F__)

enum { INT8_SHIFT = 0, INT8_ROWS = 9, INT8_VECTORS = 3 };
typedef __m512i quads;
typedef __m512i sums;

INLINE quads quads_load(const void *from)
{
    return _mm512_loadu_si512(from);
}
/* The same 4 bytes in every column. */
INLINE quads quads_spread(const void *from)
{
    int four;
    memcpy(&four, from, sizeof four);
    return _mm512_set1_epi32(four);
}
INLINE sums sums_zero(void)
{
    return _mm512_setzero_si512();
}
/* sum + the products of a, unsigned or shifted, and b, signed */
INLINE sums sums_dot(sums sum, quads a, quads b)
{
#if defined(__AVX512VNNI__)
    return _mm512_dpbusd_epi32(sum, a, b);
#else
    __m512i pairs = _mm512_maddubs_epi16(a, b);
    return _mm512_add_epi32(sum, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
#endif
}
/* sum + the products of words, both signed */
INLINE sums sums_dot_words(sums sum, quads a, quads b)
{
#if defined(__AVX512VNNI__)
    return _mm512_dpwssd_epi32(sum, a, b);
#else
    return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
#endif
}
INLINE sums sums_load(const int32_t *from)
{
    return _mm512_loadu_si512(from);
}
INLINE void sums_store(int32_t *to, sums sum)
{
    _mm512_storeu_si512(to, sum);
}
INLINE vector sums_to_floats(sums sum)
{
    return _mm512_cvtepi32_ps(sum);
}
/* Rounded to the nearest; what is out of range, as a NaN is, becomes some word. */
INLINE void words_store(int16_t *to, vector x)
{
    _mm256_storeu_si256((__m256i *)to, _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(x)));
}
/*
 * Fractions are cut off. What is out of range, as a NaN is, becomes some byte of 0 .. INT8_LEVELS
 * before INT8_SHIFT is taken from it.
 */
INLINE void bytes_store(uint8_t *to, vector x)
{
    __m512i whole = _mm512_max_epi32(_mm512_cvttps_epi32(x), _mm512_setzero_si512());
    __m128i bytes = _mm512_cvtusepi32_epi8(whole);
    if (INT8_LEVELS < 255)
        bytes = _mm_min_epu8(bytes, _mm_set1_epi8(INT8_LEVELS));
    _mm_storeu_si128((__m128i *)to, bytes);
}
/* Of -127 .. 127, rounded to the nearest, halves to the even. */
INLINE void weights_store(int8_t *to, vector x)
{
    _mm_storeu_si128((__m128i *)to, _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(x)));
}

#elif defined(__AVX2__) && defined(__FMA__)

enum { INT8_SHIFT = 0, INT8_ROWS = 6, INT8_VECTORS = 2 };
typedef __m256i quads;
typedef __m256i sums;

INLINE quads quads_load(const void *from)
{
    return _mm256_loadu_si256(from);
}
INLINE quads quads_spread(const void *from)
{
    int four;
    memcpy(&four, from, sizeof four);
    return _mm256_set1_epi32(four);
}
INLINE sums sums_zero(void)
{
    return _mm256_setzero_si256();
}
INLINE sums sums_dot(sums sum, quads a, quads b)
{
#if defined(__AVXVNNI__)
    return _mm256_dpbusd_avx_epi32(sum, a, b);
#else
    __m256i pairs = _mm256_maddubs_epi16(a, b);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
#endif
}
INLINE sums sums_dot_words(sums sum, quads a, quads b)
{
#if defined(__AVXVNNI__)
    return _mm256_dpwssd_avx_epi32(sum, a, b);
#else
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
#endif
}
INLINE sums sums_load(const int32_t *from)
{
    return _mm256_loadu_si256((const __m256i *)from);
}
INLINE void sums_store(int32_t *to, sums sum)
{
    _mm256_storeu_si256((__m256i *)to, sum);
}
INLINE vector sums_to_floats(sums sum)
{
    return _mm256_cvtepi32_ps(sum);
}
INLINE void words_store(int16_t *to, vector x)
{
    __m256i wide = _mm256_cvtps_epi32(x);
    _mm_storeu_si128((__m128i *)to, _mm_packs_epi32(_mm256_castsi256_si128(wide),
                                                    _mm256_extracti128_si256(wide, 1)));
}
INLINE void bytes_store(uint8_t *to, vector x)
{
    __m256i wide = _mm256_cvttps_epi32(x);
    __m128i half =
        _mm_packus_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    __m128i bytes = _mm_packus_epi16(half, half);
    if (INT8_LEVELS < 255)
        bytes = _mm_min_epu8(bytes, _mm_set1_epi8(INT8_LEVELS));
    _mm_storel_epi64((__m128i *)to, bytes);
}
INLINE void weights_store(int8_t *to, vector x)
{
    __m256i wide = _mm256_cvtps_epi32(x);
    __m128i half = _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    _mm_storel_epi64((__m128i *)to, _mm_packs_epi16(half, half));
}

#elif defined(__ARM_FEATURE_DOTPROD)

#include <arm_neon.h>
enum { INT8_SHIFT = 128, INT8_ROWS = 6, INT8_VECTORS = 4 };
typedef int8x16_t quads;
typedef int32x4_t sums;

INLINE quads quads_load(const void *from)
{
    return vld1q_s8(from);
}
INLINE quads quads_spread(const void *from)
{
    int32_t four;
    memcpy(&four, from, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
}
INLINE sums sums_zero(void)
{
    return vdupq_n_s32(0);
}
INLINE sums sums_dot(sums sum, quads a, quads b)
{
    return vdotq_s32(sum, a, b);
}
INLINE vector sums_to_floats(sums sum)
{
    return (vector)vcvtq_f32_s32(sum);
}
INLINE void bytes_store(uint8_t *to, vector x)
{
    /* Conversions saturate, and make 0 of a NaN. */
    int32x4_t levels = vqsubq_s32(vcvtq_s32_f32((float32x4_t)x), vdupq_n_s32(INT8_SHIFT));
    int16x4_t halves = vqmovn_s32(levels);
    int8x8_t bytes = vqmovn_s16(vcombine_s16(halves, halves));
    memcpy(to, &bytes, VECTOR_LANES);
}
INLINE void weights_store(int8_t *to, vector x)
{
    int16x4_t halves = vqmovn_s32(vcvtnq_s32_f32((float32x4_t)x));
    int8x8_t bytes = vqmovn_s16(vcombine_s16(halves, halves));
    memcpy(to, &bytes, VECTOR_LANES);
}

#else /* plain C: what the others are compared with */

enum { INT8_SHIFT = 0, INT8_ROWS = 6, INT8_VECTORS = 2 };
typedef struct {
    uint8_t bytes[4 * VECTOR_LANES];
} quads;
typedef int32_t sums __attribute__((vector_size(16)));

INLINE quads quads_load(const void *from)
{
    quads x;
    memcpy(&x, from, sizeof x);
    return x;
}
INLINE quads quads_spread(const void *from)
{
    quads x;
    for (int i = 0; i < VECTOR_LANES; i++)
        memcpy(x.bytes + 4 * i, from, 4);
    return x;
}
INLINE sums sums_zero(void)
{
    return (sums){0};
}
INLINE sums sums_dot(sums sum, quads a, quads b)
{
    for (int i = 0; i < 4 * VECTOR_LANES; i++)
        sum[i / 4] += (int32_t)a.bytes[i] * (int8_t)b.bytes[i];
    return sum;
}
INLINE vector sums_to_floats(sums sum)
{
    return __builtin_convertvector(sum, vector);
}
INLINE void bytes_store(uint8_t *to, vector x)
{
    for (int i = 0; i < VECTOR_LANES; i++)
        to[i] = x[i] >= 0 ? (uint8_t)(x[i] < INT8_LEVELS ? x[i] : INT8_LEVELS) : 0;
}
INLINE void weights_store(int8_t *to, vector x)
{
    for (int i = 0; i < VECTOR_LANES; i++)
        to[i] = (int8_t)lrintf(x[i]);
}

#endif

#endif

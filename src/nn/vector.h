/* SPDX-License-Identifier: MIT */
/**
 * A vector of floats as wide as the instruction set that a file is compiled for. Only kernels
 * include this; they are compiled once per instruction set (meson.build) and chosen at run time.
 *
 * "partial" operations touch `count` < VECTOR_LANES floats; loads fill the rest with zeros.
 */
#ifndef NN_VECTOR_H
#define NN_VECTOR_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#if defined(__AVX512F__)

#include <immintrin.h>
enum { VECTOR_LANES = 16 };
typedef __m512 vector;

INLINE vector vector_load(const float *from)
{
    return _mm512_loadu_ps(from);
}
INLINE vector vector_load_partial(const float *from, int64_t count)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
}
INLINE void vector_store(float *to, vector x)
{
    _mm512_storeu_ps(to, x);
}
INLINE void vector_store_partial(float *to, vector x, int64_t count)
{
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), x);
}
INLINE vector vector_set(float x)
{
    return _mm512_set1_ps(x);
}
/* x y + z */
INLINE vector vector_fma(vector x, vector y, vector z)
{
    return _mm512_fmadd_ps(x, y, z);
}
/* sum += x y. Written out because GCC else sums in other registers and copies them back. */
INLINE void vector_add_product(vector *sum, vector x, vector y)
{
    __asm__("vfmadd231ps %2, %1, %0" : "+v"(*sum) : "v"(x), "v"(y));
}
INLINE vector vector_min(vector x, vector y)
{
    return _mm512_min_ps(x, y);
}
INLINE vector vector_max(vector x, vector y)
{
    return _mm512_max_ps(x, y);
}
INLINE vector vector_round(vector x)
{
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/* x 2ⁿ for whole n */
INLINE vector vector_scale(vector x, vector n)
{
    return _mm512_scalef_ps(x, n);
}
/* x / y within 2 units in the last place: a division takes as long as sixteen products. */
INLINE vector vector_divide(vector x, vector y)
{
    vector r = _mm512_rcp14_ps(y);
    r = r * _mm512_fnmadd_ps(y, r, vector_set(2.0f));
    return x * r;
}

INLINE float vector_greatest(vector x)
{
    return _mm512_reduce_max_ps(x);
}

#elif defined(__AVX2__) && defined(__FMA__)

#include <immintrin.h>
enum { VECTOR_LANES = 8 };
typedef __m256 vector;

INLINE __m256i vector_mask(int64_t count)
{
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lanes);
}
INLINE vector vector_load(const float *from)
{
    return _mm256_loadu_ps(from);
}
INLINE vector vector_load_partial(const float *from, int64_t count)
{
    return _mm256_maskload_ps(from, vector_mask(count));
}
INLINE void vector_store(float *to, vector x)
{
    _mm256_storeu_ps(to, x);
}
INLINE void vector_store_partial(float *to, vector x, int64_t count)
{
    _mm256_maskstore_ps(to, vector_mask(count), x);
}
INLINE vector vector_set(float x)
{
    return _mm256_set1_ps(x);
}
INLINE vector vector_fma(vector x, vector y, vector z)
{
    return _mm256_fmadd_ps(x, y, z);
}
/* sum += x y. Written out because GCC else sums in other registers and copies them back. */
INLINE void vector_add_product(vector *sum, vector x, vector y)
{
    __asm__("vfmadd231ps %2, %1, %0" : "+x"(*sum) : "x"(x), "x"(y));
}
INLINE vector vector_min(vector x, vector y)
{
    return _mm256_min_ps(x, y);
}
INLINE vector vector_max(vector x, vector y)
{
    return _mm256_max_ps(x, y);
}
INLINE vector vector_round(vector x)
{
    return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
INLINE vector vector_divide(vector x, vector y)
{
    return x / y;
}
/* For |n| < 126: by the exponent's bits. */
INLINE vector vector_scale(vector x, vector n)
{
    __m256i bits = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    __m256i one = _mm256_set1_epi32(0x3f800000);
    return _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_add_epi32(bits, one)));
}

INLINE float vector_greatest(vector x)
{
    __m128 half = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    half = _mm_max_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
}

#else /* the compiler's own vectors: SSE2, NEON, or plain scalars where there is neither */

enum { VECTOR_LANES = 4 };
typedef float vector __attribute__((vector_size(16)));
typedef int32_t vector_mask __attribute__((vector_size(16)));
typedef uint32_t vector_bits __attribute__((vector_size(16)));

INLINE vector vector_load(const float *from)
{
    vector x;
    memcpy(&x, from, sizeof x);
    return x;
}
INLINE vector vector_load_partial(const float *from, int64_t count)
{
    vector x = {0};
    memcpy(&x, from, (size_t)count * sizeof *from);
    return x;
}
INLINE void vector_store(float *to, vector x)
{
    memcpy(to, &x, sizeof x);
}
INLINE void vector_store_partial(float *to, vector x, int64_t count)
{
    memcpy(to, &x, (size_t)count * sizeof *to);
}
INLINE vector vector_set(float x)
{
    return (vector){x, x, x, x};
}
INLINE vector vector_fma(vector x, vector y, vector z)
{
    return x * y + z;
}
/* sum += x y */
INLINE void vector_add_product(vector *sum, vector x, vector y)
{
    *sum = vector_fma(x, y, *sum);
}
INLINE vector vector_divide(vector x, vector y)
{
    return x / y;
}
INLINE vector vector_select(vector_mask which, vector x, vector y)
{
    return (vector)(((vector_mask)x & which) | ((vector_mask)y & ~which));
}
INLINE vector vector_min(vector x, vector y)
{
    return vector_select(x < y, x, y);
}
INLINE vector vector_max(vector x, vector y)
{
    return vector_select(x > y, x, y);
}
/* For |x| < 2²²: adding 1.5 × 2²³ leaves no room for a fraction. */
INLINE vector vector_round(vector x)
{
    const vector magic = vector_set(12582912.0f);
    return (x + magic) - magic;
}
INLINE vector vector_scale(vector x, vector n)
{
    vector_bits bits = (vector_bits)(n + vector_set(12582912.0f));
    vector_bits exponent = (bits << 23) + (0x7fu << 23);
    return x * (vector)exponent;
}
INLINE float vector_greatest(vector x)
{
    for (int i = 1; i < VECTOR_LANES; i++)
        x[0] = x[i] > x[0] ? x[i] : x[0];
    return x[0];
}

#endif

/* x 2ⁿ for shifted = n + 1.5 × 2²³, n whole, where both x and the result are normal numbers */
INLINE vector vector_add_exponent(vector x, vector shifted)
{
    typedef uint32_t bits __attribute__((vector_size(4 * VECTOR_LANES)));
    return (vector)((bits)x + ((bits)shifted << 23));
}

/* Lanes are summed by halves, always in the same order. */
INLINE float vector_sum(vector x)
{
    float lanes[VECTOR_LANES];
    vector_store(lanes, x);
    for (int width = VECTOR_LANES / 2; width > 0; width /= 2) {
        for (int i = 0; i < width; i++)
            lanes[i] += lanes[i + width];
    }
    return lanes[0];
}

INLINE float vector_least(vector x)
{
    return -vector_greatest(vector_set(0.0f) - x);
}

/* eˣ within 2 units in the last place; x below -87 gives about 1e-38, above 88 about 2e38. */
INLINE vector vector_exp(vector x)
{
    x = vector_min(vector_max(x, vector_set(-87.0f)), vector_set(88.0f));
    vector n = vector_round(x * vector_set(1.44269504f));
    /* ln 2 in two parts; n times the first is exact */
    vector r = vector_fma(n, vector_set(-0.693145751953125f), x);
    r = vector_fma(n, vector_set(-1.428606765330187e-6f), r);
    /* 1 + r + r² p(r), fitted for |r| <= ln 2 / 2 */
    vector p = vector_set(0.0013814539415761828f);
    p = vector_fma(p, r, vector_set(0.00836874544620514f));
    p = vector_fma(p, r, vector_set(0.04166838899254799f));
    p = vector_fma(p, r, vector_set(0.1666652113199234f));
    p = vector_fma(p, r, vector_set(0.4999999403953552f));
    p = vector_fma(p, r * r, r) + vector_set(1.0f);
    return vector_scale(p, n);
}

#endif

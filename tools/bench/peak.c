/* SPDX-License-Identifier: MIT */
#include "peak.h"

#include "process.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
    CHAINS = 12,     /* of dependent operations: more than latency × units of any processor */
    TURNS = 40000,   /* of all chains, a task */
    TASKS = 8,       /* a thread */
    LANES_MOST = 16, /* floats in a vector */
};

/* All chains once a turn; their sum goes out, or the compiler would leave them away. */
#define CHAIN(vector, set, multiply_add, store)                                                    \
    vector sum[CHAINS], factor = set(start), addend = set(start * 0.5f);                           \
    _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) sum[i] = set(start * (float)i);      \
    for (int turn = 0; turn < TURNS; turn++) {                                                     \
        _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) sum[i] =                         \
            multiply_add(sum[i], factor, addend);                                                  \
    }                                                                                              \
    _Pragma("GCC unroll 12") for (int i = 1; i < CHAINS; i++) sum[0] =                             \
        multiply_add(sum[i], factor, sum[0]);                                                      \
    store(out, sum[0]);

typedef void chains(float start, float *out);
typedef float portable __attribute__((vector_size(16)));

#define PORTABLE_SET(x) ((portable){x, x, x, x})
#define PORTABLE_MULTIPLY_ADD(x, y, z) ((x) * (y) + (z))
#define PORTABLE_STORE(to, x) (*(to) = (x)[0] + (x)[1] + (x)[2] + (x)[3])

static void chains_portable(float start, float *out)
{
    CHAIN(portable, PORTABLE_SET, PORTABLE_MULTIPLY_ADD, PORTABLE_STORE)
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void chains_avx2(float start, float *out)
{
    CHAIN(__m256, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_storeu_ps)
}

__attribute__((target("avx512f"))) static void chains_avx512(float start, float *out)
{
    CHAIN(__m512, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_storeu_ps)
}
#endif

static chains *chains_of(int lanes)
{
#if defined(__x86_64__)
    if (lanes == 16)
        return chains_avx512;
    if (lanes == 8)
        return chains_avx2;
#endif
    (void)lanes;
    return chains_portable;
}

static void run(void *context, int64_t index, int thread)
{
    float out[LANES_MOST];
    (*(chains **)context)(0.5f + (float)(index + thread) * 1e-3f, out);
    __asm__ volatile("" ::"r"(out) : "memory");
}

double peak_gflops(struct pool *pool, int lanes)
{
    chains *function = chains_of(lanes);
    int64_t tasks = (int64_t)pool_threads(pool) * TASKS;
    double begin = clock_wall();
    pool_run(pool, tasks, run, &function);
    double seconds = clock_wall() - begin;
    return 2.0 * CHAINS * TURNS * lanes * (double)tasks / seconds * 1e-9;
}

/* SPDX-License-Identifier: MIT */
#include "nn/kernels.h"

#include <stddef.h>
#if defined(__aarch64__)
#include <sys/auxv.h>
#elif defined(__x86_64__)
#include <cpuid.h>
#endif

extern const struct kernels kernels_portable;
#if defined(__aarch64__)
extern const struct kernels kernels_neon_dot;
enum { HAVE_DOT = 1 << 20 /* HWCAP_ASIMDDP of <asm/hwcap.h> */ };
#elif defined(__x86_64__)
extern const struct kernels kernels_avx2, kernels_avx_vnni;
extern const struct kernels kernels_avx512, kernels_avx512_vnni;

/* gcc 12 has no name for it. */
static bool have_avx_vnni(void)
{
    unsigned a, b, c, d;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __get_cpuid_count(7, 1, &a, &b, &c, &d) && a & bit_AVXVNNI;
}

static bool have_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
#endif

const struct kernels *kernels_find(enum instruction_set set)
{
    switch (set) {
    case KERNELS_PORTABLE:
        return &kernels_portable;
#if defined(__x86_64__)
    case KERNELS_AVX2:
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
            return &kernels_avx2;
        return NULL;
    case KERNELS_AVX_VNNI:
        return have_avx_vnni() ? &kernels_avx_vnni : NULL;
    case KERNELS_AVX512:
        return have_avx512() ? &kernels_avx512 : NULL;
    case KERNELS_AVX512_VNNI:
        if (have_avx512() && __builtin_cpu_supports("avx512vnni"))
            return &kernels_avx512_vnni;
        return NULL;
#endif
#if defined(__aarch64__)
    case KERNELS_NEON_DOT:
        return getauxval(AT_HWCAP) & HAVE_DOT ? &kernels_neon_dot : NULL;
#endif
    default:
        return NULL;
    }
}

const struct kernels *kernels_best(void)
{
    for (int set = KERNELS_SETS - 1; set > KERNELS_PORTABLE; set--) {
        const struct kernels *kernels = kernels_find((enum instruction_set)set);
        if (kernels)
            return kernels;
    }
    return &kernels_portable;
}

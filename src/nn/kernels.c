/* SPDX-License-Identifier: MIT */
#include "nn/kernels.h"

#include <stddef.h>

extern const struct kernels kernels_portable;
#if defined(__x86_64__)
extern const struct kernels kernels_avx2, kernels_avx512, kernels_avx512_vnni;

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
    case KERNELS_AVX512:
        return have_avx512() ? &kernels_avx512 : NULL;
    case KERNELS_AVX512_VNNI:
        if (have_avx512() && __builtin_cpu_supports("avx512vnni"))
            return &kernels_avx512_vnni;
        return NULL;
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

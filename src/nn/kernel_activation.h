/* SPDX-License-Identifier: MIT */
/**
 * Activation functions on vectors; private to the kernel files. `which` is a constant wherever
 * activate() is inlined, so the switch is gone.
 */
#ifndef NN_KERNEL_ACTIVATION_H
#define NN_KERNEL_ACTIVATION_H

#include "nn/activation.h"
#include "nn/vector.h"

INLINE vector clip(vector x, float least, float greatest)
{
    return vector_min(vector_max(x, vector_set(least)), vector_set(greatest));
}

INLINE vector sigmoid(vector x)
{
    return vector_divide(vector_set(1.0f), vector_set(1.0f) + vector_exp(vector_set(0.0f) - x));
}

/*
 * The normal distribution's Φ(x), absolute error below 3e-7: Φ - 1/2 is odd, and x P(x²) / Q(x²)
 * fits it to 1e-8 for |x| <= 5.5. Towards the ends the fit overshoots by as much as a float can
 * tell, so that Φ there is exactly 0 and 1 for any rounding.
 */
INLINE vector normal(vector x)
{
    x = clip(x, -5.5f, 5.5f);
    vector t = x * x;
    vector p = vector_set(2.279854705022899e-08f);
    p = vector_fma(p, t, vector_set(6.355550794978626e-06f));
    p = vector_fma(p, t, vector_set(0.00016869614773895591f));
    p = vector_fma(p, t, vector_set(0.004676679149270058f));
    p = vector_fma(p, t, vector_set(0.03383633866906166f));
    p = vector_fma(p, t, vector_set(0.398942232131958f));
    vector q = vector_set(1.1991091923846398e-06f);
    q = vector_fma(q, t, vector_set(7.362531323451549e-05f));
    q = vector_fma(q, t, vector_set(0.0018837695242837071f));
    q = vector_fma(q, t, vector_set(0.028637593612074852f));
    q = vector_fma(q, t, vector_set(0.2514810562133789f));
    q = vector_fma(q, t, vector_set(1.0f));
    return clip(vector_divide(x * p, q) + vector_set(0.5f), 0.0f, 1.0f);
}

/*
 * x Φ(x) within 2e-4 + 4e-7 |x|, without a division: for |x| <= 4, Φ - 1/2 is x P(x²), fitted so
 * that x times it is nearest, and 1/2 at 4; what is beyond is as at 4.
 */
INLINE vector gelu_coarse(vector x)
{
    vector y = clip(x, -4.0f, 4.0f), t = y * y;
    vector p = vector_set(2.2588780469616944e-08f);
    p = vector_fma(p, t, vector_set(-1.5888577163501142e-06f));
    p = vector_fma(p, t, vector_set(4.776452480471492e-05f));
    p = vector_fma(p, t, vector_set(-0.0008121940022378973f));
    p = vector_fma(p, t, vector_set(0.00876372440945397f));
    p = vector_fma(p, t, vector_set(-0.06455448840389756f));
    p = vector_fma(p, t, vector_set(0.397870320870971f));
    return x * vector_fma(p, y, vector_set(0.5f));
}

/* x Φ(x) by the tanh approximation: (1 + tanh u) / 2 is the sigmoid of 2 u. */
INLINE vector gelu_tanh(vector x)
{
    vector cubic = vector_fma(x * x, vector_set(0.044715f), vector_set(1.0f));
    return x * sigmoid(x * cubic * vector_set(1.5957691216f));
}

/* tanh of ln(1 + eˣ) is (n² + 2 n) / (n² + 2 n + 2) for n = eˣ, and 1 for great x. */
INLINE vector mish(vector x)
{
    vector n = vector_exp(clip(x, -87.0f, 20.0f));
    vector m = n * (n + vector_set(2.0f));
    return x * m / (m + vector_set(2.0f));
}

/* For functions too rare to deserve vectors of their own. */
INLINE vector by_lane(float function(float), vector x)
{
    float lanes[VECTOR_LANES];
    vector_store(lanes, x);
    for (int i = 0; i < VECTOR_LANES; i++)
        lanes[i] = function(lanes[i]);
    return vector_load(lanes);
}

static inline float sqrt_softplus(float x)
{
    return sqrtf(x > 20.0f ? x : log1pf(expf(x)));
}

INLINE vector activate(const enum activation which, vector x)
{
    const vector zero = vector_set(0.0f);
    switch (which) {
    case ACTIVATION_GELU:
        return x * normal(x);
    case ACTIVATION_GELU_TANH:
        return gelu_tanh(x);
    case ACTIVATION_GELU_CLIPPED:
        return clip(x * normal(x), -10.0f, 10.0f);
    case ACTIVATION_QUICK_GELU:
        return x * sigmoid(x * vector_set(1.702f));
    case ACTIVATION_RELU:
        return vector_max(x, zero);
    case ACTIVATION_RELU6:
        return clip(x, 0.0f, 6.0f);
    case ACTIVATION_RELU_SQUARED:
        return vector_max(x, zero) * vector_max(x, zero);
    case ACTIVATION_LEAKY_RELU:
        return vector_max(x, x * vector_set(0.01f));
    case ACTIVATION_SILU:
        return x * sigmoid(x);
    case ACTIVATION_MISH:
        return mish(x);
    case ACTIVATION_HARDSWISH:
        return x * clip(x + vector_set(3.0f), 0.0f, 6.0f) * vector_set(1.0f / 6.0f);
    case ACTIVATION_LAPLACE: /* Φ with mean 0.707107 and deviation 0.282095 */
        return normal((x - vector_set(0.707107f)) * vector_set(1.0f / 0.282095f));
    case ACTIVATION_SQRT_SOFTPLUS:
        return by_lane(sqrt_softplus, x);
    case ACTIVATION_TANH:
        return by_lane(tanhf, x);
    case ACTIVATION_SIGMOID:
        return sigmoid(x);
    case ACTIVATION_GELU_COARSE:
        return gelu_coarse(x);
    case ACTIVATION_LINEAR:
        break;
    }
    return x;
}

#endif

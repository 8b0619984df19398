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
    return vector_set(1.0f) / (vector_set(1.0f) + vector_exp(vector_set(0.0f) - x));
}

/*
 * The normal distribution's Φ(x), absolute error below 2e-7: Φ - 1/2 is odd, and x P(x²) / Q(x²)
 * fits it to 8e-9 for |x| <= 5.525, where a float can no longer tell it from 1/2.
 */
INLINE vector normal(vector x)
{
    x = clip(x, -5.525f, 5.525f);
    vector t = x * x;
    vector p = vector_set(2.2595084914200925e-8f);
    p = vector_fma(p, t, vector_set(6.352021046041045e-6f));
    p = vector_fma(p, t, vector_set(1.7003223183564842e-4f));
    p = vector_fma(p, t, vector_set(4.684418439865112e-3f));
    p = vector_fma(p, t, vector_set(3.397943824529648e-2f));
    p = vector_fma(p, t, vector_set(0.398942232131958f));
    vector q = vector_set(1.1930046639463399e-6f);
    q = vector_fma(q, t, vector_set(7.399119931505993e-5f));
    q = vector_fma(q, t, vector_set(1.891285995952785e-3f));
    q = vector_fma(q, t, vector_set(2.8716862201690674e-2f));
    q = vector_fma(q, t, vector_set(0.25183969736099243f));
    q = vector_fma(q, t, vector_set(1.0f));
    return clip(x * p / q + vector_set(0.5f), 0.0f, 1.0f);
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
    case ACTIVATION_LINEAR:
        break;
    }
    return x;
}

/* Calls body(which) with a constant for each activation. */
#define ACTIVATION_SWITCH(which, body)                                                             \
    switch (which) {                                                                               \
        ACTIVATION_CASE(GELU, body)                                                                \
        ACTIVATION_CASE(GELU_TANH, body)                                                           \
        ACTIVATION_CASE(GELU_CLIPPED, body)                                                        \
        ACTIVATION_CASE(QUICK_GELU, body)                                                          \
        ACTIVATION_CASE(RELU, body)                                                                \
        ACTIVATION_CASE(RELU6, body)                                                               \
        ACTIVATION_CASE(RELU_SQUARED, body)                                                        \
        ACTIVATION_CASE(LEAKY_RELU, body)                                                          \
        ACTIVATION_CASE(SILU, body)                                                                \
        ACTIVATION_CASE(MISH, body)                                                                \
        ACTIVATION_CASE(HARDSWISH, body)                                                           \
        ACTIVATION_CASE(LAPLACE, body)                                                             \
        ACTIVATION_CASE(SQRT_SOFTPLUS, body)                                                       \
        ACTIVATION_CASE(TANH, body)                                                                \
        ACTIVATION_CASE(SIGMOID, body)                                                             \
        ACTIVATION_CASE(LINEAR, body)                                                              \
    }
#define ACTIVATION_CASE(name, body)                                                                \
    case ACTIVATION_##name:                                                                        \
        body(ACTIVATION_##name);                                                                   \
        break;

#endif

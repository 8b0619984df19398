/* SPDX-License-Identifier: MIT */
/**
 * The activation functions that configurations may name. Plain values; any thread.
 */
#ifndef NN_ACTIVATION_H
#define NN_ACTIVATION_H

enum activation {
    ACTIVATION_GELU,         /* by erf */
    ACTIVATION_GELU_TANH,    /* gelu_new, gelu_fast, gelu_accurate, gelu_pytorch_tanh */
    ACTIVATION_GELU_CLIPPED, /* gelu_10: by erf, then clipped to ±10 */
    ACTIVATION_QUICK_GELU,   /* x sigmoid(1.702 x) */
    ACTIVATION_RELU,
    ACTIVATION_RELU6,        /* min(max(x, 0), 6) */
    ACTIVATION_RELU_SQUARED, /* relu2: max(x, 0)² */
    ACTIVATION_LEAKY_RELU,   /* slope 0.01 below zero */
    ACTIVATION_SILU,         /* silu, swish: x sigmoid(x) */
    ACTIVATION_MISH,         /* x tanh(softplus(x)) */
    ACTIVATION_HARDSWISH,    /* x min(max(x + 3, 0), 6) / 6 */
    ACTIVATION_LAPLACE,      /* (1 + erf((x - 0.707107) / (0.282095 √2))) / 2 */
    ACTIVATION_SQRT_SOFTPLUS,
    ACTIVATION_TANH,
    ACTIVATION_SIGMOID,
    ACTIVATION_LINEAR,
    ACTIVATION_GELU_COARSE, /* GELU within 2e-4, for what is rounded to bytes next; never named */
};

#endif

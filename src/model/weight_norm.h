/* SPDX-License-Identifier: MIT */
/**
 * Weight norm of the positional convolution (Salimans and Kingma 2016, arXiv:1602.07868) over
 * dimension 2: a weight is the direction's times its tap's factor, the tap's gain over the length
 * of all of its weights together. Any thread.
 */
#ifndef MODEL_WEIGHT_NORM_H
#define MODEL_WEIGHT_NORM_H

#include "model/tensor.h"

void weight_norm_measure(const struct tensor *direction, /* [hidden, hidden / groups, kernel] */
                         const struct tensor *gain,      /* [1, 1, kernel] */
                         float *scale,                   /* [kernel] the taps' factors */
                         double *squares /* [kernel] scratch */);

#endif

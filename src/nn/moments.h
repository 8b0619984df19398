/* SPDX-License-Identifier: MIT */
/**
 * Mean and variance over time of what a convolution of one input channel would give, without
 * computing it: both follow from the means and covariances of the samples under each tap. This is
 * what a GroupNorm with one channel a group needs. In double precision; any thread.
 */
#ifndef NN_MOMENTS_H
#define NN_MOMENTS_H

#include <stdint.h>

struct conv_moments {
    int64_t kernel;
    int64_t stride;
    double *mean;       /* [kernel] of the samples under each tap */
    double *covariance; /* [kernel, kernel] of the samples under two taps */
};

/** Doubles of memory that mean and covariance take together; sum and product, too. */
int64_t conv_moments_doubles(int64_t kernel);

/** `frames` windows over samples, the last of which ends within them. */
void conv_moments_measure(struct conv_moments *moments, const float *samples, int64_t frames);

/** What moments follow from, for windows that come a few at a time. */
struct conv_sums {
    int64_t kernel;
    int64_t stride;
    int64_t frames;  /* windows so far */
    double *sum;     /* [kernel] of the samples under each tap */
    double *product; /* [kernel, kernel] of the samples under two taps, i >= j alone */
};

void conv_sums_reset(struct conv_sums *sums);
/** `frames` more windows over samples. */
void conv_sums_add(struct conv_sums *sums, const float *samples, int64_t frames);
/** Of (sample - offset) × scale, over all windows so far, one at least. */
void conv_sums_moments(const struct conv_sums *sums, double offset, double scale,
                       struct conv_moments *moments);

/** Of the channel with these weights, [kernel], and no bias. */
void conv_moments_channel(const struct conv_moments *moments, const float *weights, double *mean,
                          double *variance);

#endif

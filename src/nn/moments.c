/* SPDX-License-Identifier: MIT */
#include "nn/moments.h"

int64_t conv_moments_doubles(int64_t kernel)
{
    return kernel + kernel * kernel;
}

/* Σ (x_i - shift)(x_j - shift), in four running sums so that additions need not wait. */
static double product_sum(const float *x, const float *y, int64_t stride, int64_t frames,
                          double shift)
{
    double sum[4] = {0};
    int64_t t = 0;
    for (; t + 4 <= frames; t += 4) {
        for (int64_t i = 0; i < 4; i++)
            sum[i] += (x[(t + i) * stride] - shift) * (y[(t + i) * stride] - shift);
    }
    for (; t < frames; t++)
        sum[0] += (x[t * stride] - shift) * (y[t * stride] - shift);
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static double value_sum(const float *x, int64_t stride, int64_t frames, double shift)
{
    double sum = 0;
    for (int64_t t = 0; t < frames; t++)
        sum += x[t * stride] - shift;
    return sum;
}

void conv_moments_measure(struct conv_moments *moments, const float *samples, int64_t frames)
{
    int64_t kernel = moments->kernel, stride = moments->stride;
    /* Near the mean, so that a great offset does not swallow a small variance. */
    double shift = value_sum(samples, stride, frames, 0) / (double)frames;
    for (int64_t i = 0; i < kernel; i++)
        moments->mean[i] = value_sum(samples + i, stride, frames, shift) / (double)frames;
    for (int64_t i = 0; i < kernel; i++) {
        for (int64_t j = 0; j <= i; j++) {
            double product = product_sum(samples + i, samples + j, stride, frames, shift);
            double covariance = product / (double)frames - moments->mean[i] * moments->mean[j];
            moments->covariance[i * kernel + j] = covariance;
            moments->covariance[j * kernel + i] = covariance;
        }
    }
    for (int64_t i = 0; i < kernel; i++)
        moments->mean[i] += shift;
}

void conv_moments_channel(const struct conv_moments *moments, const float *weights, double *mean,
                          double *variance)
{
    int64_t kernel = moments->kernel;
    double first = 0, second = 0;
    for (int64_t i = 0; i < kernel; i++) {
        double row = 0;
        for (int64_t j = 0; j < kernel; j++)
            row += moments->covariance[i * kernel + j] * weights[j];
        first += weights[i] * moments->mean[i];
        second += weights[i] * row;
    }
    *mean = first;
    *variance = second > 0 ? second : 0;
}

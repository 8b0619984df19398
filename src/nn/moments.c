/* SPDX-License-Identifier: MIT */
#include "nn/moments.h"

#include <string.h>

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

void conv_sums_reset(struct conv_sums *sums)
{
    sums->frames = 0;
    memset(sums->sum, 0, (size_t)sums->kernel * sizeof *sums->sum);
    memset(sums->product, 0, (size_t)(sums->kernel * sums->kernel) * sizeof *sums->product);
}

void conv_sums_add(struct conv_sums *sums, const float *samples, int64_t frames)
{
    int64_t kernel = sums->kernel, stride = sums->stride;
    for (int64_t i = 0; i < kernel; i++) {
        sums->sum[i] += value_sum(samples + i, stride, frames, 0);
        for (int64_t j = 0; j <= i; j++)
            sums->product[i * kernel + j] +=
                product_sum(samples + i, samples + j, stride, frames, 0);
    }
    sums->frames += frames;
}

void conv_sums_moments(const struct conv_sums *sums, double offset, double scale,
                       struct conv_moments *moments)
{
    int64_t kernel = sums->kernel;
    double count = (double)sums->frames;
    for (int64_t i = 0; i < kernel; i++) {
        moments->mean[i] = (sums->sum[i] / count - offset) * scale;
        for (int64_t j = 0; j <= i; j++) {
            double covariance = sums->product[i * kernel + j] / count -
                                sums->sum[i] / count * (sums->sum[j] / count);
            moments->covariance[i * kernel + j] = covariance * scale * scale;
            moments->covariance[j * kernel + i] = covariance * scale * scale;
        }
    }
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

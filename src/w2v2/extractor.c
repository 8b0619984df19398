/* SPDX-License-Identifier: MIT */
#include "w2v2/parts.h"

#include <math.h>

enum { NORM_ROWS = 16 /* that a task takes */ };

static void norm_rows(void *context, int64_t index, int thread)
{
    (void)thread;
    const struct row_norm *job = context;
    int64_t end = (index + 1) * NORM_ROWS < job->rows ? (index + 1) * NORM_ROWS : job->rows;
    for (int64_t i = index * NORM_ROWS; i < end; i++)
        job->kernels->layer_norm(job->norm, job->in + i * job->in_stride,
                                 job->out + i * job->out_stride, job->columns);
}

void w2v2_norm(struct pool *pool, const struct row_norm *job)
{
    struct row_norm copy = *job;
    pool_run(pool, (job->rows + NORM_ROWS - 1) / NORM_ROWS, norm_rows, &copy);
}

/* Zero mean and unit variance over the window, in double so that it holds for any level. */
static void normalize(const float *samples, int64_t count, float *out)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++)
        sum += samples[i];
    double mean = sum / (double)count;
    for (int64_t i = 0; i < count; i++)
        squares += (samples[i] - mean) * (samples[i] - mean);
    double scale = 1 / sqrt(squares / (double)count + 1e-7);
    for (int64_t i = 0; i < count; i++)
        out[i] = (float)((samples[i] - mean) * scale);
}

/*
 * The group norm of layer 0 has one channel a group and is over time: a factor and a shift for each
 * channel, which go into the convolution's own weights and bias once the window's moments are
 * known.
 */
static struct gemm_weights fold_group_norm(const struct w2v2 *w2v2,
                                           struct w2v2_workspace *workspace, const float *samples,
                                           int64_t frames)
{
    const struct w2v2_conv *conv = &w2v2->conv[0];
    int64_t kernel = w2v2->config.conv_kernel[0];
    conv_moments_measure(&workspace->moments, samples, frames);
    for (int64_t i = 0; i < w2v2->config.conv_dim[0]; i++) {
        double mean, variance;
        conv_moments_channel(&workspace->moments, w2v2->first_weights + i * kernel, &mean,
                             &variance);
        double scale = conv->norm.gain[i] / sqrt(variance + conv->norm.epsilon);
        workspace->first_scale[i] = (float)scale;
        /* The convolution's bias is part of the mean, which the norm takes away. */
        workspace->first_bias[i] = (float)(conv->norm.offset[i] - mean * scale);
    }
    return gemm_scale(&conv->product, workspace->first_scale, workspace->first_bias,
                      workspace->first_panels);
}

struct rows {
    const float *values;
    int64_t count;
    int64_t stride;
};

/* One convolution with its norm and activation: `in` has one column in layer 0. */
static void convolve(const struct w2v2 *w2v2, struct pool *pool, int layer,
                     const struct gemm_weights *product, const struct rows *in, float *out,
                     int64_t out_stride)
{
    const struct w2v2_conv *conv = &w2v2->conv[layer];
    int64_t kernel = w2v2->config.conv_kernel[layer], stride = w2v2->config.conv_stride[layer];
    bool layer_norm = w2v2->config.feat_extract_norm == EXTRACTOR_NORM_LAYER;
    struct gemm_input input = {
        .values = in->values,
        .rows = (in->count - kernel) / stride + 1,
        .row_stride = stride * in->stride,
        .taps = layer ? kernel : 1,
        .tap_length = layer ? w2v2->config.conv_dim[layer - 1] : kernel,
        .tap_stride = in->stride,
    };
    struct gemm_output output = {
        .values = out,
        .row_stride = out_stride,
        .activation = layer_norm ? ACTIVATION_LINEAR : conv->norm.activation,
    };
    gemm_run(product, pool, &input, &output);
    if (layer_norm)
        w2v2_norm(pool, &(struct row_norm){w2v2->kernels, &conv->norm, out, out_stride, out,
                                           out_stride, input.rows, w2v2->config.conv_dim[layer]});
}

void w2v2_extract(const struct w2v2 *w2v2, struct pool *pool, struct w2v2_workspace *workspace,
                  const float *samples, int64_t count, float *out, int64_t stride)
{
    const struct model_config *config = &w2v2->config;
    if (config_frames(config, count) < 1)
        return;
    if (config->do_normalize) {
        normalize(samples, count, workspace->samples);
        samples = workspace->samples;
    }
    struct rows rows = {samples, count, 1};
    for (int i = 0; i < config->conv_layers; i++) {
        struct gemm_weights product = w2v2->conv[i].product;
        int64_t frames = (rows.count - config->conv_kernel[i]) / config->conv_stride[i] + 1;
        bool last = i == config->conv_layers - 1;
        float *to = last ? out : workspace->conv[i % 2];
        int64_t to_stride = last ? stride : w2v2_row(config->conv_dim[i]);
        if (i == 0 && config->feat_extract_norm == EXTRACTOR_NORM_GROUP)
            product = fold_group_norm(w2v2, workspace, samples, frames);
        convolve(w2v2, pool, i, &product, &rows, to, to_stride);
        rows = (struct rows){to, frames, to_stride};
    }
}

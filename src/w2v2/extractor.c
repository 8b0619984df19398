/* SPDX-License-Identifier: MIT */
#include "w2v2/parts.h"

#include <math.h>

enum {
    NORM_ROWS = 16,        /* that a task takes */
    FRONT_FLOATS = 100000, /* of layer 0's output at a time: half of a second-level cache */
};

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
    int64_t tasks = (job->rows + NORM_ROWS - 1) / NORM_ROWS;
    if (pool)
        pool_run(pool, tasks, norm_rows, &copy);
    for (int64_t i = 0; !pool && i < tasks; i++)
        norm_rows(&copy, i, 0);
}

/* Of the window, in double so that it holds for any level. */
static void measure_level(const float *samples, int64_t count,
                          struct extractor_statistics *statistics)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++)
        sum += samples[i];
    double mean = sum / (double)count;
    for (int64_t i = 0; i < count; i++)
        squares += (samples[i] - mean) * (samples[i] - mean);
    statistics->mean = mean;
    statistics->scale = 1 / sqrt(squares / (double)count + W2V2_VARIANCE_FLOOR);
}

static void normalize(const struct extractor_statistics *statistics, const float *samples,
                      int64_t count, float *out)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = (float)((samples[i] - statistics->mean) * statistics->scale);
}

/*
 * The group norm of layer 0 has one channel a group and is over time: a factor and a shift for each
 * channel, which go into the convolution's own weights and bias once the moments are known.
 */
static struct w2v2_product fold_group_norm(const struct w2v2 *w2v2,
                                           struct w2v2_workspace *workspace,
                                           const struct conv_moments *moments)
{
    const struct w2v2_conv *conv = &w2v2->conv[0];
    int64_t kernel = w2v2->config.conv_kernel[0];
    for (int64_t i = 0; i < w2v2->config.conv_dim[0]; i++) {
        double mean, variance;
        conv_moments_channel(moments, w2v2->first_weights + i * kernel, &mean, &variance);
        double scale = conv->norm.gain[i] / sqrt(variance + conv->norm.epsilon);
        workspace->first_scale[i] = (float)scale;
        /* The convolution's bias is part of the mean, which the norm takes away. */
        workspace->first_bias[i] = (float)(conv->norm.offset[i] - mean * scale);
    }
    struct w2v2_product folded = conv->product;
    folded.floats = gemm_scale(&conv->product.floats, workspace->first_scale, workspace->first_bias,
                               workspace->first_panels);
    return folded;
}

/* ---- convolutions ---------------------------------------------------------------------------- */

struct rows {
    const float *values;
    int64_t count;
    int64_t stride;
};

/*
 * One convolution with its norm and activation: `in` has one column in layer 0. Without a pool the
 * calling thread does it. Returns the rows written.
 */
static struct rows convolve(const struct w2v2 *w2v2, struct pool *pool, int layer,
                            const struct w2v2_product *product, struct rows in, float *out,
                            int64_t out_stride, float *bytes)
{
    const struct w2v2_conv *conv = &w2v2->conv[layer];
    int64_t kernel = w2v2->config.conv_kernel[layer], stride = w2v2->config.conv_stride[layer];
    bool layer_norm = w2v2->config.feat_extract_norm == EXTRACTOR_NORM_LAYER;
    struct norm norm = conv->norm;
    if (layer + 1 < w2v2->config.conv_layers)
        norm.activation = w2v2_activation(norm.activation, &conv[1].product);
    struct gemm_input input = {
        .values = in.values,
        .rows = (in.count - kernel) / stride + 1,
        .row_stride = stride * in.stride,
        .taps = layer ? kernel : 1,
        .tap_length = layer ? w2v2->config.conv_dim[layer - 1] : kernel,
        .tap_stride = in.stride,
    };
    struct gemm_output output = {
        .values = out,
        .row_stride = out_stride,
        .activation = layer_norm ? ACTIVATION_LINEAR : norm.activation,
    };
    w2v2_multiply(product, pool, &input, &output, bytes);
    if (layer_norm)
        w2v2_norm(pool, &(struct row_norm){w2v2->kernels, &norm, out, out_stride, out, out_stride,
                                           input.rows, w2v2->config.conv_dim[layer]});
    return (struct rows){out, input.rows, out_stride};
}

/*
 * Layers 0 and 1 together, a block of layer 1's frames at a time: what layer 0 gives is the longest
 * activation of all by far, and so it never leaves the cache.
 */
struct front {
    const struct w2v2 *w2v2;
    const struct w2v2_product *first; /* layer 0's product, with its group norm if it has one */
    float *scratch;                   /* [threads][w2v2_front_floats()] */
    float *bytes;                     /* the workspace's */
    struct rows samples;
    float *out;
    int64_t out_stride;
    int64_t frames;
    int64_t block; /* frames a task */
};

static int64_t front_block(const struct model_config *config)
{
    int64_t frames = FRONT_FLOATS / w2v2_row(config->conv_dim[0]) - config->conv_kernel[1];
    return frames > config->conv_stride[1] ? frames / config->conv_stride[1] : 1;
}

static int64_t window(int64_t frames, int64_t kernel, int64_t stride)
{
    return (frames - 1) * stride + kernel;
}

int64_t w2v2_front_floats(const struct model_config *config)
{
    if (config->conv_layers < 2)
        return 0;
    return window(front_block(config), config->conv_kernel[1], config->conv_stride[1]) *
           w2v2_row(config->conv_dim[0]);
}

static void run_front(void *context, int64_t index, int thread)
{
    const struct front *front = context;
    const struct model_config *config = &front->w2v2->config;
    int64_t first = index * front->block, left = front->frames - first;
    int64_t frames = left < front->block ? left : front->block;
    int64_t inner = window(frames, config->conv_kernel[1], config->conv_stride[1]);
    int64_t skipped = first * config->conv_stride[1] * config->conv_stride[0];
    struct rows rows = {front->samples.values + skipped,
                        window(inner, config->conv_kernel[0], config->conv_stride[0]), 1};
    float *scratch = front->scratch + thread * w2v2_front_floats(config);
    float *bytes = front->bytes + thread * INT8_THREAD_FLOATS;
    rows = convolve(front->w2v2, NULL, 0, front->first, rows, scratch,
                    w2v2_row(config->conv_dim[0]), bytes);
    convolve(front->w2v2, NULL, 1, &front->w2v2->conv[1].product, rows,
             front->out + first * front->out_stride, front->out_stride, bytes);
}

static struct rows extract_front(struct front *front, struct pool *pool)
{
    const struct model_config *config = &front->w2v2->config;
    int64_t threads = pool_threads(pool), most = front_block(config);
    int64_t inner = (front->samples.count - config->conv_kernel[0]) / config->conv_stride[0] + 1;
    front->frames = (inner - config->conv_kernel[1]) / config->conv_stride[1] + 1;
    /* Blocks of one size, as many for each thread. */
    int64_t blocks = ((front->frames + most - 1) / most + threads - 1) / threads * threads;
    front->block = (front->frames + blocks - 1) / blocks;
    pool_run(pool, (front->frames + front->block - 1) / front->block, run_front, front);
    return (struct rows){front->out, front->frames, front->out_stride};
}

static void extract(const struct w2v2 *w2v2, struct pool *pool, struct w2v2_workspace *workspace,
                    const struct w2v2_product *first, struct rows rows, float *out, int64_t stride)
{
    const struct model_config *config = &w2v2->config;
    for (int i = config->conv_layers > 1 ? 1 : 0; i < config->conv_layers; i++) {
        bool last = i == config->conv_layers - 1;
        float *to = last ? out : workspace->conv[i % 2];
        int64_t to_stride = last ? stride : w2v2_row(config->conv_dim[i]);
        if (i == 1) {
            struct front front = {
                w2v2, first, workspace->front, workspace->bytes, rows, to, to_stride, 0, 0};
            rows = extract_front(&front, pool);
        } else {
            rows = convolve(w2v2, pool, i, i ? &w2v2->conv[i].product : first, rows, to, to_stride,
                            workspace->bytes);
        }
    }
}

void w2v2_extract_with(const struct w2v2 *w2v2, struct pool *pool, struct w2v2_workspace *workspace,
                       const struct extractor_statistics *statistics, const float *samples,
                       int64_t count, float *out, int64_t stride)
{
    const struct model_config *config = &w2v2->config;
    struct w2v2_product first = w2v2->conv[0].product;
    if (config->do_normalize) {
        normalize(statistics, samples, count, workspace->samples);
        samples = workspace->samples;
    }
    if (config->feat_extract_norm == EXTRACTOR_NORM_GROUP)
        first = fold_group_norm(w2v2, workspace, statistics->moments);
    extract(w2v2, pool, workspace, &first, (struct rows){samples, count, 1}, out, stride);
}

void w2v2_extract(const struct w2v2 *w2v2, struct pool *pool, struct w2v2_workspace *workspace,
                  const float *samples, int64_t count, float *out, int64_t stride)
{
    const struct model_config *config = &w2v2->config;
    struct extractor_statistics statistics = {.moments = &workspace->moments};
    struct w2v2_product first = w2v2->conv[0].product;
    if (config_frames(config, count) < 1)
        return;
    if (config->do_normalize) {
        measure_level(samples, count, &statistics);
        normalize(&statistics, samples, count, workspace->samples);
        samples = workspace->samples;
    }
    if (config->feat_extract_norm == EXTRACTOR_NORM_GROUP) {
        conv_moments_measure(&workspace->moments, samples,
                             (count - config->conv_kernel[0]) / config->conv_stride[0] + 1);
        first = fold_group_norm(w2v2, workspace, &workspace->moments);
    }
    extract(w2v2, pool, workspace, &first, (struct rows){samples, count, 1}, out, stride);
}

/* SPDX-License-Identifier: MIT */
#include "w2v2/running.h"

#include "base/error.h"
#include "w2v2/parts.h"

#include <math.h>
#include <stdlib.h>

struct w2v2_running {
    const struct w2v2 *w2v2;
    int64_t count; /* samples so far */
    double sum;
    double squares;
    struct conv_sums first;      /* of layer 0's windows */
    struct conv_moments moments; /* from them, of the samples normalised as of now */
    double *memory;              /* of both */
};

struct w2v2_running *w2v2_running_open(const struct w2v2 *w2v2, struct utter_error *error)
{
    int64_t kernel = w2v2->config.conv_kernel[0], stride = w2v2->config.conv_stride[0];
    struct w2v2_running *running = calloc(1, sizeof *running);
    if (!running)
        goto fail;
    int64_t doubles = conv_moments_doubles(kernel);
    running->w2v2 = w2v2;
    running->memory = calloc(2 * (size_t)doubles, sizeof *running->memory);
    if (!running->memory)
        goto fail;
    double *second = running->memory + doubles;
    running->first = (struct conv_sums){.kernel = kernel, .stride = stride};
    running->first.sum = running->memory;
    running->first.product = running->memory + kernel;
    running->moments = (struct conv_moments){kernel, stride, second, second + kernel};
    return running;
fail:
    error_memory(error, "a recogniser's workspace");
    w2v2_running_close(running);
    return NULL;
}

void w2v2_running_close(struct w2v2_running *running)
{
    if (!running)
        return;
    free(running->memory);
    free(running);
}

void w2v2_running_reset(struct w2v2_running *running)
{
    running->count = 0;
    running->sum = running->squares = 0;
    conv_sums_reset(&running->first);
}

static bool has_group_norm(const struct w2v2_running *running)
{
    return running->w2v2->config.feat_extract_norm == EXTRACTOR_NORM_GROUP;
}

void w2v2_running_advance(struct w2v2_running *running, const float *utterance, int64_t count)
{
    struct conv_sums *first = &running->first;
    for (; running->count < count; running->count++) {
        double sample = utterance[running->count];
        running->sum += sample;
        running->squares += sample * sample;
    }
    if (!has_group_norm(running) || count < first->kernel)
        return;
    int64_t frames = (count - first->kernel) / first->stride + 1;
    if (frames > first->frames)
        conv_sums_add(first, utterance + first->frames * first->stride, frames - first->frames);
}

static double variance(const struct w2v2_running *running, double mean)
{
    double value = running->squares / (double)running->count - mean * mean;
    return value > 0 ? value : 0;
}

void w2v2_running_features(const struct w2v2_running *running, struct pool *pool,
                           struct w2v2_workspace *workspace, const float *samples, int64_t count,
                           float *features)
{
    const struct model_config *config = &running->w2v2->config;
    struct conv_moments moments = running->moments;
    struct extractor_statistics statistics = {.scale = 1, .moments = &moments};
    if (config->do_normalize) {
        statistics.mean = running->sum / (double)running->count;
        statistics.scale = 1 / sqrt(variance(running, statistics.mean) + W2V2_VARIANCE_FLOOR);
    }
    if (has_group_norm(running))
        conv_sums_moments(&running->first, statistics.mean, statistics.scale, &moments);
    w2v2_extract_with(running->w2v2, pool, workspace, &statistics, samples, count, features,
                      config->conv_dim[config->conv_layers - 1]);
}

/* SPDX-License-Identifier: MIT */
#include "window.h"

#include <stdio.h>
#include <string.h>

static const char *const work_names[W2V2_WORKS] = {
    [W2V2_WORK_EXTRACTOR] = "extractor",
    [W2V2_WORK_PROJECTION] = "projection",
    [W2V2_WORK_POSITIONAL] = "positional",
    [W2V2_WORK_QKV] = "qkv",
    [W2V2_WORK_ATTENTION] = "attention",
    [W2V2_WORK_OUT] = "out",
    [W2V2_WORK_UP] = "up",
    [W2V2_WORK_DOWN] = "down",
    [W2V2_WORK_NORM] = "norm",
    [W2V2_WORK_HEAD] = "head",
};

static double extractor_flops(const struct model_config *config, int64_t samples)
{
    double flops = 0, frames = (double)samples, channels = 1;
    for (int i = 0; i < config->conv_layers; i++) {
        int64_t before = (int64_t)frames;
        frames = (double)((before - config->conv_kernel[i]) / config->conv_stride[i] + 1);
        flops += 2 * frames * channels * config->conv_kernel[i] * config->conv_dim[i];
        channels = config->conv_dim[i];
    }
    return flops;
}

double window_flops(const struct model_config *config, int64_t samples, enum w2v2_work work)
{
    double frames = (double)config_frames(config, samples), hidden = config->hidden_size;
    double layers = config->num_hidden_layers;
    switch (work) {
    case W2V2_WORK_EXTRACTOR:
        return extractor_flops(config, samples);
    case W2V2_WORK_PROJECTION:
        return 2 * frames * config->conv_dim[config->conv_layers - 1] * hidden;
    case W2V2_WORK_POSITIONAL:
        return 2 * frames * hidden * hidden / config->num_conv_pos_embedding_groups *
               config->num_conv_pos_embeddings;
    case W2V2_WORK_QKV:
        return 2 * frames * hidden * 3 * hidden * layers;
    case W2V2_WORK_ATTENTION:
        return 4 * frames * frames * hidden * layers;
    case W2V2_WORK_OUT:
        return 2 * frames * hidden * hidden * layers;
    case W2V2_WORK_UP:
    case W2V2_WORK_DOWN:
        return 2 * frames * hidden * config->intermediate_size * layers;
    case W2V2_WORK_HEAD:
        return 2 * frames * hidden * config->vocab_size;
    default:
        return 0;
    }
}

static double all_flops(const struct window_result *result)
{
    double flops = 0;
    for (int i = 0; i < W2V2_WORKS; i++)
        flops += window_flops(result->config, result->samples, (enum w2v2_work)i);
    return flops;
}

void window_report(const struct bench_options *options, const struct window_result *result)
{
    struct window_times *times = result->times;
    int count = options->repeat;
    double seconds = bench_median(times->wall, count), flops = all_flops(result);
    double peak = bench_median(times->peak, count), rate = flops / seconds * 1e-9;
    double window = (double)result->samples / result->config->sampling_rate;
    printf("%s, %s, %s kernels, %d thread%s\n",
           options->shape ? options->shape_name : options->model, result->dtype,
           options->kernels->name, options->threads, options->threads == 1 ? "" : "s");
    printf("window    %.2f s of audio, %lld frames, %.2f GFLOP\n", window,
           (long long)result->frames, flops * 1e-9);
    printf("output    checked on %.2f s: differs from plain C by %.2f of what is allowed\n",
           result->checked, result->difference);
    printf("pass      %.4f s, the median of %d (least %.4f); CPU %.4f s; audio is %.1f times as "
           "long\n",
           seconds, count, times->wall[0], bench_median(times->cpu, count), window / seconds);
    printf("rate      %.1f GFLOP/s, %.0f %% of the %.1f that registers alone can do here\n", rate,
           100 * rate / peak, peak);
    for (int i = 0; i < W2V2_WORKS; i++) {
        double part = bench_median(times->work[i], count);
        double work = window_flops(result->config, result->samples, (enum w2v2_work)i) * 1e-9;
        printf("  %-10s  %.4f s  %4.1f %%", work_names[i], part, 100 * part / seconds);
        if (work > 0)
            printf("  %6.1f GFLOP/s  %3.0f %% of that", work / part, 100 * work / part / peak);
        puts("");
    }
    printf("memory    %.0f MB at most, %.0f MB of them weights\n",
           (double)result->peak_bytes * 1e-6, (double)result->weight_bytes * 1e-6);
    printf("opening   %.3f s, first decode of 1 s %.3f s, the next %d at most %.3f s, later ones "
           "%.3f s\n",
           result->open, result->first, WINDOW_NEXT, result->next, result->warm);
    printf("idle      %.2f %% of a core\n", 100 * result->idle);
}

static json_t *list(const double *values, int count)
{
    json_t *array = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(array, json_real(values[i]));
    return array;
}

/* The median in "median" and all, sorted, in "all". */
static json_t *summary(double *values, int count)
{
    double median = bench_median(values, count);
    return json_pack("{s:f, s:o}", "median", median, "all", list(values, count));
}

static json_t *steps(const struct window_result *result, int count)
{
    json_t *object = json_object();
    for (int i = 0; i < W2V2_WORKS; i++) {
        double flops = window_flops(result->config, result->samples, (enum w2v2_work)i);
        json_object_set_new(object, work_names[i],
                            json_pack("{s:f, s:f}", "seconds",
                                      bench_median(result->times->work[i], count), "gflop",
                                      flops * 1e-9));
    }
    return object;
}

int window_report_json(const struct bench_options *options, const struct window_result *result)
{
    struct window_times *times = result->times;
    int count = options->repeat;
    double flops = all_flops(result), peak = bench_median(times->peak, count);
    double rate = flops / bench_median(times->wall, count) * 1e-9;
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:i, s:f, s:I}", "model",
                  options->shape ? options->shape_name : options->model, "dtype", result->dtype,
                  "kernels", options->kernels->name, "threads", options->threads, "window",
                  (double)result->samples / result->config->sampling_rate, "frames",
                  (json_int_t)result->frames);
    json_object_set_new(object, "check",
                        json_pack("{s:f, s:f}", "seconds_of_audio", result->checked,
                                  "share_of_tolerance", result->difference));
    json_object_set_new(object, "seconds", summary(times->wall, count));
    json_object_set_new(object, "cpu_seconds", summary(times->cpu, count));
    json_object_set_new(object, "gflop", json_real(flops * 1e-9));
    json_object_set_new(object, "gflops", json_real(rate));
    json_object_set_new(object, "peak_gflops", json_real(peak));
    json_object_set_new(object, "share_of_peak", json_real(rate / peak));
    json_object_set_new(object, "steps", steps(result, count));
    json_object_set_new(object, "memory",
                        json_pack("{s:I, s:I}", "peak_bytes", (json_int_t)result->peak_bytes,
                                  "weight_bytes", (json_int_t)result->weight_bytes));
    json_object_set_new(object, "opening",
                        json_pack("{s:f, s:f, s:f, s:f}", "seconds", result->open, "first_decode",
                                  result->first, "slowest_next_decode", result->next, "warm_decode",
                                  result->warm));
    json_object_set_new(object, "idle_share", json_real(result->idle));
    return bench_print_json(object);
}

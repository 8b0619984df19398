/* SPDX-License-Identifier: MIT */
#include "reference.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 16 };

/* After the first failure to allocate, nothing more is done. */
struct reference {
    const struct model_config *config;
    const struct weights *weights;
    struct pool *pool;
    bool failed;
};

/* An activation: [rows, columns], owned. */
struct matrix {
    int64_t rows, columns;
    float *values;
};

static float *allocate(struct reference *reference, int64_t floats)
{
    float *values = reference->failed ? NULL : calloc((size_t)floats + 1, sizeof *values);
    reference->failed = !values;
    return values;
}

static struct matrix make(struct reference *reference, int64_t rows, int64_t columns)
{
    return (struct matrix){rows, columns, allocate(reference, rows * columns)};
}

/* All of a tensor in 32 bits, or NULL where there is none. */
static float *widen(struct reference *reference, const struct tensor *tensor)
{
    int64_t count = 1;
    for (int i = 0; i < tensor->rank; i++)
        count *= tensor->shape[i];
    float *values = tensor->data ? allocate(reference, count) : NULL;
    if (values)
        tensor_to_float(tensor, 0, count, values);
    return values;
}

static float dot(const float *x, const float *y, int64_t count)
{
    float lanes[LANES] = {0};
    double sum = 0;
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int j = 0; j < LANES; j++)
            lanes[j] += x[i + j] * y[i + j];
    for (int j = 0; j < LANES; j++)
        sum += lanes[j];
    for (; i < count; i++)
        sum += x[i] * y[i];
    return (float)sum;
}

/* ---- linear layers and convolutions ---------------------------------------------------------- */

/* y[i][o] = bias[o] + Σ x[i][k] w[o][k]; a group's rows of x begin `inputs` after the last one's */
struct product {
    const float *weights; /* [outputs, inputs] */
    const float *bias;    /* [outputs], or NULL */
    int64_t outputs, inputs;
    int64_t group; /* outputs that share their inputs */
    const float *x;
    int64_t x_row; /* floats from one row to the next */
    struct matrix y;
};

static void multiply_column(void *context, int64_t output, int thread)
{
    (void)thread;
    const struct product *product = context;
    const float *x = product->x + output / product->group * product->inputs;
    for (int64_t i = 0; i < product->y.rows; i++)
        product->y.values[i * product->outputs + output] =
            dot(x + i * product->x_row, product->weights + output * product->inputs,
                product->inputs) +
            (product->bias ? product->bias[output] : 0.0f);
}

static void multiply(const struct reference *reference, struct product *product)
{
    if (!reference->failed)
        pool_run(reference->pool, product->outputs, multiply_column, product);
}

static struct matrix linear(struct reference *reference, struct matrix x,
                            const struct tensor_pair *pair)
{
    int64_t outputs = pair->weight.shape[0];
    struct matrix y = make(reference, x.rows, outputs);
    float *weights = widen(reference, &pair->weight), *bias = widen(reference, &pair->bias);
    multiply(reference,
             &(struct product){weights, bias, outputs, x.columns, outputs, x.values, x.columns, y});
    free(weights);
    free(bias);
    return y;
}

/* [outputs, channels, kernel] to [outputs, kernel, channels] */
static void turn_kernel(float *weights, const struct tensor *tensor, float *turned)
{
    int64_t channels = tensor->shape[1], kernel = tensor->shape[2];
    for (int64_t o = 0; o < tensor->shape[0]; o++)
        for (int64_t c = 0; c < channels; c++)
            for (int64_t k = 0; k < kernel; k++)
                turned[(o * kernel + k) * channels + c] = weights[(o * channels + c) * kernel + k];
}

static struct matrix convolve(struct reference *reference, struct matrix x, int layer)
{
    const struct conv_tensors *conv = &reference->weights->conv[layer];
    int64_t kernel = conv->weight.shape[2], stride = reference->config->conv_stride[layer];
    int64_t outputs = conv->weight.shape[0], inputs = kernel * x.columns;
    struct matrix y = make(reference, (x.rows - kernel) / stride + 1, outputs);
    float *weights = widen(reference, &conv->weight), *bias = widen(reference, &conv->bias);
    float *turned = allocate(reference, outputs * inputs);
    if (!reference->failed)
        turn_kernel(weights, &conv->weight, turned);
    multiply(reference, &(struct product){turned, bias, outputs, inputs, outputs, x.values,
                                          stride * x.columns, y});
    free(weights);
    free(bias);
    free(turned);
    return y;
}

/* ---- norms and activations ------------------------------------------------------------------- */

/* `count` values `step` apart become zero mean and unit variance. */
static void standardize(float *values, int64_t count, int64_t step, double epsilon)
{
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < count; i++)
        mean += values[i * step] / (double)count;
    for (int64_t i = 0; i < count; i++)
        variance += (values[i * step] - mean) * (values[i * step] - mean) / (double)count;
    for (int64_t i = 0; i < count; i++)
        values[i * step] = (float)((values[i * step] - mean) / sqrt(variance + epsilon));
}

/* Over each row, or `over_time` over each column. */
static void norm(struct reference *reference, struct matrix x, const struct tensor_pair *pair,
                 bool over_time, double epsilon)
{
    float *gain = widen(reference, &pair->weight), *offset = widen(reference, &pair->bias);
    for (int64_t i = 0; !reference->failed && i < (over_time ? x.columns : x.rows); i++) {
        if (over_time)
            standardize(x.values + i, x.rows, x.columns, epsilon);
        else
            standardize(x.values + i * x.columns, x.columns, 1, epsilon);
    }
    for (int64_t i = 0; !reference->failed && i < x.rows * x.columns; i++)
        x.values[i] = x.values[i] * gain[i % x.columns] + offset[i % x.columns];
    free(gain);
    free(offset);
}

static void gelu(const struct reference *reference, struct matrix x)
{
    for (int64_t i = 0; !reference->failed && i < x.rows * x.columns; i++)
        x.values[i] *= 0.5f * (1.0f + erff(x.values[i] * 0.70710678f));
}

static void add(const struct reference *reference, struct matrix x, struct matrix y)
{
    for (int64_t i = 0; !reference->failed && i < x.rows * x.columns; i++)
        x.values[i] += y.values[i];
}

static struct matrix copy(struct reference *reference, struct matrix x)
{
    struct matrix y = make(reference, x.rows, x.columns);
    if (!reference->failed)
        memcpy(y.values, x.values, (size_t)(x.rows * x.columns) * sizeof *y.values);
    return y;
}

/* ---- the extractor --------------------------------------------------------------------------- */

static struct matrix extract(struct reference *reference, const float *samples, int64_t count)
{
    const struct model_config *config = reference->config;
    struct matrix x = make(reference, count, 1);
    if (!reference->failed)
        memcpy(x.values, samples, (size_t)count * sizeof *samples);
    if (!reference->failed && config->do_normalize)
        standardize(x.values, count, 1, 1e-7);
    for (int i = 0; i < config->conv_layers; i++) {
        bool group = config->feat_extract_norm == EXTRACTOR_NORM_GROUP;
        struct matrix y = convolve(reference, x, i);
        free(x.values);
        x = y;
        if (!group || i == 0)
            norm(reference, x, &reference->weights->conv[i].norm, group, 1e-5);
        gelu(reference, x);
    }
    return x;
}

/* Weight norm over the taps: gain × direction / its length. */
static void weigh_taps(float *weights, const struct tensor *direction, const float *gain)
{
    int64_t kernel = direction->shape[2], count = direction->shape[0] * direction->shape[1];
    for (int64_t tap = 0; tap < kernel; tap++) {
        double squares = 0;
        for (int64_t i = 0; i < count; i++)
            squares += (double)weights[i * kernel + tap] * weights[i * kernel + tap];
        for (int64_t i = 0; i < count; i++)
            weights[i * kernel + tap] *= (float)(gain[tap] / sqrt(squares));
    }
}

/* x += GELU(positional convolution of x), each group by itself on a padded copy of its channels. */
static void add_positions(struct reference *reference, struct matrix x)
{
    const struct weights *tensors = reference->weights;
    const struct tensor *direction = &tensors->position_direction;
    int64_t kernel = direction->shape[2], channels = direction->shape[1], before = kernel / 2;
    int64_t groups = x.columns / channels, inputs = kernel * channels, length = x.rows + kernel;
    float *weights = widen(reference, direction), *bias = widen(reference, &tensors->position_bias);
    float *gain = widen(reference, &tensors->position_gain);
    float *turned = allocate(reference, x.columns * inputs);
    float *padded = allocate(reference, length * channels);
    struct matrix part = make(reference, x.rows, channels);
    if (!reference->failed && gain)
        weigh_taps(weights, direction, gain);
    if (!reference->failed)
        turn_kernel(weights, direction, turned);
    for (int64_t g = 0; !reference->failed && g < groups; g++) {
        for (int64_t i = 0; i < x.rows * channels; i++)
            padded[before * channels + i] =
                x.values[i / channels * x.columns + g * channels + i % channels];
        multiply(reference, &(struct product){turned + g * channels * inputs, bias + g * channels,
                                              channels, inputs, channels, padded, channels, part});
        gelu(reference, part);
        for (int64_t i = 0; i < x.rows * channels; i++)
            x.values[i / channels * x.columns + g * channels + i % channels] += part.values[i];
    }
    free(weights), free(bias), free(gain), free(turned), free(padded), free(part.values);
}

/* ---- the encoder ----------------------------------------------------------------------------- */

static void softmax(float *row, int64_t count, bool logarithm)
{
    double greatest = row[0], sum = 0;
    for (int64_t i = 1; i < count; i++)
        greatest = fmax(greatest, row[i]);
    for (int64_t i = 0; i < count; i++)
        sum += exp(row[i] - greatest);
    for (int64_t i = 0; i < count; i++)
        row[i] = (float)(logarithm ? row[i] - greatest - log(sum) : exp(row[i] - greatest) / sum);
}

static struct matrix attend(struct reference *reference, struct matrix x,
                            const struct layer_tensors *layer)
{
    int64_t heads = reference->config->num_attention_heads, size = x.columns / heads;
    struct matrix query = linear(reference, x, &layer->query);
    struct matrix key = linear(reference, x, &layer->key);
    struct matrix value = linear(reference, x, &layer->value);
    struct matrix context = make(reference, x.rows, x.columns);
    float *scores = allocate(reference, x.rows), scale = 1.0f / sqrtf((float)size);
    for (int64_t i = 0; !reference->failed && i < x.rows * heads; i++) {
        int64_t from = i / heads * x.columns + i % heads * size;
        for (int64_t j = 0; j < x.rows; j++)
            scores[j] = scale * dot(query.values + from,
                                    key.values + j * x.columns + i % heads * size, size);
        softmax(scores, x.rows, false);
        for (int64_t j = 0; j < x.rows; j++)
            for (int64_t k = 0; k < size; k++)
                context.values[from + k] +=
                    scores[j] * value.values[j * x.columns + i % heads * size + k];
    }
    struct matrix out = linear(reference, context, &layer->out);
    free(query.values), free(key.values), free(value.values), free(context.values), free(scores);
    return out;
}

static struct matrix feed_forward(struct reference *reference, struct matrix x,
                                  const struct layer_tensors *layer)
{
    struct matrix inner = linear(reference, x, &layer->up);
    gelu(reference, inner);
    struct matrix out = linear(reference, inner, &layer->down);
    free(inner.values);
    return out;
}

/* x += f(x), with the norm before f in the "stable" kind, or after the sum. */
static void run_half(struct reference *reference, struct matrix x,
                     const struct layer_tensors *layer, const struct tensor_pair *norms,
                     struct matrix f(struct reference *, struct matrix,
                                     const struct layer_tensors *))
{
    bool stable = reference->config->do_stable_layer_norm;
    double epsilon = reference->config->layer_norm_eps;
    struct matrix in = copy(reference, x);
    if (stable)
        norm(reference, in, norms, false, epsilon);
    struct matrix out = f(reference, in, layer);
    add(reference, x, out);
    if (!stable)
        norm(reference, x, norms, false, epsilon);
    free(in.values);
    free(out.values);
}

static struct matrix encode(struct reference *reference, struct matrix features)
{
    const struct model_config *config = reference->config;
    const struct weights *weights = reference->weights;
    if (weights->projection_norm.weight.data)
        norm(reference, features, &weights->projection_norm, false, config->layer_norm_eps);
    struct matrix x = linear(reference, features, &weights->projection);
    add_positions(reference, x);
    if (!config->do_stable_layer_norm)
        norm(reference, x, &weights->encoder_norm, false, config->layer_norm_eps);
    for (int i = 0; i < config->num_hidden_layers; i++) {
        const struct layer_tensors *layer = &weights->layers[i];
        run_half(reference, x, layer, &layer->attention_norm, attend);
        run_half(reference, x, layer, &layer->final_norm, feed_forward);
    }
    if (config->do_stable_layer_norm)
        norm(reference, x, &weights->encoder_norm, false, config->layer_norm_eps);
    struct matrix logits = linear(reference, x, &weights->head);
    free(x.values);
    return logits;
}

enum utter_code reference_log_probs(const struct checkpoint *checkpoint, struct pool *pool,
                                    const float *samples, int64_t count, float *log_probs,
                                    struct utter_error *error)
{
    struct reference reference = {&checkpoint->config, &checkpoint->weights, pool, false};
    if (checkpoint->config.hidden_act != ACTIVATION_GELU ||
        checkpoint->config.feat_extract_activation != ACTIVATION_GELU)
        return error_set(error, UTTER_ERROR_UNSUPPORTED,
                         "the reference that outputs are checked against knows GELU by erf alone");
    struct matrix features = extract(&reference, samples, count);
    struct matrix logits = encode(&reference, features);
    for (int64_t i = 0; !reference.failed && i < logits.rows; i++)
        softmax(logits.values + i * logits.columns, logits.columns, true);
    if (!reference.failed)
        memcpy(log_probs, logits.values,
               (size_t)(logits.rows * logits.columns) * sizeof *log_probs);
    free(features.values);
    free(logits.values);
    return reference.failed ? error_memory(error, "the reference's activations") : UTTER_OK;
}

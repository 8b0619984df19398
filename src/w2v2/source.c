/* SPDX-License-Identifier: MIT */
#include "w2v2/source.h"

#include <string.h>

enum { PIECE = 1024 /* floats that are widened at a time, on the stack */ };

/* One output's weights, [channels, taps], become [taps, channels]. */
static void read_output(const struct tensor *tensor, int64_t output, float *weights)
{
    int64_t channels = tensor->shape[1], taps = tensor->rank > 2 ? tensor->shape[2] : 1;
    int64_t count = channels * taps;
    if (taps == 1) {
        tensor_to_float(tensor, output * count, count, weights);
        return;
    }
    float piece[PIECE];
    int64_t tap = 0, channel = 0;
    for (int64_t from = 0; from < count; from += PIECE) {
        int64_t length = count - from < PIECE ? count - from : PIECE;
        tensor_to_float(tensor, output * count + from, length, piece);
        for (int64_t i = 0; i < length; i++) {
            weights[tap * channels + channel] = piece[i];
            if (++tap == taps) {
                tap = 0;
                channel++;
            }
        }
    }
}

/* The tensor that an output lies in; *output then counts within it. */
static const struct tensor *find_output(const struct w2v2_source *source, int64_t *output)
{
    int64_t rows = source->tensors[0]->shape[0];
    const struct tensor *tensor = source->tensors[*output / rows];
    *output %= rows;
    return tensor;
}

static float factor_of(const struct w2v2_source *source, const struct tensor *tensor)
{
    return tensor == source->tensors[0] ? source->factor : 1;
}

static void scale_taps(const struct w2v2_source *source, float *weights)
{
    int64_t channels = source->tensors[0]->shape[1], taps = source->tensors[0]->shape[2];
    for (int64_t i = 0; i < taps; i++)
        for (int64_t j = 0; j < channels; j++)
            weights[i * channels + j] *= source->taps[i];
}

static int64_t inputs_of(const struct tensor *tensor)
{
    return tensor->shape[1] * (tensor->rank > 2 ? tensor->shape[2] : 1);
}

/* An output's weights, but for the tensor's factor; in `room` where they had to be made. */
static const float *read_floats(const struct w2v2_source *source, const struct tensor *tensor,
                                int64_t output, float *room)
{
    if (tensor->dtype == DTYPE_F32 && tensor->rank == 2)
        return (const float *)tensor->data + output * inputs_of(tensor);
    read_output(tensor, output, room);
    if (source->taps)
        scale_taps(source, room);
    return room;
}

const float *w2v2_source_floats(const void *context, int64_t output, float *room)
{
    const struct w2v2_source *source = context;
    const struct tensor *tensor = find_output(source, &output);
    const float factor = factor_of(source, tensor);
    const float *weights = read_floats(source, tensor, output, room);
    if (factor == 1)
        return weights;
    for (int64_t i = 0; i < inputs_of(tensor); i++)
        room[i] = weights[i] * factor;
    return room;
}

/* The same of a tensor of bytes, as they are. */
static void read_bytes(const struct tensor *tensor, int64_t output, int8_t *bytes)
{
    int64_t channels = tensor->shape[1], taps = tensor->rank > 2 ? tensor->shape[2] : 1;
    const int8_t *from = (const int8_t *)tensor->data + output * channels * taps;
    if (taps == 1) {
        memcpy(bytes, from, (size_t)channels);
        return;
    }
    for (int64_t i = 0; i < taps; i++)
        for (int64_t j = 0; j < channels; j++)
            bytes[i * channels + j] = from[j * taps + i];
}

float w2v2_source_bytes(const void *context, int64_t output, int8_t *bytes, float *floats)
{
    const struct w2v2_rounding *rounding = context;
    const struct w2v2_source *source = rounding->source;
    const struct tensor *tensor = find_output(source, &output);
    const float factor = factor_of(source, tensor);
    if (tensor->dtype == DTYPE_I8 && !source->taps) {
        read_bytes(tensor, output, bytes);
        return tensor->steps[output] * factor;
    }
    const float *weights = read_floats(source, tensor, output, floats);
    return rounding->kernels->int8_round(weights, inputs_of(tensor), bytes) * factor;
}

/* SPDX-License-Identifier: MIT */
#include "stream/input.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>

enum utter_code input_open(struct input *input, int rate, int channels, int model_rate,
                           struct utter_error *error)
{
    *input =
        (struct input){.clock = {.rate = rate, .model_rate = model_rate}, .channels = channels};
    input->piece = rate / 100;
    input->mono = malloc((size_t)input->piece * sizeof *input->mono);
    if (!input->mono)
        return error_memory(error, "the input");
    input->resampler = resampler_open(rate, model_rate, error);
    return input->resampler ? UTTER_OK : UTTER_ERROR_MEMORY;
}

void input_close(struct input *input)
{
    resampler_close(input->resampler);
    free(input->mono);
    *input = (struct input){0};
}

void input_reset(struct input *input)
{
    resampler_reset(input->resampler);
    input->clock.origin = 0;
    input->clock.next = 0;
}

int64_t input_bound(const struct input *input)
{
    return resampler_bound(input->resampler, input->piece);
}

/* Broken drivers deliver NaN and worse, and one would spoil all that follows. ±100 is +40 dBFS. */
static const float LOUDEST = 100.0f;

static float sane(float sample)
{
    if (!isfinite(sample))
        return 0.0f;
    return fmaxf(-LOUDEST, fminf(LOUDEST, sample));
}

bool input_is_sane(const float *samples, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!(fabsf(samples[i]) <= LOUDEST))
            return false;
    return true;
}

int64_t input_push(struct input *input, const float *samples, int64_t count, float *out)
{
    int channels = input->channels;
    for (int64_t i = 0; i < count; i++) {
        float sum = 0.0f;
        for (int c = 0; c < channels; c++)
            sum += sane(samples[i * channels + c]);
        input->mono[i] = channels > 1 ? sum / (float)channels : sum;
    }
    input->clock.next += count;
    return resampler_push(input->resampler, input->mono, count, out);
}

int64_t input_finish(struct input *input, float *out)
{
    return resampler_finish(input->resampler, out);
}

void input_restart(struct input *input, int64_t position)
{
    input->clock.origin = position;
    input->clock.next = position;
}

int64_t input_position(const struct input_clock *clock, int64_t sample)
{
    int64_t position = clock->origin + resample_position(sample, clock->model_rate, clock->rate);
    return position < clock->next ? position : clock->next;
}

/* SPDX-License-Identifier: MIT */
#include "stream/meter.h"

#include <math.h>

static const float SILENT_DBFS = -120.0f;

void meter_init(struct meter *meter, int64_t rate)
{
    *meter = (struct meter){.span = rate / 10 > 0 ? rate / 10 : 1};
}

void meter_push(struct meter *meter, const float *samples, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        float sample = isfinite(samples[i]) ? fabsf(samples[i]) : 0.0f;
        meter->sum += sample * sample;
        meter->peak = fmaxf(meter->peak, sample);
        if (++meter->count < meter->span)
            continue;
        atomic_store_explicit(&meter->mean_square, meter->sum / (float)meter->span,
                              memory_order_relaxed);
        atomic_store_explicit(&meter->last_peak, meter->peak, memory_order_relaxed);
        meter->count = 0;
        meter->sum = meter->peak = 0.0f;
    }
}

static float to_dbfs(float power)
{
    float level = 10.0f * log10f(power);
    return level > SILENT_DBFS ? level : SILENT_DBFS;
}

float meter_level_dbfs(const struct meter *meter)
{
    return to_dbfs(atomic_load_explicit(&meter->mean_square, memory_order_relaxed));
}

float meter_peak_dbfs(const struct meter *meter)
{
    float peak = atomic_load_explicit(&meter->last_peak, memory_order_relaxed);
    return to_dbfs(peak * peak);
}

/* SPDX-License-Identifier: MIT */
#include "app/stream_settings.h"

void stream_settings_take(const struct option_values *values, struct utter_stream_options *stream)
{
    /* In the order of the table's choices. */
    static const enum utter_latency latencies[] = {
        0, /* the model's */
        UTTER_LATENCY_LOW,
        UTTER_LATENCY_NORMAL,
        UTTER_LATENCY_HIGH,
    };
    static const enum utter_encoder encoders[] = {0, UTTER_ENCODER_WINDOW, UTTER_ENCODER_CACHED};
    stream->latency = latencies[option_values_number(values, OPTION_LATENCY)];
    stream->encoder = encoders[option_values_number(values, OPTION_ENCODER)];
    stream->endpoint_silence_ms = option_values_number(values, OPTION_SILENCE);
    stream->endpoint_wordless_ms = option_values_number(values, OPTION_WORDLESS);
    stream->utterance_limit_ms = option_values_number(values, OPTION_LIMIT);
    stream->gate_off = !option_values_number(values, OPTION_GATE);
}

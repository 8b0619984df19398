/* SPDX-License-Identifier: MIT */
#include "stream/endpoint.h"

/* 30 dB: nobody falls so far below his own voice for long. */
static const float FAINT_RATIO = 1e-3f;
/* 0.1 dB a block, so that after a slammed door speech is soon the loudest again. */
static const float FORGETTING = 0.98f;

void endpoint_begin(struct endpoint *endpoint)
{
    endpoint->silent = endpoint->faint = 0;
    endpoint->loudest = 0.0f;
}

static void follow_level(struct endpoint *endpoint, float power)
{
    endpoint->loudest *= FORGETTING;
    if (power > endpoint->loudest)
        endpoint->loudest = power;
    endpoint->faint = power < endpoint->loudest * FAINT_RATIO ? endpoint->faint + 1 : 0;
}

/* All of the silence up to two thirds of the limit, from there falling to a quarter of it. */
static int64_t silence_enough(const struct endpoint *endpoint, int64_t length)
{
    int64_t soft = endpoint->limit * 2 / 3;
    int64_t least = endpoint->silence / 4 > 0 ? endpoint->silence / 4 : 1;
    if (length <= soft)
        return endpoint->silence;
    return endpoint->silence -
           (endpoint->silence - least) * (length - soft) / (endpoint->limit - soft);
}

enum endpoint_verdict endpoint_push(struct endpoint *endpoint, bool speech, float power,
                                    int64_t length, int64_t words)
{
    follow_level(endpoint, power);
    endpoint->silent = speech ? 0 : endpoint->silent + 1;
    if (length >= endpoint->limit)
        return ENDPOINT_LIMIT;
    int64_t enough = silence_enough(endpoint, length);
    if (endpoint->silent >= enough)
        return ENDPOINT_SILENCE;
    if (!speech)
        return ENDPOINT_NONE;
    if (!endpoint->pause_off && words > 0 && endpoint->faint >= enough && length - words >= enough)
        return ENDPOINT_PAUSE;
    if (length - words >= endpoint->wordless)
        return ENDPOINT_WORDLESS;
    return ENDPOINT_NONE;
}

/* SPDX-License-Identifier: MIT */
#include "stream/endpoint.h"

void endpoint_begin(struct endpoint *endpoint)
{
    endpoint->silent = 0;
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

enum endpoint_verdict endpoint_push(struct endpoint *endpoint, bool speech, int64_t length,
                                    int64_t words)
{
    endpoint->silent = speech ? 0 : endpoint->silent + 1;
    if (length >= endpoint->limit)
        return ENDPOINT_LIMIT;
    if (endpoint->silent >= silence_enough(endpoint, length))
        return ENDPOINT_SILENCE;
    if (speech && length - words >= endpoint->wordless)
        return ENDPOINT_WORDLESS;
    return ENDPOINT_NONE;
}

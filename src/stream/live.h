/* SPDX-License-Identifier: MIT */
/**
 * utter_live over a stream that is open already: what utter_live_open() does after its checks.
 */
#ifndef STREAM_LIVE_H
#define STREAM_LIVE_H

#include "stream/stream.h"

/** Takes over `stream` and its `finals`, also on failure. */
struct utter_live *live_open(struct utter_stream *stream, struct finals *finals, int ring_ms,
                             struct utter_error *error);

#endif

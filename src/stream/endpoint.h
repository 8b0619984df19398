/* SPDX-License-Identifier: MIT */
/**
 * Endpointing: when does an utterance end? After enough silence, and the longer it lasts the less
 * silence is enough; after a pause of that length in which only a restless room was heard, so that
 * the gate stayed open; after enough sound in which no word was heard; at its limit in any case.
 * Lengths in blocks. Pure; any thread.
 */
#ifndef STREAM_ENDPOINT_H
#define STREAM_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

enum endpoint_verdict {
    ENDPOINT_NONE,
    ENDPOINT_SILENCE,  /* ends in the middle of the silent blocks */
    ENDPOINT_PAUSE,    /* ends in the middle of the faint blocks */
    ENDPOINT_WORDLESS, /* ends at the quietest place after its last word */
    ENDPOINT_LIMIT,    /* ends at the quietest place so far that may still be chosen */
};

struct endpoint {
    int64_t silence; /* settings */
    int64_t wordless;
    int64_t limit;
    bool pause_off; /* faint sound ends nothing */
    int64_t silent; /* blocks without speech, up to now */
    int64_t faint;  /* blocks far below the utterance's speech, up to now */
    float loudest;  /* power of a block, forgotten slowly */
};

void endpoint_begin(struct endpoint *endpoint);
/** After each block, its mean square `power`; `length` is the utterance's, with it, and `words` so
 * much of it until the end of its last word so far. */
enum endpoint_verdict endpoint_push(struct endpoint *endpoint, bool speech, float power,
                                    int64_t length, int64_t words);

#endif

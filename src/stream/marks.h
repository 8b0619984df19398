/* SPDX-License-Identifier: MIT */
/**
 * What a ring of audio cannot say: at which item the position jumps, and where an utterance is to
 * be flushed. A second ring beside it, between the same two threads (SPSC), wait-free as well. The
 * writer puts a mark before the items that come after it, so a reader that sees the items sees the
 * mark.
 */
#ifndef STREAM_MARKS_H
#define STREAM_MARKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { MARKS_MAX = 1024 };

enum mark_kind { MARK_JUMP, MARK_FLUSH };

struct mark {
    enum mark_kind kind;
    int64_t item;     /* number of the item that it stands before */
    int64_t position; /* JUMP: of that item */
};

struct marks {
    _Atomic int64_t written;
    _Atomic int64_t consumed;
    struct mark ring[MARKS_MAX];
};

/** Writer: false when the ring is full. */
bool marks_write(struct marks *marks, const struct mark *mark);
/** Reader: the oldest mark, or false. */
bool marks_peek(struct marks *marks, struct mark *mark);
/** Reader: done with the oldest mark. */
void marks_consume(struct marks *marks);

#endif

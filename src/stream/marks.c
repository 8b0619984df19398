/* SPDX-License-Identifier: MIT */
#include "stream/marks.h"

bool marks_write(struct marks *marks, const struct mark *mark)
{
    int64_t written = atomic_load_explicit(&marks->written, memory_order_relaxed);
    if (written - atomic_load_explicit(&marks->consumed, memory_order_acquire) == MARKS_MAX)
        return false;
    marks->ring[written % MARKS_MAX] = *mark;
    atomic_store_explicit(&marks->written, written + 1, memory_order_release);
    return true;
}

bool marks_peek(struct marks *marks, struct mark *mark)
{
    int64_t consumed = atomic_load_explicit(&marks->consumed, memory_order_relaxed);
    if (atomic_load_explicit(&marks->written, memory_order_acquire) == consumed)
        return false;
    *mark = marks->ring[consumed % MARKS_MAX];
    return true;
}

void marks_consume(struct marks *marks)
{
    int64_t consumed = atomic_load_explicit(&marks->consumed, memory_order_relaxed);
    atomic_store_explicit(&marks->consumed, consumed + 1, memory_order_release);
}

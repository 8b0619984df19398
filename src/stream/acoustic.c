/* SPDX-License-Identifier: MIT */
#include "stream/acoustic.h"

int64_t acoustic_frames(const struct acoustic *acoustic, int64_t samples)
{
    if (samples < acoustic->receptive_field)
        return 0;
    return (samples - acoustic->receptive_field) / acoustic->frame_samples + 1;
}

int64_t acoustic_samples(const struct acoustic *acoustic, int64_t frames)
{
    return frames > 0 ? (frames - 1) * acoustic->frame_samples + acoustic->receptive_field : 0;
}

void acoustic_close(struct acoustic *acoustic)
{
    if (acoustic->close)
        acoustic->close(acoustic->self);
    *acoustic = (struct acoustic){0};
}

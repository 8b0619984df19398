/* SPDX-License-Identifier: MIT */
#include "stream/emissions.h"

#include "base/error.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum utter_code emissions_open(struct emissions *emissions, int64_t frames_max, int columns,
                               struct utter_error *error)
{
    *emissions = (struct emissions){.columns = columns, .capacity = frames_max};
    emissions->rows = calloc((size_t)frames_max, (size_t)columns * sizeof *emissions->rows);
    return emissions->rows ? UTTER_OK : error_memory(error, "the emissions");
}

void emissions_close(struct emissions *emissions)
{
    free(emissions->rows);
    *emissions = (struct emissions){0};
}

void emissions_reset(struct emissions *emissions, int64_t first)
{
    emissions->first = first;
    emissions->count = 0;
}

void emissions_settle(struct emissions *emissions, int64_t frame, const float *row)
{
    assert(frame == emissions_end(emissions) && emissions->count < emissions->capacity);
    memcpy(emissions->rows + emissions->count * emissions->columns, row,
           (size_t)emissions->columns * sizeof *row);
    emissions->count++;
}

const float *emissions_row(const struct emissions *emissions, int64_t frame)
{
    assert(frame >= emissions->first && frame < emissions_end(emissions));
    return emissions->rows + (frame - emissions->first) * emissions->columns;
}

int64_t emissions_end(const struct emissions *emissions)
{
    return emissions->first + emissions->count;
}

void emissions_cut(struct emissions *emissions, int64_t end)
{
    if (end < emissions_end(emissions))
        emissions->count = end > emissions->first ? end - emissions->first : 0;
}

/* SPDX-License-Identifier: MIT */
#include "app/status_line.h"
#include "app/text.h"

#include <stdio.h>
#include <string.h>

static const float QUIETEST_DB = -60.0f;

const char *status_line_state(const struct status_line *status)
{
    if (status->ended)
        return "the end";
    if (status->finishing)
        return "finishing";
    switch (status->state) {
    case SOURCE_WAITING:
        return "waiting for sound";
    case SOURCE_PAUSED:
        return "paused";
    case SOURCE_LOST:
        return "microphone lost";
    case SOURCE_ENDED:
        return "finishing";
    default:
        break;
    }
    if (status->live.behind)
        return "behind";
    return status->live.speech ? "speech" : "listening";
}

void status_line_meter(float level_dbfs, char *bar, size_t size)
{
    static const char *const eighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
    int full = STATUS_METER_CELLS * 8;
    int level = (int)((level_dbfs - QUIETEST_DB) / -QUIETEST_DB * (float)full + 0.5f);
    bar[0] = '\0';
    for (int cell = 0; cell < STATUS_METER_CELLS; cell++) {
        int part = level - 8 * cell;
        const char *block = eighths[part < 0 ? 0 : part > 8 ? 8 : part];
        size_t length = strlen(bar);
        if (length + strlen(block) < size)
            strcpy(bar + length, block);
    }
}

int status_line_pieces(const struct status_line *status, char pieces[STATUS_PIECES][96])
{
    const struct utter_live_status *live = &status->live;
    int count = 0;
    double rate = status->sample_rate > 0 ? status->sample_rate : 1;
    snprintf(pieces[count++], sizeof pieces[0], "%3.0f dB", (double)live->level_dbfs);
    if (live->lost > 0)
        snprintf(pieces[count++], sizeof pieces[0], "lost %.1f s", (double)live->lost / rate);
    snprintf(pieces[count++], sizeof pieces[0], "latency %.1f s", (double)live->latency_ms / 1000);
    snprintf(pieces[count++], sizeof pieces[0], "load %.2f", (double)live->load);
    text_copy(pieces[count++], 41, status->source);
    text_copy(pieces[count++], 41, status->model);
    return count;
}

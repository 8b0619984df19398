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
    if (status->muted)
        return "muted";
    if (status->live.behind)
        return "behind";
    return status->live.speech ? "speech" : "listening";
}

/* Eighths of a cell from the left edge. */
static int eighths_of(float dbfs)
{
    int full = STATUS_METER_CELLS * 8;
    int level = (int)((dbfs - QUIETEST_DB) / -QUIETEST_DB * (float)full + 0.5f);
    return level < 0 ? 0 : level > full ? full : level;
}

void status_line_meter(float level_dbfs, float peak_dbfs, char *bar, size_t size)
{
    static const char *const eighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
    int level = eighths_of(level_dbfs), peak = eighths_of(peak_dbfs);
    int peak_cell = peak > 0 ? (peak - 1) / 8 : -1;
    char *out = bar;
    for (int cell = 0; cell < STATUS_METER_CELLS && out + 4 <= bar + size; cell++) {
        int part = level - 8 * cell;
        if (part <= 0 && cell == peak_cell)
            out = stpcpy(out, "│");
        else
            out = stpcpy(out, eighths[part < 0 ? 0 : part > 8 ? 8 : part]);
    }
}

int status_line_pieces(const struct status_line *status, char pieces[STATUS_PIECES][96])
{
    const struct utter_live_status *live = &status->live;
    int count = 0;
    double rate = status->sample_rate > 0 ? status->sample_rate : 1;
    long seconds = (long)status->elapsed;
    if (status->recording)
        snprintf(pieces[count++], sizeof pieces[0], "REC");
    snprintf(pieces[count++], sizeof pieces[0], "%ld:%02ld:%02ld", seconds / 3600,
             seconds / 60 % 60, seconds % 60);
    if (live->lost > 0)
        snprintf(pieces[count++], sizeof pieces[0], "lost %.1f s", (double)live->lost / rate);
    text_copy(pieces[count++], 41, status->source);
    snprintf(pieces[count++], sizeof pieces[0], "latency %.1f s", (double)live->latency_ms / 1000);
    snprintf(pieces[count++], sizeof pieces[0], "load %.2f", (double)live->load);
    snprintf(pieces[count++], sizeof pieces[0], "%4.0f dB", (double)live->level_dbfs);
    text_copy(pieces[count++], 41, status->model);
    return count;
}

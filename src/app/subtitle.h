/* SPDX-License-Identifier: MIT */
/**
 * Cuts timed words into subtitles that can be read: at most two lines of 42 columns, on the screen
 * for 1 to 7 seconds, never two at once, broken where the speaker pauses. Any thread.
 */
#ifndef APP_SUBTITLE_H
#define APP_SUBTITLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SUBTITLE_COLUMNS = 42,
    SUBTITLE_SHORTEST_MS = 1000,
    SUBTITLE_LONGEST_MS = 7000,
};

struct subtitle_word {
    const char *text; /**< clean (text.h) */
    int64_t start_ms;
    int64_t end_ms;
};

struct subtitle_cue {
    int64_t start_ms;
    int64_t end_ms;
    char *text; /**< one line, or two with '\n' between them */
};

struct subtitle_cues {
    struct subtitle_cue *cues;
    size_t count;
};

/**
 * Cues for `words`, which are in time's order. No cue begins before `earliest_ms`, the end of the
 * last cue before: one that should is shown late. False when out of memory.
 */
bool subtitle_cut(const struct subtitle_word *words, size_t count, int64_t earliest_ms,
                  struct subtitle_cues *cues);
void subtitle_free(struct subtitle_cues *cues);

#endif

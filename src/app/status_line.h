/* SPDX-License-Identifier: MIT */
/**
 * The words and the meter of the screen's status line. Knows no terminal. Any thread.
 */
#ifndef APP_STATUS_LINE_H
#define APP_STATUS_LINE_H

#include "app/source.h"

/** What the lines below the captions are about. All strings are clean. */
struct status_line {
    const char *source;  /**< the microphone's or file's name */
    const char *model;   /**< its name */
    const char *trouble; /**< one line that the user should read, or NULL */
    const char *notice;  /**< the same, for a moment */
    const char *kept;    /**< what is kept of other people's words: "history on", or NULL */
    bool recording;      /**< the audio is kept, too */
    enum source_state state;
    bool muted;
    bool finishing;      /**< the last words are being decoded */
    bool ended;          /**< no more captions will come */
    bool clipping;       /**< it was too loud just now */
    float peak_dbfs;     /**< the largest sample of the last seconds */
    int word_error_rate; /**< of 100 words; 0: low, or not known */
    int sample_rate;     /**< of the positions in `live`, Hz */
    double elapsed;      /**< seconds since sound came first */
    struct utter_live_status live;
};

enum {
    STATUS_METER_CELLS = 10,
    STATUS_METER_SIZE = STATUS_METER_CELLS * 4 + 1,
    STATUS_PIECES = 8,
};

/** What is going on, in a word or three. */
const char *status_line_state(const struct status_line *status);

/**
 * A bar from -60 dB to 0 dB in eighths of a cell, and beyond it a line where the peak is, padded to
 * STATUS_METER_CELLS columns. `size`: STATUS_METER_SIZE.
 */
void status_line_meter(float level_dbfs, float peak_dbfs, char *bar, size_t size);

/**
 * The figures, the most important first, as pieces of their own, so that a narrow screen can leave
 * the last ones out. Returns how many there are.
 */
int status_line_pieces(const struct status_line *status, char pieces[STATUS_PIECES][96]);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * The caption model: turns a live stream's events into captions, one for each utterance or notice,
 * in the order in which they are shown. Knows no terminal; captions are wrapped by width on demand.
 *
 * All text is clean (text.h) and in the wanted case. One thread at a time.
 */
#ifndef APP_CAPTIONS_H
#define APP_CAPTIONS_H

#include "app/case.h"
#include "app/text.h"
#include "utter.h"

/** A word of a caption: bytes start..end of its text. */
struct caption_word {
    size_t start;
    size_t end;
    float confidence; /**< 0..1 */
};

struct caption {
    uint64_t utterance; /**< 0: a notice, such as a gap */
    int64_t start;      /**< position in the stream */
    int speaker;        /**< 1..; 0 when there is but one */
    bool settled;       /**< its text will not change any more */
    bool marked;        /**< by the user */
    char *text;         /**< the firm text, then the draft; never NULL */
    size_t firm;        /**< bytes of `text` that are firm: committed or final */
    size_t likely;      /**< bytes that are firm, or a draft in which two decodes agree */

    struct caption_word *words; /**< firm and likely ones, in order */
    size_t word_count;

    /* The rest is for captions.c. */
    bool sentence_start; /* whether a sentence begins after the firm text */
    int columns;         /* that `lines` were made for; 0: none are */
    struct text_line *lines;
    size_t line_count;
};

struct captions;

/**
 * Positions in events count `sample_rate` to the second. `speakers` has the names of speaker 1 and
 * 2, for what one of them lost, and must outlive the captions. NULL when out of memory.
 */
struct captions *captions_new(int sample_rate, enum letter_case letter_case,
                              const char *const *speakers);
void captions_free(struct captions *captions);

/**
 * Takes an event in: what `speaker` said (0: there is but one). Returns false when out of memory:
 * the captions are then as they were. STATE events change nothing.
 */
bool captions_event(struct captions *captions, const struct utter_event *event, int speaker);

/** A line that is not speech, at the end. False when out of memory. */
bool captions_notice(struct captions *captions, const char *text);

void captions_mark(struct captions *captions, size_t index, bool marked);

/** The user paused: the gap that comes of it, one for each speaker, is shown as one pause. */
void captions_pause(struct captions *captions);

/** Seconds of the session at which a caption begins. */
double captions_seconds(const struct captions *captions, const struct caption *caption);

/** Samples of all gaps that were no pauses. */
int64_t captions_lost(const struct captions *captions);

size_t captions_count(const struct captions *captions);
const struct caption *captions_at(const struct captions *captions, size_t index);

/** Counts changes of what is shown: equal numbers mean equal captions. */
uint64_t captions_revision(const struct captions *captions);

/** The lines of a caption, at most `columns` wide. Valid until the caption changes. */
const struct text_line *captions_lines(struct captions *captions, size_t index, int columns,
                                       size_t *count);

#endif

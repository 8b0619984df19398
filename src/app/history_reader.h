/* SPDX-License-Identifier: MIT */
/**
 * Reads a session of the history back: what was said, as its FINALs have it, and where no FINAL
 * came any more because the program was killed, as its COMMITs do. A line that is broken, as the
 * last one of a full disk may be, is passed over and counted. The file is not trusted. Any thread.
 */
#ifndef APP_HISTORY_READER_H
#define APP_HISTORY_READER_H

#include "utter.h"

#include <stdio.h>

/** Positions in a session that was read are microseconds. */
enum { HISTORY_RATE = 1000000 };

enum history_kind {
    HISTORY_SPEECH,    /**< an utterance */
    HISTORY_GAP,       /**< audio that was lost */
    HISTORY_PAUSE,     /**< audio that nobody wanted to be heard */
    HISTORY_RECORDING, /**< from here on there is one of a speaker */
};

struct history_item {
    enum history_kind kind;
    uint64_t utterance;
    int speaker; /**< 0: there is but one */
    int64_t start;
    int64_t end;
    int64_t lost; /**< of a gap */
    int number;   /**< of a recording */
    bool final;   /**< of speech: decoded as a whole */
    char *text;   /**< of speech */
    struct utter_word *words;
    size_t word_count;
};

struct history_session {
    char *began; /**< a moment of ISO 8601 */
    char *source;
    char *model;
    struct history_item *items; /**< in the order in which they were said */
    size_t count;
    int64_t end; /**< of what was heard */
    size_t word_count;
    size_t damaged; /**< lines that could not be read */
    bool ended;     /**< the program came to its end */
};

/** Free the session in either case. `name` is for messages. */
bool history_session_read(struct history_session *session, FILE *file, const char *name,
                          struct utter_error *error);
void history_session_free(struct history_session *session);

/** What a list shows of a session, without reading all of a long one. */
struct history_summary {
    int64_t end;
    size_t word_count;
    bool ended;
    char first[120]; /**< the first words, clean, as many as fit */
};

bool history_summary_read(struct history_summary *summary, FILE *file, const char *name,
                          struct utter_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/** Events written down, so that tests can compare them. */
#ifndef EVENTS_TEXT_H
#define EVENTS_TEXT_H

#include "utter.h"

enum { EVENTS_TEXT_ROOM = 1 << 16 };

struct events_text {
    char *all; /* every field of every event, bit for bit, a line each */
    size_t all_length;
    size_t all_capacity;
    char commits[EVENTS_TEXT_ROOM]; /* the committed words, a space after each */
    char finals[EVENTS_TEXT_ROOM];  /* the FINALs' texts, a newline after each */
    char drafted[EVENTS_TEXT_ROOM]; /* every draft's words, a space after each */
    char draft[EVENTS_TEXT_ROOM];   /* the draft as it stands */
    char order[EVENTS_TEXT_ROOM]; /* Speech, Quiet, Behind, caught Up, eXploded, Commits, Final, Gap
                                   */
    int drafts;
    int unsure_drafts; /* of them, with a '?' */
    int rung;          /* of the last STATE */
    int64_t lost;      /* samples of all gaps */
    int64_t gap_start; /* of the last gap */
    int64_t gap_end;
    int64_t words_end;           /* of the last committed word */
    uint64_t utterance;          /* the last one's number */
    uint64_t final_utterance;    /* the last FINAL's */
    float least_confidence;      /* of all committed words */
    struct utter_word final[64]; /* words of the last FINAL, without their text */
    size_t final_count;
    int64_t final_start, final_end;
    int64_t first_start; /* of the first FINAL */
};

/** Also checks what must hold for any event. */
void events_text_add(struct events_text *text, const struct utter_event *event);
void events_text_close(struct events_text *text);

#endif

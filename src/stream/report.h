/* SPDX-License-Identifier: MIT */
/**
 * Events ready to be read, and the words they point to. A stream makes one step at a time and goes
 * on only when all are read, so few are ever here. Belongs to one thread at a time; allocates
 * nothing after opening.
 */
#ifndef STREAM_REPORT_H
#define STREAM_REPORT_H

#include "stream/final.h"

enum { REPORT_EVENTS_MAX = 4 };

struct report {
    struct utter_event events[REPORT_EVENTS_MAX]; /* [head, count) are unread */
    int head;
    int count;
    struct words commit;
    struct words final;
    struct words drafts[2]; /* the last one and the one before */
    int draft;              /* which of them is the last */
    size_t draft_firm;
    size_t draft_shown; /* words of it that were in its event */
};

enum utter_code report_open(struct report *report, const struct ctc_labels *labels,
                            int frame_samples, int64_t frames_max, struct utter_error *error);
void report_close(struct report *report);
/** Forgets the events that are ready and the last draft. */
void report_reset(struct report *report);
/** Forgets the last draft. */
void report_new_utterance(struct report *report);

bool report_ready(const struct report *report);
/** The next event or NULL. */
const struct utter_event *report_next(struct report *report);

/** Makes an event ready; fields that the caller does not fill are empty. */
void report_event(struct report *report, const struct utter_event *event);
/** The words from number `first` on; none makes no event. */
void report_commit(struct report *report, uint64_t utterance, const struct ctc_greedy *greedy,
                   size_t first, const struct input_clock *clock);
/**
 * The first words of `greedy`, if they differ from what the last draft showed: those that were in
 * the last draft, too, and at least `whole` of them. Words that come and go are not shown.
 * `committed` words of the last draft were handed out since; `at` is the position that an empty
 * draft speaks of.
 */
void report_draft(struct report *report, uint64_t utterance, const struct ctc_greedy *greedy,
                  size_t whole, size_t committed, int64_t at, const struct input_clock *clock);
void report_final(struct report *report, const struct final *final, const struct final_job *job);

#endif

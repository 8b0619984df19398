/* SPDX-License-Identifier: MIT */
#include "stream/report.h"

#include <assert.h>
#include <string.h>

enum utter_code report_open(struct report *report, const struct ctc_labels *labels,
                            int frame_samples, int64_t frames_max, struct utter_error *error)
{
    struct words *all[] = {&report->commit, &report->final, &report->drafts[0], &report->drafts[1]};
    *report = (struct report){0};
    for (int i = 0; i < 4; i++) {
        enum utter_code code = words_open(all[i], labels, frame_samples, frames_max, error);
        if (code) {
            report_close(report);
            return code;
        }
    }
    return UTTER_OK;
}

void report_close(struct report *report)
{
    words_close(&report->commit);
    words_close(&report->final);
    words_close(&report->drafts[0]);
    words_close(&report->drafts[1]);
    *report = (struct report){0};
}

void report_reset(struct report *report)
{
    report->head = report->count = 0;
    report_new_utterance(report);
}

void report_new_utterance(struct report *report)
{
    report->drafts[0].count = report->drafts[1].count = 0;
    report->draft_firm = report->draft_shown = 0;
}

bool report_ready(const struct report *report)
{
    return report->head < report->count;
}

const struct utter_event *report_next(struct report *report)
{
    return report_ready(report) ? &report->events[report->head++] : NULL;
}

void report_event(struct report *report, const struct utter_event *event)
{
    if (!report_ready(report))
        report->head = report->count = 0;
    assert(report->count < REPORT_EVENTS_MAX);
    struct utter_event *slot = &report->events[report->count++];
    *slot = *event;
    if (!slot->text)
        slot->text = "";
}

void report_commit(struct report *report, uint64_t utterance, const struct ctc_greedy *greedy,
                   size_t first, const struct input_clock *clock)
{
    words_fill(&report->commit, greedy, first, clock);
    if (report->commit.count == 0)
        return;
    struct utter_event event =
        words_event(&report->commit, report->commit.count, UTTER_EVENT_COMMIT, utterance);
    report_event(report, &event);
}

/* How many first words of two drafts are the same, `skip` words of the older one left out. */
static size_t agreeing(const struct words *older, size_t skip, const struct words *newer)
{
    size_t count = 0;
    while (count < newer->count && skip + count < older->count &&
           !strcmp(older->list[skip + count].text, newer->list[count].text))
        count++;
    return count;
}

void report_draft(struct report *report, uint64_t utterance, const struct ctc_greedy *greedy,
                  size_t whole, size_t committed, int64_t at, const struct input_clock *clock)
{
    const struct words *older = &report->drafts[report->draft];
    struct words *newer = &report->drafts[!report->draft];
    words_fill(newer, greedy, 0, clock);
    size_t firm = agreeing(older, committed, newer), shown = firm > whole ? firm : whole;
    bool same = committed == 0 && shown == report->draft_shown && firm >= shown &&
                firm == report->draft_firm;
    bool nothing = report->draft_shown == 0 && shown == 0;
    report->draft = !report->draft;
    report->draft_firm = firm;
    report->draft_shown = shown;
    if (same || nothing)
        return;
    struct utter_event event = words_event(newer, shown, UTTER_EVENT_DRAFT, utterance);
    event.firm_count = firm;
    if (shown == 0)
        event.start = event.end = at;
    report_event(report, &event);
}

void report_final(struct report *report, const struct final *final, const struct final_job *job)
{
    struct utter_event event = final_event(final, job, &report->final);
    report_event(report, &event);
}

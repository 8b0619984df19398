/* SPDX-License-Identifier: MIT */
#include "stream/report.h"

#include "base/error.h"
#include "ctc/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- word stores ----------------------------------------------------------------------------- */

static bool store_open(struct word_store *store, const struct ctc_labels *labels, int64_t frames)
{
    size_t text = ctc_text_bound(labels, (size_t)frames * labels->longest);
    size_t spaces = strlen(labels->space);
    store->word_capacity = (size_t)frames / 2 + 2;
    /* Each word once with its terminator, and once more in the joined text with its space. */
    store->byte_capacity = 2 * text + store->word_capacity * (2 + spaces);
    store->words = malloc(store->word_capacity * sizeof *store->words);
    store->bytes = malloc(store->byte_capacity);
    return store->words && store->bytes;
}

static void store_close(struct word_store *store)
{
    free(store->words);
    free(store->bytes);
}

/* Takes the words of `greedy` from number `first` on. */
static void store_fill(struct report *report, struct word_store *store,
                       const struct ctc_greedy *greedy, size_t first, const struct input *input)
{
    store->count = 0;
    store->used = 0;
    for (size_t i = first; i < greedy->word_count; i++) {
        const struct ctc_word *word = &greedy->words[i];
        char *text = store->bytes + store->used;
        store->used +=
            ctc_text_word(report->labels, greedy->raw + word->text, word->length, text) + 1;
        store->words[store->count++] = (struct utter_word){
            .text = text,
            .start = input_position(input, word->start * report->frame_samples),
            .end = input_position(input, word->end * report->frame_samples),
            .confidence = ctc_word_confidence(word),
        };
    }
}

static char *store_append(struct word_store *store, char *at, const char *text)
{
    size_t length = strlen(text);
    assert(at + length < store->bytes + store->byte_capacity);
    memcpy(at, text, length + 1);
    return at + length;
}

/* The words with spaces between them. */
static const char *store_join(struct word_store *store, const char *space)
{
    char *text = store->bytes + store->used, *at = text;
    *at = 0;
    for (size_t i = 0; i < store->count; i++) {
        if (i > 0)
            at = store_append(store, at, space);
        at = store_append(store, at, store->words[i].text);
    }
    return text;
}

/* ---- events ---------------------------------------------------------------------------------- */

enum utter_code report_open(struct report *report, const struct ctc_labels *labels,
                            int frame_samples, int64_t frames_max, struct utter_error *error)
{
    *report = (struct report){.labels = labels, .frame_samples = frame_samples};
    bool all = store_open(&report->commit, labels, frames_max);
    all = store_open(&report->final, labels, frames_max) && all;
    all = store_open(&report->drafts[0], labels, frames_max) && all;
    all = store_open(&report->drafts[1], labels, frames_max) && all;
    if (all)
        return UTTER_OK;
    report_close(report);
    return error_memory(error, "the events");
}

void report_close(struct report *report)
{
    store_close(&report->commit);
    store_close(&report->final);
    store_close(&report->drafts[0]);
    store_close(&report->drafts[1]);
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
    report->draft_firm = 0;
}

size_t report_event_bytes_max(const struct report *report)
{
    return report->final.word_capacity * sizeof *report->final.words + report->final.byte_capacity;
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

static struct utter_event words_event(struct report *report, struct word_store *store,
                                      enum utter_event_type type, uint64_t utterance)
{
    return (struct utter_event){
        .type = type,
        .utterance = utterance,
        .start = store->count ? store->words[0].start : 0,
        .end = store->count ? store->words[store->count - 1].end : 0,
        .text = store_join(store, report->labels->space),
        .words = store->words,
        .word_count = store->count,
    };
}

void report_commit(struct report *report, uint64_t utterance, const struct ctc_greedy *greedy,
                   size_t first, const struct input *input)
{
    store_fill(report, &report->commit, greedy, first, input);
    if (report->commit.count == 0)
        return;
    struct utter_event event = words_event(report, &report->commit, UTTER_EVENT_COMMIT, utterance);
    report_event(report, &event);
}

/* How many first words of two drafts are the same, `skip` words of the older one left out. */
static size_t agreeing(const struct word_store *older, size_t skip, const struct word_store *newer)
{
    size_t count = 0;
    while (count < newer->count && skip + count < older->count &&
           !strcmp(older->words[skip + count].text, newer->words[count].text))
        count++;
    return count;
}

void report_draft(struct report *report, uint64_t utterance, const struct ctc_greedy *greedy,
                  size_t committed, int64_t at, const struct input *input)
{
    const struct word_store *older = &report->drafts[report->draft];
    struct word_store *newer = &report->drafts[!report->draft];
    store_fill(report, newer, greedy, 0, input);
    size_t firm = agreeing(older, committed, newer);
    bool same = committed == 0 && older->count == newer->count && firm == newer->count &&
                firm == report->draft_firm;
    bool nothing = older->count == 0 && newer->count == 0;
    report->draft = !report->draft;
    report->draft_firm = firm;
    if (same || nothing)
        return;
    struct utter_event event = words_event(report, newer, UTTER_EVENT_DRAFT, utterance);
    event.firm_count = firm;
    if (newer->count == 0)
        event.start = event.end = at;
    report_event(report, &event);
}

void report_final(struct report *report, uint64_t utterance, const struct ctc_greedy *greedy,
                  int64_t start, int64_t end, const struct input *input)
{
    struct word_store *store = &report->final;
    store_fill(report, store, greedy, 0, input);
    char *text = store->bytes + store->used;
    ctc_text_whole(report->labels, greedy->raw, greedy->raw_length, text);
    struct utter_event event = {
        .type = UTTER_EVENT_FINAL,
        .utterance = utterance,
        .start = start,
        .end = end,
        .text = text,
        .words = store->words,
        .word_count = store->count,
    };
    report_event(report, &event);
}

/* SPDX-License-Identifier: MIT */
#include "events_text.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void append(struct events_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void append(struct events_text *text, const char *format, ...)
{
    char line[8192];
    va_list arguments;
    va_start(arguments, format);
    size_t length = (size_t)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    assert_true(length < sizeof line);
    if (text->all_length + length >= text->all_capacity) {
        text->all_capacity = 2 * text->all_capacity + sizeof line;
        text->all = realloc(text->all, text->all_capacity);
        assert_non_null(text->all);
    }
    memcpy(text->all + text->all_length, line, length + 1);
    text->all_length += length;
}

static void write_all(struct events_text *text, const struct utter_event *event)
{
    append(text, "%d %" PRIu64 " %" PRId64 " %" PRId64 " '%s' %zu %" PRId64 " %d", event->type,
           event->utterance, event->start, event->end, event->text, event->firm_count, event->lost,
           event->state);
    for (size_t i = 0; i < event->word_count; i++)
        append(text, " [%s %" PRId64 " %" PRId64 " %a]", event->words[i].text,
               event->words[i].start, event->words[i].end, (double)event->words[i].confidence);
    append(text, "\n");
}

static void note_order(struct events_text *text, const struct utter_event *event)
{
    static const char states[] = "?QSBUX", types[] = "?DCFG?";
    char letter = event->type == UTTER_EVENT_STATE ? states[event->state] : types[event->type];
    size_t length = strlen(text->order);
    if (letter == 'D' || (letter == 'C' && length > 0 && text->order[length - 1] == 'C'))
        return;
    assert_true(length + 1 < sizeof text->order);
    text->order[length] = letter;
    text->order[length + 1] = 0;
}

static void join(char *list, const char *item, const char *end)
{
    size_t length = strlen(list);
    int more = snprintf(list + length, EVENTS_TEXT_ROOM - length, "%s%s", item, end);
    assert_true(more >= 0 && length + (size_t)more < EVENTS_TEXT_ROOM);
}

static void check_words(const struct utter_event *event)
{
    for (size_t i = 0; i < event->word_count; i++) {
        const struct utter_word *word = &event->words[i];
        assert_true(word->start < word->end);
        assert_true(word->confidence > 0.0f && word->confidence <= 1.0f);
        assert_true(*word->text);
        if (i > 0)
            assert_true(word->start >= event->words[i - 1].end);
    }
}

static void add_commit(struct events_text *text, const struct utter_event *event)
{
    assert_true(event->word_count > 0);
    assert_true(event->start >= text->words_end);
    for (size_t i = 0; i < event->word_count; i++) {
        join(text->commits, event->words[i].text, " ");
        if (text->least_confidence == 0.0f || event->words[i].confidence < text->least_confidence)
            text->least_confidence = event->words[i].confidence;
    }
    text->words_end = event->words[event->word_count - 1].end;
}

static void add_final(struct events_text *text, const struct utter_event *event)
{
    if (!*text->finals)
        text->first_start = event->start;
    join(text->finals, event->text, "\n");
    text->final_start = event->start;
    text->final_end = event->end;
    text->final_count = event->word_count;
    for (size_t i = 0; i < event->word_count && i < 64; i++) {
        text->final[i] = event->words[i];
        text->final[i].text = NULL;
    }
}

void events_text_add(struct events_text *text, const struct utter_event *event)
{
    assert_non_null(event->text);
    assert_true(event->start <= event->end);
    check_words(event);
    write_all(text, event);
    note_order(text, event);
    if (event->type == UTTER_EVENT_FINAL) {
        /* Each has one, in order; of a live stream the next may have begun. */
        assert_int_equal(event->utterance, text->final_utterance + 1);
        assert_true(event->utterance <= text->utterance);
        text->final_utterance = event->utterance;
    } else if (event->utterance > 0) {
        assert_true(event->utterance > text->final_utterance);
        assert_true(event->utterance >= text->utterance);
        text->utterance = event->utterance;
    }
    switch (event->type) {
    case UTTER_EVENT_DRAFT:
        assert_true(event->firm_count <= event->word_count);
        text->drafts++;
        text->unsure_drafts += strchr(event->text, '?') != NULL;
        for (size_t i = 0; i < event->word_count; i++)
            join(text->drafted, event->words[i].text, " ");
        snprintf(text->draft, sizeof text->draft, "%s", event->text);
        break;
    case UTTER_EVENT_COMMIT:
        add_commit(text, event);
        break;
    case UTTER_EVENT_FINAL:
        /* What was committed is no longer in the draft. */
        if (event->utterance == text->utterance)
            assert_string_equal(text->draft, "");
        add_final(text, event);
        break;
    case UTTER_EVENT_GAP:
        assert_true(event->lost == event->end - event->start && event->lost > 0);
        assert_int_equal(text->final_utterance, text->utterance);
        text->lost += event->lost;
        text->gap_start = event->start;
        text->gap_end = event->end;
        break;
    case UTTER_EVENT_STATE:
        assert_true((event->rung > 0) == (event->state == UTTER_STATE_BEHIND));
        if (event->state == UTTER_STATE_BEHIND || event->state == UTTER_STATE_CAUGHT_UP)
            text->rung = event->rung;
        break;
    }
}

void events_text_close(struct events_text *text)
{
    free(text->all);
}

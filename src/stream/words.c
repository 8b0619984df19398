/* SPDX-License-Identifier: MIT */
#include "stream/words.h"

#include "base/error.h"
#include "ctc/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum utter_code words_open(struct words *words, const struct ctc_labels *labels, int frame_samples,
                           int64_t frames_max, struct utter_error *error)
{
    *words = (struct words){.labels = labels, .frame_samples = frame_samples};
    size_t text = ctc_text_bound(labels, (size_t)frames_max * labels->longest);
    size_t spaces = strlen(labels->space);
    words->capacity = (size_t)frames_max / 2 + 2;
    /* Each word once with its terminator, and once more in the joined text with its space. */
    words->byte_capacity = 2 * text + words->capacity * (2 + spaces);
    words->list = malloc(words->capacity * sizeof *words->list);
    words->bytes = malloc(words->byte_capacity);
    if (words->list && words->bytes)
        return UTTER_OK;
    words_close(words);
    return error_memory(error, "the events");
}

void words_close(struct words *words)
{
    free(words->list);
    free(words->bytes);
    *words = (struct words){0};
}

size_t words_event_bytes_max(const struct words *words)
{
    return words->capacity * sizeof *words->list + words->byte_capacity;
}

void words_fill(struct words *words, const struct ctc_greedy *greedy, size_t first,
                const struct input_clock *clock)
{
    words->count = 0;
    words->used = 0;
    for (size_t i = first; i < greedy->word_count; i++) {
        const struct ctc_word *word = &greedy->words[i];
        char *text = words->bytes + words->used;
        words->used += ctc_text_word(words->labels, greedy->raw + word->text, word->length, text);
        words->used++;
        words->list[words->count++] = (struct utter_word){
            .text = text,
            .start = input_position(clock, word->start * words->frame_samples),
            .end = input_position(clock, word->end * words->frame_samples),
            .confidence = ctc_word_confidence(word),
        };
    }
}

static char *append(struct words *words, char *at, const char *text)
{
    size_t length = strlen(text);
    assert(at + length < words->bytes + words->byte_capacity);
    memcpy(at, text, length + 1);
    return at + length;
}

static const char *join(struct words *words, size_t count)
{
    char *text = words->bytes + words->used, *at = text;
    *at = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            at = append(words, at, words->labels->space);
        at = append(words, at, words->list[i].text);
    }
    return text;
}

struct utter_event words_event(struct words *words, size_t count, enum utter_event_type type,
                               uint64_t utterance)
{
    return (struct utter_event){
        .type = type,
        .utterance = utterance,
        .start = count ? words->list[0].start : 0,
        .end = count ? words->list[count - 1].end : 0,
        .text = join(words, count),
        .words = words->list,
        .word_count = count,
    };
}

struct utter_event words_final_event(struct words *words, uint64_t utterance,
                                     const struct ctc_greedy *greedy, int64_t start, int64_t end,
                                     const struct input_clock *clock)
{
    words_fill(words, greedy, 0, clock);
    char *text = words->bytes + words->used;
    ctc_text_whole(words->labels, greedy->raw, greedy->raw_length, text);
    return (struct utter_event){
        .type = UTTER_EVENT_FINAL,
        .utterance = utterance,
        .start = start,
        .end = end,
        .text = text,
        .words = words->list,
        .word_count = words->count,
    };
}

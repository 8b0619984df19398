/* SPDX-License-Identifier: MIT */
#include "ctc/greedy.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum utter_code ctc_greedy_open(struct ctc_greedy *greedy, const struct ctc_labels *labels,
                                int64_t frames_max, struct utter_error *error)
{
    *greedy = (struct ctc_greedy){.labels = labels};
    /* A fork carries a whole word in, so one more than frames. Words need a space between them. */
    greedy->raw_capacity = (size_t)frames_max * labels->longest + 1;
    greedy->word_capacity = (size_t)frames_max / 2 + 2;
    greedy->raw = malloc(greedy->raw_capacity);
    greedy->words = malloc(greedy->word_capacity * sizeof *greedy->words);
    if (!greedy->raw || !greedy->words) {
        ctc_greedy_close(greedy);
        return error_memory(error, "the decoder");
    }
    ctc_greedy_reset(greedy, 0);
    return UTTER_OK;
}

void ctc_greedy_close(struct ctc_greedy *greedy)
{
    free(greedy->raw);
    free(greedy->words);
    *greedy = (struct ctc_greedy){0};
}

void ctc_greedy_reset(struct ctc_greedy *greedy, int64_t frame)
{
    greedy->frame = frame;
    greedy->last = greedy->labels->blank;
    greedy->raw_length = 0;
    greedy->word_count = 0;
    greedy->growing = false;
}

static int best_label(const float *log_probs, int size)
{
    int best = 0;
    for (int i = 1; i < size; i++)
        if (log_probs[i] > log_probs[best])
            best = i;
    return best;
}

static void append_text(struct ctc_greedy *greedy, const struct ctc_label *label)
{
    memcpy(greedy->raw + greedy->raw_length, label->text, label->length);
    greedy->raw_length += label->length;
}

/* A word whose labels leave no text (a vocabulary of control characters) is none. */
static void end_word(struct ctc_greedy *greedy)
{
    struct ctc_word *word = &greedy->words[greedy->word_count];
    word->length = greedy->raw_length - word->text;
    greedy->growing = false;
    if (word->length > 0)
        greedy->word_count++;
}

static void add_label(struct ctc_greedy *greedy, const struct ctc_label *label)
{
    if (label->space) {
        if (greedy->growing)
            end_word(greedy);
    } else if (!greedy->growing) {
        greedy->growing = true;
        greedy->words[greedy->word_count] = (struct ctc_word){
            .start = greedy->frame,
            .text = greedy->raw_length,
        };
    }
    append_text(greedy, label);
}

void ctc_greedy_push(struct ctc_greedy *greedy, const float *log_probs)
{
    const struct ctc_labels *labels = greedy->labels;
    int best = best_label(log_probs, labels->size);
    const struct ctc_label *label = &labels->label[best];
    bool blank = label->group == labels->blank;
    if (!blank && label->group != greedy->last)
        add_label(greedy, label);
    if (!blank && !label->space) {
        struct ctc_word *word = &greedy->words[greedy->word_count];
        word->end = greedy->frame + 1;
        word->frames++;
        word->log_sum += log_probs[best];
    }
    greedy->last = label->group;
    greedy->frame++;
}

void ctc_greedy_finish(struct ctc_greedy *greedy)
{
    if (greedy->growing)
        end_word(greedy);
}

void ctc_greedy_fork(struct ctc_greedy *to, const struct ctc_greedy *from)
{
    ctc_greedy_reset(to, from->frame);
    to->last = from->last;
    to->growing = from->growing;
    if (!from->growing)
        return;
    to->words[0] = from->words[from->word_count];
    to->raw_length = from->raw_length - to->words[0].text;
    memcpy(to->raw, from->raw + to->words[0].text, to->raw_length);
    to->words[0].text = 0;
}

float ctc_word_confidence(const struct ctc_word *word)
{
    double mean = exp(word->log_sum / (double)word->frames);
    return mean < 1.0 ? (float)mean : 1.0f;
}

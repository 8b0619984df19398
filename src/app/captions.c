/* SPDX-License-Identifier: MIT */
#include "app/captions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct captions {
    int sample_rate;
    enum letter_case letter_case;
    bool paused;  /* since the last gap */
    int64_t lost; /* samples */
    struct caption *list;
    size_t count;
    size_t room;
    uint64_t revision;
};

struct captions *captions_new(int sample_rate, enum letter_case letter_case)
{
    struct captions *captions = calloc(1, sizeof *captions);
    if (captions == NULL)
        return NULL;
    captions->sample_rate = sample_rate;
    captions->letter_case = letter_case;
    return captions;
}

void captions_free(struct captions *captions)
{
    if (captions == NULL)
        return;
    for (size_t i = 0; i < captions->count; i++) {
        free(captions->list[i].text);
        free(captions->list[i].lines);
    }
    free(captions->list);
    free(captions);
}

/* A new caption at the end; takes `text` over, frees it on failure. */
static struct caption *append(struct captions *captions, uint64_t utterance, int64_t start,
                              char *text)
{
    if (captions->count == captions->room) {
        size_t room = captions->room * 2 + 64;
        struct caption *list = realloc(captions->list, room * sizeof *list);
        if (list == NULL) {
            free(text);
            return NULL;
        }
        captions->list = list;
        captions->room = room;
    }
    struct caption *caption = &captions->list[captions->count++];
    *caption = (struct caption){
        .utterance = utterance, .start = start, .text = text, .sentence_start = true};
    return caption;
}

/* The caption of the event's utterance, new if need be; NULL when out of memory. */
static struct caption *find(struct captions *captions, const struct utter_event *event)
{
    for (size_t i = captions->count; i-- > 0;) {
        struct caption *caption = &captions->list[i];
        if (caption->utterance == event->utterance)
            return caption;
        if (caption->utterance != 0 && caption->utterance < event->utterance)
            break;
    }
    char *empty = strdup("");
    return empty != NULL ? append(captions, event->utterance, event->start, empty) : NULL;
}

static void replace_text(struct captions *captions, struct caption *caption, char *text,
                         size_t firm, size_t likely)
{
    free(caption->text);
    free(caption->lines);
    caption->text = text;
    caption->firm = firm;
    caption->likely = likely;
    caption->lines = NULL;
    caption->columns = 0;
    captions->revision++;
}

static char *clean_and_case(const struct captions *captions, const char *text, bool *sentence_start)
{
    char *clean = text_clean(text);
    char *shown = clean != NULL ? case_apply(captions->letter_case, clean, sentence_start) : NULL;
    free(clean);
    return shown;
}

/* Writes words to `out`, a space before each unless it is the first thing there. */
static bool print_words(const struct captions *captions, FILE *out, const struct utter_word *words,
                        size_t count, bool *sentence_start)
{
    for (size_t i = 0; i < count; i++) {
        char *shown = clean_and_case(captions, words[i].text, sentence_start);
        if (shown == NULL)
            return false;
        if (shown[0] != '\0')
            fprintf(out, "%s%s", ftell(out) > 0 ? " " : "", shown);
        free(shown);
    }
    return true;
}

/* Where the draft goes on behind its first `words` words. */
static const char *skip_words(const char *draft, size_t words)
{
    draft += strspn(draft, " ");
    for (; words > 0 && *draft != '\0'; words--) {
        draft += strcspn(draft, " ");
        draft += strspn(draft, " ");
    }
    return draft;
}

/* Puts the words behind the firm text: as firm words themselves, or as its draft. */
static bool add_words(struct captions *captions, struct caption *caption,
                      const struct utter_event *event)
{
    char *text = NULL;
    size_t size = 0;
    bool commit = event->type == UTTER_EVENT_COMMIT;
    bool sentence_start = caption->sentence_start;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return false;
    fprintf(out, "%.*s", (int)caption->firm, caption->text);
    size_t likely_words = commit ? event->word_count : event->firm_count;
    bool ok = print_words(captions, out, event->words, likely_words, &sentence_start);
    size_t likely = (size_t)ftell(out);
    if (commit) { /* until the next draft comes, keep what is left of the last one */
        const char *rest = skip_words(caption->text + caption->firm, event->word_count);
        if (*rest != '\0')
            fprintf(out, "%s%s", likely > 0 ? " " : "", rest);
    } else {
        bool draft_start = sentence_start;
        ok = ok && print_words(captions, out, event->words + likely_words,
                               event->word_count - likely_words, &draft_start);
    }
    ok = !ferror(out) && ok;
    if (fclose(out) != 0 || !ok) {
        free(text);
        return false;
    }
    if (commit)
        caption->sentence_start = sentence_start;
    replace_text(captions, caption, text, commit ? likely : caption->firm, likely);
    return true;
}

/* The utterance as a whole takes the place of its words. */
static bool finish(struct captions *captions, struct caption *caption,
                   const struct utter_event *event)
{
    bool sentence_start = true;
    char *text = clean_and_case(captions, event->text != NULL ? event->text : "", &sentence_start);
    if (text == NULL)
        return false;
    size_t length = strlen(text);
    caption->start = event->start;
    caption->settled = true;
    if (strcmp(text, caption->text) == 0 && caption->firm == length)
        free(text);
    else
        replace_text(captions, caption, text, length, length);
    return true;
}

static bool add_gap(struct captions *captions, const struct utter_event *event)
{
    char *text = NULL;
    double seconds = (double)event->lost / captions->sample_rate;
    if (asprintf(&text, captions->paused ? "[paused for %.1f s]" : "[%.2f s of audio lost]",
                 seconds) < 0)
        return false;
    struct caption *notice = append(captions, 0, event->start, text);
    if (notice == NULL)
        return false;
    notice->firm = notice->likely = strlen(text);
    notice->settled = true;
    captions->lost += captions->paused ? 0 : event->lost;
    captions->paused = false;
    captions->revision++;
    return true;
}

bool captions_event(struct captions *captions, const struct utter_event *event)
{
    if (event->type == UTTER_EVENT_GAP)
        return add_gap(captions, event);
    if (event->type != UTTER_EVENT_DRAFT && event->type != UTTER_EVENT_COMMIT &&
        event->type != UTTER_EVENT_FINAL)
        return true;
    struct caption *caption = find(captions, event);
    if (caption == NULL)
        return false;
    if (event->type == UTTER_EVENT_FINAL)
        return finish(captions, caption, event);
    return caption->settled || add_words(captions, caption, event);
}

void captions_pause(struct captions *captions)
{
    captions->paused = true;
}

int64_t captions_lost(const struct captions *captions)
{
    return captions->lost;
}

size_t captions_count(const struct captions *captions)
{
    return captions->count;
}

const struct caption *captions_at(const struct captions *captions, size_t index)
{
    return &captions->list[index];
}

uint64_t captions_revision(const struct captions *captions)
{
    return captions->revision;
}

const struct text_line *captions_lines(struct captions *captions, size_t index, int columns,
                                       size_t *count)
{
    struct caption *caption = &captions->list[index];
    if (caption->columns != columns) {
        free(caption->lines);
        caption->columns = columns;
        caption->line_count = text_wrap(caption->text, columns, NULL, 0);
        caption->lines = calloc(caption->line_count + 1, sizeof *caption->lines);
        if (caption->lines == NULL)
            caption->line_count = caption->columns = 0;
        else
            text_wrap(caption->text, columns, caption->lines, caption->line_count);
    }
    *count = caption->line_count;
    return caption->lines;
}

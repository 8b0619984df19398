/* SPDX-License-Identifier: MIT */
#include "app/captions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES_MOST = 8 }; /* utterances whose FINALs may still be on their way */

struct captions {
    int sample_rate;
    enum letter_case letter_case;
    const char *const *speakers;
    bool paused[3]; /* by speaker: since its last gap */
    bool told;      /* of that pause */
    int64_t lost;   /* samples */
    struct caption *list;
    size_t count;
    size_t room;
    uint64_t revision;
};

struct captions *captions_new(int sample_rate, enum letter_case letter_case,
                              const char *const *speakers)
{
    struct captions *captions = calloc(1, sizeof *captions);
    if (captions == NULL)
        return NULL;
    captions->sample_rate = sample_rate;
    captions->letter_case = letter_case;
    captions->speakers = speakers;
    return captions;
}

void captions_free(struct captions *captions)
{
    if (captions == NULL)
        return;
    for (size_t i = 0; i < captions->count; i++) {
        free(captions->list[i].text);
        free(captions->list[i].words);
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

/* The number of the last utterance that has a caption; 0: none has. */
static uint64_t last_utterance(const struct captions *captions)
{
    size_t i = captions->count;
    while (i > 0 && captions->list[i - 1].utterance == 0)
        i--;
    return i > 0 ? captions->list[i - 1].utterance : 0;
}

/* A new caption at the end, and before it those of utterances of which nothing was heard yet: a
 * FINAL that is the first event of its utterance may come after the next one's words. */
static struct caption *append_utterance(struct captions *captions, const struct utter_event *event)
{
    uint64_t number = last_utterance(captions) + 1;
    struct caption *caption = NULL;
    if (event->utterance > PLACES_MOST && number < event->utterance - PLACES_MOST)
        number = event->utterance - PLACES_MOST;
    if (number > event->utterance)
        number = event->utterance;
    for (; number <= event->utterance; number++) {
        char *empty = strdup("");
        caption = empty != NULL ? append(captions, number, event->start, empty) : NULL;
        if (caption == NULL)
            break;
    }
    return caption;
}

/* The caption of the event's utterance, new if need be; NULL when out of memory. */
static struct caption *find(struct captions *captions, const struct utter_event *event, int speaker)
{
    struct caption *caption = NULL;
    for (size_t i = captions->count; i-- > 0 && caption == NULL;) {
        uint64_t utterance = captions->list[i].utterance;
        if (utterance == event->utterance)
            caption = &captions->list[i];
        else if (utterance != 0 && utterance < event->utterance)
            break;
    }
    if (caption == NULL)
        caption = append_utterance(captions, event);
    if (caption != NULL)
        caption->speaker = speaker;
    return caption;
}

/* A text and its words while they are put together. */
struct draft {
    FILE *out; /* of `text` */
    char *text;
    size_t size;
    struct caption_word *words;
    size_t word_count;
    size_t firm;
    size_t likely;
};

static bool draft_begin(struct draft *draft, const struct caption *caption, size_t more_words)
{
    *draft =
        (struct draft){.words = calloc(caption->word_count + more_words + 1, sizeof *draft->words)};
    draft->out = draft->words != NULL ? open_memstream(&draft->text, &draft->size) : NULL;
    if (draft->out == NULL)
        free(draft->words);
    return draft->out != NULL;
}

/* Gives the caption what was put together, or leaves it as it was. */
static bool draft_end(struct captions *captions, struct draft *draft, struct caption *caption,
                      bool ok)
{
    ok = !ferror(draft->out) && ok;
    if (fclose(draft->out) != 0 || !ok) {
        free(draft->text);
        free(draft->words);
        return false;
    }
    free(caption->text);
    free(caption->words);
    free(caption->lines);
    caption->text = draft->text;
    caption->words = draft->words;
    caption->word_count = draft->word_count;
    caption->firm = draft->firm;
    caption->likely = draft->likely;
    caption->lines = NULL;
    caption->columns = 0;
    captions->revision++;
    return true;
}

/* A model may write several delimiters between two words; the words alone, as drafts show them,
 * have one space. So FINAL changes no more on the screen than its words do. */
static void single_spaces(char *text)
{
    char *out = text;
    for (const char *in = text; *in != '\0'; in++)
        if (*in != ' ' || (out > text && out[-1] != ' '))
            *out++ = *in;
    if (out > text && out[-1] == ' ')
        out--;
    *out = '\0';
}

static char *clean_and_case(const struct captions *captions, const char *text, bool *sentence_start)
{
    char *clean = text_clean(text);
    if (clean == NULL)
        return NULL;
    single_spaces(clean);
    char *shown = case_apply(captions->letter_case, clean, sentence_start);
    free(clean);
    return shown;
}

/* Writes words, a space before each unless it is the first thing there. */
static bool print_words(const struct captions *captions, struct draft *draft,
                        const struct utter_word *words, size_t count, bool *sentence_start)
{
    for (size_t i = 0; i < count; i++) {
        char *shown = clean_and_case(captions, words[i].text, sentence_start);
        if (shown == NULL)
            return false;
        if (shown[0] != '\0') {
            fprintf(draft->out, "%s", ftell(draft->out) > 0 ? " " : "");
            size_t start = (size_t)ftell(draft->out);
            fprintf(draft->out, "%s", shown);
            draft->words[draft->word_count++] =
                (struct caption_word){start, start + strlen(shown), words[i].confidence};
        }
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

static void copy_firm_words(struct draft *draft, const struct caption *caption)
{
    fprintf(draft->out, "%.*s", (int)caption->firm, caption->text);
    for (size_t i = 0; i < caption->word_count && caption->words[i].end <= caption->firm; i++)
        draft->words[draft->word_count++] = caption->words[i];
}

/* Puts the words behind the firm text: as firm words themselves, or as its draft. */
static bool add_words(struct captions *captions, struct caption *caption,
                      const struct utter_event *event)
{
    struct draft draft;
    bool commit = event->type == UTTER_EVENT_COMMIT;
    bool sentence_start = caption->sentence_start;
    if (!draft_begin(&draft, caption, event->word_count))
        return false;
    copy_firm_words(&draft, caption);
    size_t likely_words = commit ? event->word_count : event->firm_count;
    bool ok = print_words(captions, &draft, event->words, likely_words, &sentence_start);
    draft.likely = (size_t)ftell(draft.out);
    draft.firm = commit ? draft.likely : caption->firm;
    size_t word_count = draft.word_count;
    if (commit) { /* until the next draft comes, keep what is left of the last one */
        const char *rest = skip_words(caption->text + caption->firm, event->word_count);
        if (*rest != '\0')
            fprintf(draft.out, "%s%s", draft.likely > 0 ? " " : "", rest);
    } else {
        bool draft_start = sentence_start;
        ok = ok && print_words(captions, &draft, event->words + likely_words,
                               event->word_count - likely_words, &draft_start);
        draft.word_count = word_count; /* the rest may still change */
    }
    if (!draft_end(captions, &draft, caption, ok))
        return false;
    if (commit)
        caption->sentence_start = sentence_start;
    return true;
}

/* Finds the words in the text that they were joined to. */
static bool place_words(const struct captions *captions, struct draft *draft, const char *text,
                        const struct utter_event *event)
{
    bool sentence_start = true;
    size_t at = 0;
    for (size_t i = 0; i < event->word_count; i++) {
        char *shown = clean_and_case(captions, event->words[i].text, &sentence_start);
        if (shown == NULL)
            return false;
        const char *found = shown[0] != '\0' ? strstr(text + at, shown) : NULL;
        if (found != NULL) {
            size_t start = (size_t)(found - text);
            at = start + strlen(shown);
            draft->words[draft->word_count++] =
                (struct caption_word){start, at, event->words[i].confidence};
        }
        free(shown);
    }
    return true;
}

static bool same_words(const struct draft *draft, const struct caption *caption)
{
    bool same = draft->word_count == caption->word_count;
    for (size_t i = 0; same && i < draft->word_count; i++)
        same = draft->words[i].start == caption->words[i].start &&
               draft->words[i].end == caption->words[i].end &&
               draft->words[i].confidence == caption->words[i].confidence;
    return same;
}

/* The utterance as a whole takes the place of its words. */
static bool finish(struct captions *captions, struct caption *caption,
                   const struct utter_event *event)
{
    struct draft draft;
    bool sentence_start = true;
    char *text = clean_and_case(captions, event->text != NULL ? event->text : "", &sentence_start);
    if (text == NULL || !draft_begin(&draft, caption, event->word_count)) {
        free(text);
        return false;
    }
    fprintf(draft.out, "%s", text);
    draft.firm = draft.likely = strlen(text);
    bool ok = place_words(captions, &draft, text, event);
    bool same = strcmp(text, caption->text) == 0 && caption->firm == draft.firm &&
                same_words(&draft, caption);
    free(text);
    uint64_t revision = captions->revision;
    if (!draft_end(captions, &draft, caption, ok))
        return false;
    caption->start = event->start;
    caption->settled = true;
    if (same)
        captions->revision = revision;
    return true;
}

bool captions_notice(struct captions *captions, const char *text)
{
    int64_t start = captions->count > 0 ? captions->list[captions->count - 1].start : 0;
    char *clean = text_clean(text);
    struct caption *notice = clean != NULL ? append(captions, 0, start, clean) : NULL;
    if (notice == NULL)
        return false;
    notice->firm = notice->likely = strlen(notice->text);
    notice->settled = true;
    captions->revision++;
    return true;
}

static void end_pause(struct captions *captions, int speaker)
{
    captions->told = true;
    captions->paused[speaker] = false;
    if (speaker == 0) /* all of them */
        captions->paused[1] = captions->paused[2] = false;
}

/* Every speaker's pause ends with a gap of its own; one is enough to read. */
static bool add_gap(struct captions *captions, const struct utter_event *event, int speaker)
{
    char text[120];
    double seconds = (double)event->lost / captions->sample_rate;
    bool paused = captions->paused[speaker], told = paused && captions->told;
    const char *name =
        captions->speakers != NULL && speaker > 0 ? captions->speakers[speaker - 1] : NULL;
    if (paused)
        snprintf(text, sizeof text, "[paused for %.1f s]", seconds);
    else
        snprintf(text, sizeof text, "%.40s%s[%.2f s of audio lost]", name != NULL ? name : "",
                 name != NULL ? ": " : "", seconds);
    if (!told && !captions_notice(captions, text))
        return false;
    if (!told)
        captions->list[captions->count - 1].start = event->start;
    if (paused)
        end_pause(captions, speaker);
    else
        captions->lost += event->lost;
    return true;
}

bool captions_event(struct captions *captions, const struct utter_event *event, int speaker)
{
    if (event->type == UTTER_EVENT_GAP)
        return add_gap(captions, event, speaker);
    if (event->type != UTTER_EVENT_DRAFT && event->type != UTTER_EVENT_COMMIT &&
        event->type != UTTER_EVENT_FINAL)
        return true;
    struct caption *caption = find(captions, event, speaker);
    if (caption == NULL)
        return false;
    if (event->type == UTTER_EVENT_FINAL)
        return finish(captions, caption, event);
    return caption->settled || add_words(captions, caption, event);
}

void captions_mark(struct captions *captions, size_t index, bool marked)
{
    captions->list[index].marked = marked;
    captions->revision++;
}

void captions_pause(struct captions *captions)
{
    for (int i = 0; i < 3; i++)
        captions->paused[i] = true;
    captions->told = false;
}

double captions_seconds(const struct captions *captions, const struct caption *caption)
{
    return (double)caption->start / captions->sample_rate;
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

/* SPDX-License-Identifier: MIT */
#include "app/unfinished.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_utterance(struct unfinished_utterance *utterance)
{
    for (size_t i = 0; i < utterance->count; i++)
        free((char *)utterance->words[i].text);
    free(utterance->words);
}

void unfinished_free(struct unfinished *unfinished)
{
    for (size_t i = 0; i < unfinished->count; i++)
        free_utterance(&unfinished->list[i]);
    free(unfinished->list);
    *unfinished = (struct unfinished){0};
}

/* Makes room in `*array` for `more` elements of `size` bytes behind the first `count`. */
static bool make_room(void **array, size_t *room, size_t count, size_t more, size_t size)
{
    if (count + more <= *room)
        return true;
    size_t wanted = 2 * *room + more;
    void *moved = realloc(*array, wanted * size);
    if (moved == NULL)
        return false;
    *array = moved;
    *room = wanted;
    return true;
}

static struct unfinished_utterance *find(struct unfinished *unfinished, uint64_t number)
{
    for (size_t i = unfinished->count; i-- > 0;)
        if (unfinished->list[i].number == number)
            return &unfinished->list[i];
    return NULL;
}

static struct unfinished_utterance *add(struct unfinished *unfinished, uint64_t number, int speaker)
{
    void *list = unfinished->list;
    if (!make_room(&list, &unfinished->room, unfinished->count, 1, sizeof *unfinished->list))
        return NULL;
    unfinished->list = list;
    struct unfinished_utterance *utterance = &unfinished->list[unfinished->count++];
    *utterance = (struct unfinished_utterance){.number = number, .speaker = speaker};
    return utterance;
}

static bool add_words(struct unfinished_utterance *utterance, const struct utter_event *event)
{
    void *words = utterance->words;
    if (!make_room(&words, &utterance->room, utterance->count, event->word_count,
                   sizeof *utterance->words))
        return false;
    utterance->words = words;
    for (size_t i = 0; i < event->word_count; i++) {
        struct utter_word *word = &utterance->words[utterance->count];
        *word = event->words[i];
        word->text = strdup(event->words[i].text);
        if (word->text == NULL)
            return false;
        utterance->count++;
    }
    return true;
}

static void remove_utterance(struct unfinished *unfinished, struct unfinished_utterance *utterance)
{
    free_utterance(utterance);
    size_t left = unfinished->count - 1 - (size_t)(utterance - unfinished->list);
    memmove(utterance, utterance + 1, left * sizeof *utterance);
    unfinished->count--;
}

bool unfinished_event(struct unfinished *unfinished, const struct utter_event *event, int speaker)
{
    struct unfinished_utterance *utterance = find(unfinished, event->utterance);
    if (event->type == UTTER_EVENT_FINAL && utterance != NULL)
        remove_utterance(unfinished, utterance);
    if (event->type != UTTER_EVENT_COMMIT)
        return true;
    if (utterance == NULL)
        utterance = add(unfinished, event->utterance, speaker);
    return utterance != NULL && add_words(utterance, event);
}

bool unfinished_final(const struct unfinished_utterance *utterance, struct utter_event *final,
                      char **text)
{
    size_t size = 0;
    FILE *out = open_memstream(text, &size);
    if (out == NULL)
        return false;
    for (size_t i = 0; i < utterance->count; i++)
        fprintf(out, "%s%s", i > 0 ? " " : "", utterance->words[i].text);
    bool ok = !ferror(out);
    if (fclose(out) != 0 || !ok) {
        free(*text);
        return false;
    }
    *final = (struct utter_event){
        .type = UTTER_EVENT_FINAL,
        .utterance = utterance->number,
        .start = utterance->words[0].start,
        .end = utterance->words[utterance->count - 1].end,
        .text = *text,
        .words = utterance->words,
        .word_count = utterance->count,
    };
    return true;
}

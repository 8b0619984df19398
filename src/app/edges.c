/* SPDX-License-Identifier: MIT */
#include "app/edges.h"

#include <stdlib.h>
#include <string.h>

/* Words so near to where an utterance begins or ends may have been cut by it. */
static const double REACH_SECONDS = 0.5;

/* The beginning of the first recording and the end of the last cut nothing. */
static bool near_edge(const struct measure_heard *heard, int64_t at, int64_t count, int64_t reach)
{
    for (size_t i = 0; i < heard->utterance_count; i++) {
        const struct span *span = &heard->utterances[i];
        if ((span->start > 0 && llabs(at - span->start) < reach) ||
            (span->end < count && llabs(at - span->end) < reach))
            return true;
    }
    return false;
}

static int64_t middle(const struct utter_word *word)
{
    return (word->start + word->end) / 2;
}

static bool is_heard(const struct measure_heard *heard, int64_t at)
{
    for (size_t i = 0; i < heard->utterance_count; i++)
        if (at >= heard->utterances[i].start && at < heard->utterances[i].end)
            return true;
    return false;
}

/* No word is so long: it is several that the model wrote without a space. */
static bool is_several(const struct utter_word *word, int64_t reach)
{
    return word->end - word->start > 2 * reach;
}

/* Of several words the first and the last count. */
static long count_outside(const struct utter_transcript *offline, const struct measure_heard *heard,
                          int64_t reach)
{
    long outside = 0;
    for (size_t i = 0; i < offline->word_count; i++) {
        const struct utter_word *word = &offline->words[i];
        bool several = is_several(word, reach);
        int64_t first = several ? word->start : middle(word);
        int64_t last = several ? word->end - 1 : first;
        outside += !is_heard(heard, first) || !is_heard(heard, last);
    }
    return outside;
}

/* Whether `at` lies within a word, near its beginning or end: there may be minutes between them
 * when it is several words that the model wrote without a space. */
static bool is_within(int64_t at, const struct utter_word *word, int64_t reach)
{
    return at > word->start && at < word->end &&
           (at - word->start < reach || word->end - at < reach);
}

/* Whether finals have `word` where offline has it; when it is several, be it with spaces. */
static bool is_whole(const struct measure_heard *heard, const struct utter_word *word,
                     int64_t reach)
{
    const char *rest = word->text;
    for (size_t i = 0; i < heard->word_count; i++) {
        const char *text = heard->words[i].text;
        int64_t at = middle(&heard->words[i]);
        if (at < word->start || at >= word->end)
            continue;
        if (strcmp(text, word->text) == 0)
            return true;
        if (strncmp(rest, text, strlen(text)) == 0)
            rest += strlen(text);
    }
    return is_several(word, reach) && *rest == '\0';
}

/* Words within which an utterance begins or ends, and which finals do not have whole. */
static long count_cut(const struct utter_transcript *offline, const struct measure_heard *heard,
                      int64_t reach)
{
    long cut = 0;
    for (size_t i = 0; i < offline->word_count; i++) {
        const struct utter_word *word = &offline->words[i];
        bool within = false;
        for (size_t k = 0; k < heard->utterance_count && !within; k++)
            within = is_within(heard->utterances[k].start, word, reach) ||
                     is_within(heard->utterances[k].end, word, reach);
        cut += within && !is_whole(heard, word, reach);
    }
    return cut;
}

/* Whether words `i` and `i + 1` are the same, and an utterance ends between them, near both. */
static bool same_across_edge(const struct measure_heard *heard, size_t i, int64_t reach)
{
    const struct utter_word *word = &heard->words[i];
    if (i + 1 >= heard->word_count || strcmp(word[0].text, word[1].text) != 0)
        return false;
    for (size_t k = 0; k < heard->utterance_count; k++) {
        int64_t edge = heard->utterances[k].end;
        if (edge > middle(&word[0]) && edge <= middle(&word[1]) && edge - word[0].end < reach &&
            word[1].start - edge < reach)
            return true;
    }
    return false;
}

static bool is_doubled(const struct measure_heard *heard, size_t i, int64_t reach)
{
    return same_across_edge(heard, i, reach) || (i > 0 && same_across_edge(heard, i - 1, reach));
}

/* Of the alignment of finals with the offline words: the errors near an edge. */
static void count_errors(const struct utter_transcript *offline, const struct measure_heard *heard,
                         const long *pairs, int64_t count, int64_t reach,
                         struct edge_errors *errors)
{
    struct score *score = &errors->score;
    size_t next = 0;
    for (size_t i = 0; i <= offline->word_count; i++) {
        bool last = i == offline->word_count;
        if (!last && pairs[i] < 0) {
            score->deletions += near_edge(heard, middle(&offline->words[i]), count, reach);
            continue;
        }
        size_t pair = last ? heard->word_count : (size_t)pairs[i];
        for (; next < pair; next++) {
            score->insertions += near_edge(heard, middle(&heard->words[next]), count, reach);
            errors->doubled += is_doubled(heard, next, reach);
        }
        if (last)
            break;
        if (strcmp(offline->words[i].text, heard->words[pair].text) != 0)
            score->substitutions += near_edge(heard, middle(&heard->words[pair]), count, reach);
        next = pair + 1;
    }
    score->reference += (long)offline->word_count;
}

void edges_count(const struct utter_transcript *offline, const struct measure_heard *heard,
                 const long *pairs, int64_t count, int rate, struct edge_errors *errors)
{
    int64_t reach = (int64_t)(REACH_SECONDS * rate);
    count_errors(offline, heard, pairs, count, reach, errors);
    errors->outside += count_outside(offline, heard, reach);
    errors->cut += count_cut(offline, heard, reach);
}

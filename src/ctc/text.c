/* SPDX-License-Identifier: MIT */
#include "ctc/text.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

/* No character's lower case is more than twice as long. */
enum { LOWER_CASE_GROWTH = 2 };

size_t ctc_text_bound(const struct ctc_labels *labels, size_t length)
{
    return (labels->do_lower_case ? LOWER_CASE_GROWTH * length : length) + 1;
}

static bool is_space(ucs4_t c)
{
    return uc_is_property_white_space(c);
}

/* Narrows [*text, *text + *length) to what lies between spaces. */
static void strip(const uint8_t **text, size_t *length)
{
    const uint8_t *begin = *text, *end = *text + *length;
    ucs4_t c;
    while (begin < end) {
        int n = u8_mbtouc(&c, begin, (size_t)(end - begin));
        if (!is_space(c))
            break;
        begin += n;
    }
    const uint8_t *previous;
    while (begin < end && (previous = u8_prev(&c, end, begin)) && is_space(c))
        end = previous;
    *text = begin;
    *length = (size_t)(end - begin);
}

/* u8_tolower() uses `out` when the result fits there, as it does. */
static size_t lower(const uint8_t *text, size_t length, char *out)
{
    size_t room = LOWER_CASE_GROWTH * length + 1;
    uint8_t *result = u8_tolower(text, length, NULL, NULL, (uint8_t *)out, &room);
    if (!result)
        room = 0;
    if (result != (uint8_t *)out && result) {
        if (room > LOWER_CASE_GROWTH * length)
            room = LOWER_CASE_GROWTH * length;
        memcpy(out, result, room);
        free(result);
    }
    return room;
}

/* The tokenizer's clean_up_tokenization: each pair is replaced everywhere, one pair after another.
 * A replacement is never longer. */
static void clean_up(char *text)
{
    static const char *const pairs[][2] = {
        {" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
        {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        size_t from = strlen(pairs[i][0]), to = strlen(pairs[i][1]);
        char *read = text, *write = text, *hit;
        while ((hit = strstr(read, pairs[i][0]))) {
            memmove(write, read, (size_t)(hit - read));
            write += hit - read;
            memcpy(write, pairs[i][1], to);
            write += to;
            read = hit + from;
        }
        memmove(write, read, strlen(read) + 1);
    }
}

size_t ctc_text_word(const struct ctc_labels *labels, const char *raw, size_t length, char *out)
{
    if (labels->do_lower_case)
        length = lower((const uint8_t *)raw, length, out);
    else
        memcpy(out, raw, length);
    out[length] = 0;
    return length;
}

size_t ctc_text_whole(const struct ctc_labels *labels, const char *raw, size_t length, char *out)
{
    const uint8_t *text = (const uint8_t *)raw;
    strip(&text, &length);
    length = ctc_text_word(labels, (const char *)text, length, out);
    if (labels->clean_up_tokenization_spaces)
        clean_up(out);
    return strlen(out);
}

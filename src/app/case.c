/* SPDX-License-Identifier: MIT */
#include "app/case.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

/* Appends `count` bytes to the growing text; false when out of memory. */
static bool append(char **text, size_t *length, const uint8_t *bytes, size_t count)
{
    char *larger = realloc(*text, *length + count + 1);
    if (larger == NULL)
        return false;
    memcpy(larger + *length, bytes, count);
    *length += count;
    larger[*length] = '\0';
    *text = larger;
    return true;
}

/* After which character the next letter begins a sentence. */
static bool ends_sentence(ucs4_t character)
{
    return character == '.' || character == '?' || character == '!' || character == 0x2026 ||
           character == 0x3002;
}

/* Lower case throughout, so that a final sigma is seen in its word; then the capitals. */
static char *sentence_case(const uint8_t *lower, size_t length, bool *sentence_start)
{
    char *text = NULL;
    size_t done = 0;
    if (!append(&text, &done, lower, 0))
        return NULL;
    for (size_t at = 0; at < length;) {
        ucs4_t character;
        size_t bytes = (size_t)u8_mbtouc(&character, lower + at, length - at);
        uint8_t title[32];
        size_t title_bytes = sizeof title;
        const uint8_t *piece = lower + at;
        size_t piece_bytes = bytes;
        if (*sentence_start && uc_is_property_alphabetic(character) &&
            u8_totitle(piece, bytes, NULL, NULL, title, &title_bytes) == title) {
            piece = title;
            piece_bytes = title_bytes;
        }
        if (ends_sentence(character))
            *sentence_start = true;
        else if (uc_is_property_alphabetic(character) || uc_is_property_decimal_digit(character))
            *sentence_start = false;
        if (!append(&text, &done, piece, piece_bytes)) {
            free(text);
            return NULL;
        }
        at += bytes;
    }
    return text;
}

char *case_apply(enum letter_case letter_case, const char *text, bool *sentence_start)
{
    if (letter_case == CASE_AS_IS || text[0] == '\0')
        return strdup(text);
    size_t length = 0;
    uint8_t *lower = u8_tolower((const uint8_t *)text, strlen(text), NULL, NULL, NULL, &length);
    if (lower == NULL)
        return NULL;
    char *result = NULL;
    if (letter_case == CASE_SENTENCE) {
        result = sentence_case(lower, length, sentence_start);
    } else {
        size_t end = 0;
        append(&result, &end, lower, length);
    }
    free(lower);
    return result;
}

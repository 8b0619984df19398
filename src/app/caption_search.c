/* SPDX-License-Identifier: MIT */
#include "app/caption_search.h"

#include <string.h>
#include <unicase.h>
#include <unistr.h>

/* Bytes of `text` that `wanted` takes there, or 0. */
static size_t match_here(const uint8_t *text, const uint8_t *wanted)
{
    const uint8_t *at = text;
    ucs4_t one, other;
    for (int length; *wanted != '\0'; at += length) {
        int own = u8_strmbtouc(&other, wanted);
        length = u8_strmbtouc(&one, at);
        if (length <= 0 || own <= 0 || uc_tolower(one) != uc_tolower(other))
            return 0;
        wanted += own;
    }
    return (size_t)(at - text);
}

bool caption_match(const char *text, size_t from, const char *wanted, size_t *start, size_t *length)
{
    const uint8_t *begin = (const uint8_t *)text;
    const uint8_t *at = begin + from;
    while (*at != '\0') {
        ucs4_t character;
        size_t found = match_here(at, (const uint8_t *)wanted);
        if (found > 0) {
            *start = (size_t)(at - begin);
            *length = found;
            return true;
        }
        int step = u8_strmbtouc(&character, at);
        at += step > 0 ? step : 1;
    }
    return false;
}

/* The last match in a caption that begins before `limit`. */
static bool last_match(const struct caption *caption, const char *wanted, size_t limit,
                       size_t *found)
{
    size_t start, length, from = 0;
    bool any = false;
    while (caption_match(caption->text, from, wanted, &start, &length) && start < limit) {
        *found = start;
        from = start + length;
        any = true;
    }
    return any;
}

bool caption_search_older(const struct captions *captions, const char *wanted,
                          struct caption_place *place)
{
    size_t count = captions_count(captions);
    size_t limit = place->caption < count ? place->byte : SIZE_MAX;
    for (size_t i = place->caption < count ? place->caption + 1 : count; i-- > 0;) {
        if (last_match(captions_at(captions, i), wanted, limit, &place->byte)) {
            place->caption = i;
            return true;
        }
        limit = SIZE_MAX;
    }
    return false;
}

bool caption_search_newer(const struct captions *captions, const char *wanted,
                          struct caption_place *place)
{
    size_t start, length, from = place->byte + 1;
    for (size_t i = place->caption; i < captions_count(captions); i++, from = 0) {
        const char *text = captions_at(captions, i)->text;
        while (from < strlen(text) && ((unsigned char)text[from] & 0xC0) == 0x80)
            from++; /* not into the middle of a character */
        if (from <= strlen(text) && caption_match(text, from, wanted, &start, &length)) {
            *place = (struct caption_place){i, start};
            return true;
        }
    }
    return false;
}

/* SPDX-License-Identifier: MIT */
#include "app/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unigbrk.h>
#include <unilbrk.h>
#include <unistr.h>
#include <uniwidth.h>
#include <wchar.h>

enum {
    ESCAPE = 0x1B,
    BELL = 0x07,
    STRING_TERMINATOR = 0x9C,
    CONTROL_SEQUENCE = 0x9B, /* the 8-bit forms of ESC [ and of ESC ] P X ^ _ */
    DEVICE_STRING = 0x90,
    START_OF_STRING = 0x98,
    SYSTEM_COMMAND = 0x9D,
    PRIVACY_MESSAGE = 0x9E,
    PROGRAM_COMMAND = 0x9F,
    REPLACEMENT = 0xFFFD,
};

/* Decodes the character at `text` (not at its end); broken bytes are one REPLACEMENT each. */
static size_t decode(const uint8_t *text, const uint8_t *end, ucs4_t *character)
{
    int length = u8_mbtoucr(character, text, (size_t)(end - text));
    if (length > 0)
        return (size_t)length;
    *character = REPLACEMENT;
    return 1;
}

/* After CSI: parameters, intermediates, one final byte. */
static const uint8_t *skip_control_sequence(const uint8_t *text, const uint8_t *end)
{
    while (text < end && *text >= 0x30 && *text <= 0x3F)
        text++;
    while (text < end && *text >= 0x20 && *text <= 0x2F)
        text++;
    return text < end && *text >= 0x40 && *text <= 0x7E ? text + 1 : text;
}

/* After OSC, DCS and the like: all up to its terminator. Without one, nothing is skipped. */
static const uint8_t *skip_string(const uint8_t *text, const uint8_t *end)
{
    for (const uint8_t *at = text; at < end;) {
        ucs4_t character;
        size_t length = decode(at, end, &character);
        if (character == BELL || character == STRING_TERMINATOR)
            return at + length;
        if (character == ESCAPE)
            return at + 1 < end && at[1] == '\\' ? at + 2 : at;
        at += length;
    }
    return text;
}

/* After ESC. */
static const uint8_t *skip_escape(const uint8_t *text, const uint8_t *end)
{
    if (text == end)
        return text;
    if (*text == '[')
        return skip_control_sequence(text + 1, end);
    if (*text != '\0' && strchr("]PX^_", *text) != NULL)
        return skip_string(text + 1, end);
    const uint8_t *start = text;
    while (text < end && *text >= 0x20 && *text <= 0x2F)
        text++;
    return text < end && *text >= 0x30 && *text <= 0x7E ? text + 1 : start;
}

static bool is_invisible_control(ucs4_t character)
{
    return character < 0x20 || (character >= 0x7F && character <= 0x9F) || /* C0, DEL, C1 */
           character == 0xAD ||                              /* soft hyphen: width depends */
           character == 0x61C ||                             /* Arabic letter mark */
           character == 0x180E ||                            /* Mongolian vowel separator */
           character == 0x200B ||                            /* zero width space */
           character == 0x200E || character == 0x200F ||     /* left-to-right, right-to-left mark */
           (character >= 0x202A && character <= 0x202E) ||   /* embeddings and overrides */
           (character >= 0x2060 && character <= 0x206F) ||   /* word joiner, isolates, deprecated */
           character == 0xFEFF ||                            /* byte order mark */
           (character >= 0xFFF9 && character <= 0xFFFB) ||   /* interlinear annotation */
           (character >= 0x1D173 && character <= 0x1D17A) || /* musical formatting */
           (character >= 0xE0000 && character <= 0xE0FFF);   /* tags */
}

static bool is_break(ucs4_t character)
{
    return (character >= '\t' && character <= '\r') || character == 0x85 || character == 0x2028 ||
           character == 0x2029;
}

char *text_clean(const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    const uint8_t *end = at + strlen(text);
    /* A broken byte grows to the three bytes of U+FFFD. */
    uint8_t *clean = malloc(3 * (size_t)(end - at) + 1);
    if (clean == NULL)
        return NULL;
    uint8_t *out = clean;
    while (at < end) {
        ucs4_t character;
        at += decode(at, end, &character);
        if (is_break(character)) {
            *out++ = ' ';
        } else if (character == ESCAPE) {
            at = skip_escape(at, end);
        } else if (character == CONTROL_SEQUENCE) {
            at = skip_control_sequence(at, end);
        } else if (character == SYSTEM_COMMAND || character == DEVICE_STRING ||
                   character == START_OF_STRING || character == PRIVACY_MESSAGE ||
                   character == PROGRAM_COMMAND) {
            at = skip_string(at, end);
        } else if (!is_invisible_control(character)) {
            /* Noncharacters pass u8_mbtoucr() but are no text. */
            if ((character & 0xFFFE) == 0xFFFE || (character >= 0xFDD0 && character <= 0xFDEF))
                character = REPLACEMENT;
            out += u8_uctomb(out, character, 6);
        }
    }
    *out = '\0';
    return (char *)clean;
}

void text_copy(char *destination, size_t size, const char *text)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t length = strlen(text);
    size_t taken = 0;
    while (taken < length) {
        ucs4_t character;
        size_t next = decode(bytes + taken, bytes + length, &character);
        if (taken + next >= size)
            break;
        taken += next;
    }
    memcpy(destination, text, taken);
    destination[taken] = '\0';
}

/* ncurses counts as wcwidth() does, which differs from libunistring in some hundred characters. */
static int character_width(ucs4_t character)
{
    int width = wcwidth((wchar_t)character);
    if (width < 0)
        width = uc_width(character, "UTF-8");
    return width < 0 ? 0 : width;
}

static int width_between(const uint8_t *at, const uint8_t *end)
{
    int width = 0;
    while (at < end) {
        ucs4_t character;
        at += decode(at, end, &character);
        width += character_width(character);
    }
    return width;
}

int text_width(const char *text, size_t bytes)
{
    const uint8_t *start = (const uint8_t *)text;
    return width_between(start, start + bytes);
}

size_t text_fit(const char *text, size_t bytes, int columns)
{
    const uint8_t *start = (const uint8_t *)text;
    const uint8_t *end = start + bytes;
    const uint8_t *at = start;
    int left = columns < 2 ? 2 : columns;
    while (at < end) {
        const uint8_t *next = u8_grapheme_next(at, end);
        int width = width_between(at, next);
        /* A cluster that is wider than a line is broken between its characters. */
        if (at == start && width > left) {
            ucs4_t character;
            next = at + decode(at, end, &character);
            width = width_between(at, next);
        }
        left -= width;
        if (left < 0)
            break;
        at = next;
    }
    return (size_t)(at - start);
}

/* The end of the line that begins at `start`; `breaks` says where a line may begin. */
static size_t line_end(const char *text, const char *breaks, size_t start, size_t length,
                       int columns)
{
    size_t fit = start + text_fit(text + start, length - start, columns);
    if (fit == length)
        return fit;
    /* A space that hangs over the edge does no harm: it is not shown. */
    size_t hang = fit;
    while (hang < length && text[hang] == ' ')
        hang++;
    for (size_t at = hang; at > start; at--)
        if (at == length || breaks[at] == UC_BREAK_POSSIBLE)
            return at;
    return fit;
}

size_t text_wrap(const char *text, int columns, struct text_line *lines, size_t limit)
{
    size_t length = strlen(text);
    char *breaks = malloc(length + 1);
    if (breaks == NULL)
        return 0;
    u8_possible_linebreaks((const uint8_t *)text, length, "UTF-8", breaks);
    size_t count = 0;
    size_t start = strspn(text, " ");
    while (start < length) {
        size_t next = line_end(text, breaks, start, length, columns);
        size_t end = next;
        while (end > start && text[end - 1] == ' ')
            end--;
        if (count < limit)
            lines[count] = (struct text_line){start, end, text_width(text + start, end - start)};
        count++;
        start = next + strspn(text + next, " ");
    }
    free(breaks);
    return count;
}

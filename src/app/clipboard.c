/* SPDX-License-Identifier: MIT */
#include "app/clipboard.h"

#include <stdlib.h>
#include <string.h>

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Four letters for up to three bytes. */
static void encode(const unsigned char *bytes, size_t count, char *out)
{
    unsigned long bits = (unsigned long)bytes[0] << 16;
    bits |= count > 1 ? (unsigned long)bytes[1] << 8 : 0;
    bits |= count > 2 ? bytes[2] : 0;
    for (size_t i = 0; i < 4; i++)
        out[i] = '=';
    for (size_t i = 0; i <= count; i++)
        out[i] = LETTERS[bits >> (18 - 6 * i) & 63];
}

char *clipboard_sequence(const char *text, size_t length)
{
    static const char begin[] = "\033]52;c;", end[] = "\a";
    char *sequence = malloc(sizeof begin + (length + 2) / 3 * 4 + sizeof end);
    if (sequence == NULL)
        return NULL;
    char *out = stpcpy(sequence, begin);
    for (size_t i = 0; i < length; i += 3, out += 4)
        encode((const unsigned char *)text + i, length - i < 3 ? length - i : 3, out);
    strcpy(out, end);
    return sequence;
}

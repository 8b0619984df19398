/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <string.h>
#include <unistr.h>

enum { ESCAPE = 0x1b, BELL = 0x07, DELETE = 0x7f, C1_FIRST = 0x80, C1_LAST = 0x9f };

bool utf8_is_shown(uint32_t c)
{
    if (c < 0x20 || (c >= DELETE && c <= C1_LAST))
        return false;
    return !(c == 0x061c || (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
             (c >= 0x2066 && c <= 0x2069));
}

/* Bytes up to and with the one that ends a control sequence (ESC [ or CSI came before). */
static const uint8_t *skip_control_sequence(const uint8_t *p)
{
    while (*p >= 0x20 && *p <= 0x3f)
        p++;
    return *p >= 0x40 && *p <= 0x7e ? p + 1 : p;
}

/* A string sequence (title, hyperlink, ...) lasts until BEL or ESC \. */
static const uint8_t *skip_string_sequence(const uint8_t *p)
{
    for (; *p; p++) {
        if (*p == BELL)
            return p + 1;
        if (*p == ESCAPE)
            return p[1] == '\\' ? p + 2 : p;
    }
    return p;
}

static const uint8_t *skip_escape(const uint8_t *p)
{
    if (*p == '[')
        return skip_control_sequence(p + 1);
    if (*p && strchr("]PX^_", *p))
        return skip_string_sequence(p + 1);
    while (*p >= 0x20 && *p <= 0x2f)
        p++;
    return *p >= 0x30 && *p <= 0x7e ? p + 1 : p;
}

size_t utf8_clean(const char *text, char *out)
{
    const uint8_t *p = (const uint8_t *)text;
    uint8_t *o = (uint8_t *)out;
    while (*p) {
        ucs4_t c;
        int length = u8_strmbtouc(&c, p);
        if (length <= 0) {
            memcpy(o, "\xef\xbf\xbd", 3);
            o += 3;
            p++;
            continue;
        }
        p += length;
        if (c == ESCAPE) {
            p = skip_escape(p);
        } else if (c == 0x9b) {
            p = skip_control_sequence(p);
        } else if (utf8_is_shown(c)) {
            memcpy(o, p - length, (size_t)length);
            o += length;
        }
    }
    *o = 0;
    return (size_t)(o - (uint8_t *)out);
}

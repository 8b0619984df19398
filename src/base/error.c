/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>
#include <unistr.h>

static void make_printable(char *text)
{
    uint8_t *p = (uint8_t *)text;
    while (*p) {
        ucs4_t c;
        int length = u8_strmbtouc(&c, p);
        if (length <= 0) {
            *p++ = '?';
        } else if (utf8_is_shown(c)) {
            p += length;
        } else {
            for (int i = 0; i < length; i++)
                *p++ = '?';
        }
    }
}

enum utter_code error_set(struct utter_error *error, enum utter_code code, const char *format, ...)
{
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(error->message, sizeof error->message, format, arguments);
        va_end(arguments);
        error->code = code;
        make_printable(error->message);
    }
    return code;
}

enum utter_code error_memory(struct utter_error *error, const char *what)
{
    return error_set(error, UTTER_ERROR_MEMORY, "out of memory for %s", what);
}

const char *error_path(const char *path)
{
    enum { SHOWN_MAX = 240 };
    size_t length = strlen(path);
    if (length <= SHOWN_MAX)
        return path;
    const char *tail = path + length - SHOWN_MAX;
    while ((*tail & 0xc0) == 0x80) /* inside a character */
        tail++;
    return tail;
}

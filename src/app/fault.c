/* SPDX-License-Identifier: MIT */
#include "app/fault.h"

#include "app/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool fault_set(struct utter_error *error, enum utter_code code, const char *format, ...)
{
    if (error == NULL)
        return false;
    char line[2 * sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);

    error->code = code;
    char *clean = text_clean(line);
    text_copy(error->message, sizeof error->message, clean != NULL ? clean : "out of memory");
    free(clean);
    return false;
}

bool fault_memory(struct utter_error *error)
{
    return fault_set(error, UTTER_ERROR_MEMORY, "out of memory");
}

void fault_print(const char *format, ...)
{
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);

    char *clean = text_clean(line);
    fprintf(stderr, "utter: %s\n", clean != NULL ? clean : "out of memory");
    free(clean);
}

/* SPDX-License-Identifier: MIT */
/* base/error.c without libunistring, of which there is none where test_aarch64.sh runs. */
#include "base/error.h"

enum utter_code error_set(struct utter_error *error, enum utter_code code, const char *format, ...)
{
    (void)format;
    if (error)
        error->code = code;
    return code;
}

enum utter_code error_memory(struct utter_error *error, const char *what)
{
    return error_set(error, UTTER_ERROR_MEMORY, what);
}

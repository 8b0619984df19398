/* SPDX-License-Identifier: MIT */
#include "stream/options.h"

#include "base/error.h"

#include <string.h>

enum utter_code options_read(void *known, size_t known_size, const void *given, const char *what,
                             struct utter_error *error)
{
    size_t size;
    if (!given)
        return UTTER_OK;
    memcpy(&size, given, sizeof size);
    if (size < sizeof size)
        return error_set(error, UTTER_ERROR_ARGUMENT,
                         "%s: size is not set; begin with the _INIT macro", what);
    for (size_t i = known_size; i < size; i++)
        if (((const unsigned char *)given)[i])
            return error_set(error, UTTER_ERROR_ARGUMENT,
                             "%s: sets an option that this version of the library does not know",
                             what);
    memcpy(known, given, size < known_size ? size : known_size);
    return UTTER_OK;
}

enum utter_code options_check(const struct option_range *ranges, size_t count,
                              struct utter_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const struct option_range *range = &ranges[i];
        if (*range->value == 0)
            *range->value = range->fallback;
        if (*range->value < range->least || *range->value > range->most)
            return error_set(error, UTTER_ERROR_ARGUMENT, "%s is %d; it may be %d to %d",
                             range->name, *range->value, range->least, range->most);
    }
    return UTTER_OK;
}

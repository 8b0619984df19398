/* SPDX-License-Identifier: MIT */
#include "app/input_match.h"

#include <stdbool.h>
#include <string.h>

static bool has_part(const char *const names[2], const char *wanted)
{
    return (names[0] != NULL && strcasestr(names[0], wanted) != NULL) ||
           (names[1] != NULL && strcasestr(names[1], wanted) != NULL);
}

static bool is_called(const char *const names[2], const char *wanted)
{
    return (names[0] != NULL && strcmp(names[0], wanted) == 0) ||
           (names[1] != NULL && strcmp(names[1], wanted) == 0);
}

int input_match(const char *const (*names)[2], size_t count, const char *wanted, int could_be[2])
{
    int found = INPUT_NONE;
    for (size_t i = 0; i < count; i++)
        if (is_called(names[i], wanted))
            return (int)i;
    for (size_t i = 0; i < count; i++) {
        if (!has_part(names[i], wanted))
            continue;
        if (found == INPUT_NONE) {
            found = (int)i;
        } else if (!is_called(names[i], names[found][0])) {
            could_be[0] = found;
            could_be[1] = (int)i;
            return INPUT_AMBIGUOUS;
        }
    }
    return found;
}

/* SPDX-License-Identifier: MIT */
/**
 * How each part of the screen looks. In every theme parts differ by more than colour: by words,
 * signs, underline, brightness or italics. Main thread, while ncurses has the terminal.
 */
#ifndef APP_THEME_H
#define APP_THEME_H

#include "app/theme_names.h"

#include <ncurses.h>
#include <stdbool.h>

enum theme_role {
    ROLE_FIRM,   /**< words that stay */
    ROLE_LIKELY, /**< words that two decodes agree on */
    ROLE_DRAFT,  /**< words that may still change */
    ROLE_UNSURE, /**< firm words of low confidence */
    ROLE_NOTICE, /**< not speech: a gap, a pause */
    ROLE_TIME,
    ROLE_SPEAKER_1,
    ROLE_SPEAKER_2,
    ROLE_MATCH, /**< what was searched for */
    ROLE_SELECTED,
    ROLE_MARK,
    ROLE_GOOD,
    ROLE_WARNING,
    ROLE_BAD,
    ROLE_STRONG, /**< the status line's first words, titles */
    ROLE_HELP,
    ROLE_COUNT,
};

struct theme {
    enum theme_name name;
    enum theme_confidence confidence;
    bool colours; /**< the terminal has some, and NO_COLOR is not set */
    attr_t attributes[ROLE_COUNT];
};

/** Looks at the terminal's abilities once, before themes are set. */
void theme_start(struct theme *theme);
void theme_set(struct theme *theme, enum theme_name name, enum theme_confidence confidence);

/** What the whole screen stands on; for wbkgd(). */
attr_t theme_ground(const struct theme *theme);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * What the keys do. Every action has a name, a line of help and keys of its own, which the
 * configuration may replace. Knows ncurses' codes of keys, and no terminal. Main thread.
 */
#ifndef APP_KEYS_H
#define APP_KEYS_H

#include "utter.h"

enum action {
    ACTION_NONE, /**< no key, or one without a meaning */
    ACTION_QUIT,
    ACTION_PAUSE,
    ACTION_MUTE,
    ACTION_SAVE,
    ACTION_DEVICE,
    ACTION_MODEL,
    ACTION_CLEAR,
    ACTION_UP,
    ACTION_DOWN,
    ACTION_PAGE_UP,
    ACTION_PAGE_DOWN,
    ACTION_OLDEST,
    ACTION_NEWEST,
    ACTION_SEARCH,
    ACTION_SEARCH_OLDER,
    ACTION_SEARCH_NEWER,
    ACTION_MARK,
    ACTION_LAST_MARK,
    ACTION_SELECT_UP,
    ACTION_SELECT_DOWN,
    ACTION_COPY,
    ACTION_TIMES,
    ACTION_LARGE,
    ACTION_MORE_LINES,
    ACTION_FEWER_LINES,
    ACTION_THEME,
    ACTION_CONFIDENCE,
    ACTION_CANCEL,
    ACTION_REDRAW,
    ACTION_HELP,
    ACTION_COUNT,
};

enum { KEYS_OF_ACTION = 4 };

/** Added to ncurses' KEY_... codes, which would otherwise be characters of Unicode, too. */
#define KEYS_FUNCTION 0x1000000

/** Characters, or KEYS_FUNCTION + KEY_...; 0 where there is none. */
struct keys {
    int codes[ACTION_COUNT][KEYS_OF_ACTION];
};

void keys_default(struct keys *keys);

/**
 * Gives an action other keys: names with commas between them, such as "q, ctrl-q", "space",
 * "page up", "f5"; an empty list takes its keys away. A key that had another action leaves it.
 */
bool keys_bind(struct keys *keys, const char *action, const char *list, struct utter_error *error);

enum action keys_action(const struct keys *keys, int code);

/** As the configuration spells it: "page-up". */
const char *keys_action_name(enum action action);
/** A few words for people. */
const char *keys_action_help(enum action action);
/** "q Q", the keys of an action; empty when it has none. `size` at least 1. */
void keys_describe(const struct keys *keys, enum action action, char *text, size_t size);

#endif

/* SPDX-License-Identifier: MIT */
#include "app/keys.h"
#include "app/fault.h"

#include <ctype.h>
#include <ncurses.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistr.h>

#define FUNCTION(key) (KEYS_FUNCTION + (key))
#define CONTROL(letter) ((letter)&0x1f)

static const struct {
    const char *name;
    const char *help;
    int codes[KEYS_OF_ACTION];
} ACTIONS[ACTION_COUNT] = {
    [ACTION_QUIT] = {"quit", "end; what was heard is kept", {'q', 'Q'}},
    [ACTION_PAUSE] = {"pause", "pause, and go on", {' ', 'p'}},
    [ACTION_MUTE] = {"mute", "hear nothing while time goes on", {'u'}},
    [ACTION_SAVE] = {"save", "write everything to disk now", {'s'}},
    [ACTION_DEVICE] = {"device", "choose another input", {'d'}},
    [ACTION_MODEL] = {"model", "choose another model", {'o'}},
    [ACTION_CLEAR] = {"clear", "an empty screen; nothing is deleted", {'x'}},
    [ACTION_UP] = {"up", "a line up", {FUNCTION(KEY_UP), 'k'}},
    [ACTION_DOWN] = {"down", "a line down", {FUNCTION(KEY_DOWN), 'j'}},
    [ACTION_PAGE_UP] = {"page-up", "a page up", {FUNCTION(KEY_PPAGE), CONTROL('b')}},
    [ACTION_PAGE_DOWN] = {"page-down", "a page down", {FUNCTION(KEY_NPAGE), CONTROL('f')}},
    [ACTION_OLDEST] = {"oldest", "to the first words", {FUNCTION(KEY_HOME), 'g'}},
    [ACTION_NEWEST] = {"newest", "to the newest words, and follow them", {FUNCTION(KEY_END), 'G'}},
    [ACTION_SEARCH] = {"search", "search", {'/'}},
    [ACTION_SEARCH_OLDER] = {"search-older", "the match before", {'n'}},
    [ACTION_SEARCH_NEWER] = {"search-newer", "the match after", {'N'}},
    [ACTION_MARK] = {"mark", "mark the selected or newest words, or not", {'m'}},
    [ACTION_LAST_MARK] = {"last-mark", "to the last mark, then the one before", {'\''}},
    [ACTION_SELECT_UP] = {"select-up", "select the words before", {FUNCTION(KEY_SR), '['}},
    [ACTION_SELECT_DOWN] = {"select-down", "select the words after", {FUNCTION(KEY_SF), ']'}},
    [ACTION_COPY] = {"copy", "copy what is selected, or the last utterance", {'y'}},
    [ACTION_TIMES] = {"times", "show times, or not", {'t'}},
    [ACTION_LARGE] = {"large", "large letters, or not", {'l'}},
    [ACTION_MORE_LINES] = {"more-lines", "more lines of captions", {'+', '='}},
    [ACTION_FEWER_LINES] = {"fewer-lines", "fewer lines of captions", {'-'}},
    [ACTION_THEME] = {"theme", "the next theme of colours", {'c'}},
    [ACTION_CONFIDENCE] = {"confidence", "unsure words: underlined, shaded, as all", {'w'}},
    [ACTION_CANCEL] = {"cancel", "forget the selection and the search", {0x1b}},
    [ACTION_REDRAW] = {"redraw", "draw the screen anew", {CONTROL('l')}},
    [ACTION_HELP] = {"help", "this list", {'?', FUNCTION(KEY_F(1))}},
};

static const struct {
    const char *name; /* in the configuration */
    const char *sign; /* on the screen */
    int code;
} NAMES[] = {
    {"space", "space", ' '},
    {"comma", ",", ','},
    {"escape", "esc", 0x1b},
    {"enter", "enter", '\r'},
    {"tab", "tab", '\t'},
    {"up", "↑", FUNCTION(KEY_UP)},
    {"down", "↓", FUNCTION(KEY_DOWN)},
    {"left", "←", FUNCTION(KEY_LEFT)},
    {"right", "→", FUNCTION(KEY_RIGHT)},
    {"shift-up", "shift-↑", FUNCTION(KEY_SR)},
    {"shift-down", "shift-↓", FUNCTION(KEY_SF)},
    {"page up", "PgUp", FUNCTION(KEY_PPAGE)},
    {"page down", "PgDn", FUNCTION(KEY_NPAGE)},
    {"home", "Home", FUNCTION(KEY_HOME)},
    {"end", "End", FUNCTION(KEY_END)},
    {"insert", "Ins", FUNCTION(KEY_IC)},
    {"delete", "Del", FUNCTION(KEY_DC)},
    {"backspace", "backspace", FUNCTION(KEY_BACKSPACE)},
};
enum { NAME_COUNT = sizeof NAMES / sizeof NAMES[0] };

void keys_default(struct keys *keys)
{
    for (int action = 0; action < ACTION_COUNT; action++)
        memcpy(keys->codes[action], ACTIONS[action].codes, sizeof keys->codes[action]);
}

const char *keys_action_name(enum action action)
{
    return ACTIONS[action].name != NULL ? ACTIONS[action].name : "";
}

const char *keys_action_help(enum action action)
{
    return ACTIONS[action].help != NULL ? ACTIONS[action].help : "";
}

enum action keys_action(const struct keys *keys, int code)
{
    for (int action = 0; code != 0 && action < ACTION_COUNT; action++)
        for (int i = 0; i < KEYS_OF_ACTION; i++)
            if (keys->codes[action][i] == code)
                return (enum action)action;
    return ACTION_NONE;
}

/* The code of a key's name; 0 when it is none. */
static int parse_key(const char *name)
{
    int number, end = 0;
    for (int i = 0; i < NAME_COUNT; i++)
        if (strcasecmp(NAMES[i].name, name) == 0)
            return NAMES[i].code;
    if (sscanf(name, "%*1[fF]%2d%n", &number, &end) == 1 && name[end] == '\0' && number >= 1 &&
        number <= 63)
        return FUNCTION(KEY_F(number));
    if (strncasecmp(name, "ctrl-", 5) == 0 && isalpha((unsigned char)name[5]) && name[6] == '\0')
        return CONTROL(tolower((unsigned char)name[5]));
    ucs4_t character;
    int length = u8_mbtoucr(&character, (const uint8_t *)name, strlen(name));
    return length > 0 && name[length] == '\0' && character > ' ' ? (int)character : 0;
}

static int find_action(const char *name)
{
    for (int action = 1; action < ACTION_COUNT; action++)
        if (strcmp(ACTIONS[action].name, name) == 0)
            return action;
    return ACTION_NONE;
}

/* Takes the key away from whatever it did. */
static void unbind(struct keys *keys, int code)
{
    for (int action = 0; action < ACTION_COUNT; action++)
        for (int i = 0; i < KEYS_OF_ACTION; i++)
            if (keys->codes[action][i] == code)
                keys->codes[action][i] = 0;
}

bool keys_bind(struct keys *keys, const char *name, const char *list, struct utter_error *error)
{
    char copy[256], *rest = copy, *word;
    int codes[KEYS_OF_ACTION] = {0};
    int count = 0;
    int action = find_action(name);
    if (action == ACTION_NONE)
        return fault_set(error, UTTER_ERROR_ARGUMENT, "there is no action \"%.60s\"", name);
    snprintf(copy, sizeof copy, "%s", list);
    while ((word = strsep(&rest, ",")) != NULL) {
        word += strspn(word, " \t");
        for (size_t length = strlen(word); length > 0 && strchr(" \t", word[length - 1]) != NULL;)
            word[--length] = '\0';
        if (word[0] == '\0')
            continue;
        int code = parse_key(word);
        if (code == 0)
            return fault_set(error, UTTER_ERROR_ARGUMENT,
                             "\"%.60s\" is no key: a character, ctrl-x, f1, space, page up, ...",
                             word);
        if (count == KEYS_OF_ACTION)
            return fault_set(error, UTTER_ERROR_ARGUMENT, "an action has %d keys at most",
                             KEYS_OF_ACTION);
        codes[count++] = code;
    }
    for (int i = 0; i < count; i++)
        unbind(keys, codes[i]);
    memcpy(keys->codes[action], codes, sizeof codes);
    return true;
}

static void describe_key(int code, char *text, size_t size)
{
    for (int i = 0; i < NAME_COUNT; i++) {
        if (NAMES[i].code == code) {
            snprintf(text, size, "%s", NAMES[i].sign);
            return;
        }
    }
    uint8_t character[8] = "";
    if (code >= FUNCTION(KEY_F0))
        snprintf(text, size, "F%d", code - FUNCTION(KEY_F0));
    else if (code < ' ')
        snprintf(text, size, "ctrl-%c", code + 'a' - 1);
    else if (u8_uctomb(character, (ucs4_t)code, sizeof character - 1) > 0)
        snprintf(text, size, "%s", (const char *)character);
}

void keys_describe(const struct keys *keys, enum action action, char *text, size_t size)
{
    text[0] = '\0';
    for (int i = 0; i < KEYS_OF_ACTION; i++) {
        char key[32] = "";
        if (keys->codes[action][i] == 0)
            continue;
        describe_key(keys->codes[action][i], key, sizeof key);
        size_t length = strlen(text);
        snprintf(text + length, size - length, "%s%s", length > 0 ? " " : "", key);
    }
}

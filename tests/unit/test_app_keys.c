/* SPDX-License-Identifier: MIT */
/* Keys and their names; large letters; what goes to the clipboard; which input is meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "app/block_font.h"
#include "app/clipboard.h"
#include "app/input_match.h"
#include "app/keys.h"

#include <cmocka.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>

static void every_action_has_a_key_of_its_own(void **state)
{
    (void)state;
    struct keys keys;
    keys_default(&keys);
    for (int action = 1; action < ACTION_COUNT; action++) {
        assert_true(keys_action_name(action)[0] != '\0' && keys_action_help(action)[0] != '\0');
        assert_int_not_equal(keys.codes[action][0], 0);
        for (int i = 0; i < KEYS_OF_ACTION && keys.codes[action][i] != 0; i++)
            assert_int_equal(keys_action(&keys, keys.codes[action][i]), action);
    }
    assert_int_equal(keys_action(&keys, 0), ACTION_NONE);
    assert_int_equal(keys_action(&keys, KEY_UP), ACTION_NONE); /* a letter of that code */
}

static void keys_can_be_bound(void **state)
{
    (void)state;
    struct keys keys;
    struct utter_error error;
    char text[64];
    keys_default(&keys);
    assert_true(keys_bind(&keys, "quit", " space , Ctrl-Q,page up,F12, ä", &error) == false);
    assert_true(keys_bind(&keys, "quit", " space , Ctrl-Q,page up,F12", &error));
    keys_describe(&keys, ACTION_QUIT, text, sizeof text);
    assert_string_equal(text, "space ctrl-q PgUp F12");
    assert_int_equal(keys_action(&keys, ' '), ACTION_QUIT);
    assert_int_equal(keys_action(&keys, 'p'), ACTION_PAUSE); /* which lost its space */
    assert_int_equal(keys_action(&keys, KEYS_FUNCTION + KEY_F(12)), ACTION_QUIT);
    assert_int_equal(keys_action(&keys, 'q'), ACTION_NONE);
    assert_true(keys_bind(&keys, "copy", "ä,comma", &error));
    assert_int_equal(keys_action(&keys, 0xe4), ACTION_COPY);
    assert_int_equal(keys_action(&keys, ','), ACTION_COPY);
    assert_true(keys_bind(&keys, "copy", "", &error));
    assert_int_equal(keys_action(&keys, 0xe4), ACTION_NONE);
    assert_false(keys_bind(&keys, "fly", "f", &error));
    assert_non_null(strstr(error.message, "no action \"fly\""));
    static const char *const bad[] = {"hyper-q", "f64", "f0", "ctrl-1", "ctrl-", "ab", "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(keys_bind(&keys, "quit", bad[i], &error));
}

static void assert_block(const char *cluster, const char *expected)
{
    char rows[BLOCK_ROWS][BLOCK_ROW_BYTES];
    char all[BLOCK_ROWS * BLOCK_ROW_BYTES] = "";
    assert_true(block_font_draw(cluster, strlen(cluster), rows));
    for (int row = 0; row < BLOCK_ROWS; row++)
        strcat(strcat(all, rows[row]), "|");
    assert_string_equal(all, expected);
}

static void letters_are_large(void **state)
{
    (void)state;
    char rows[BLOCK_ROWS][BLOCK_ROW_BYTES];
    assert_block("A", " ▄▄▄  |█   █ |█▀▀▀█ |█   █ |");
    assert_block("a", " ▄▄▄  |█   █ |█▀▀▀█ |█   █ |");
    assert_block("Ä", " █▄█  |█   █ |█▀▀▀█ |█   █ |");
    assert_block("A\xcc\x88", " █▄█  |█   █ |█▀▀▀█ |█   █ |");
    assert_block(" ", "      |      |      |      |");
    assert_false(block_font_draw("語", 3, rows));
    assert_false(block_font_draw("", 0, rows));
    assert_false(block_font_draw("a\xcc\x88\xcc\x81", 5, rows));
}

static void assert_copied(const char *text, const char *expected)
{
    char *sequence = clipboard_sequence(text, strlen(text));
    assert_string_equal(sequence, expected);
    free(sequence);
}

static void the_clipboard_has_base64(void **state)
{
    (void)state;
    assert_copied("", "\033]52;c;\a");
    assert_copied("f", "\033]52;c;Zg==\a");
    assert_copied("fo", "\033]52;c;Zm8=\a");
    assert_copied("foobar", "\033]52;c;Zm9vYmFy\a");
    assert_copied("ü~?", "\033]52;c;w7x+Pw==\a");
}

static void inputs_are_found_by_name(void **state)
{
    (void)state;
    static const char *const names[][2] = {{"default", NULL},
                                           {NULL, NULL},
                                           {"USB Camera", NULL},
                                           {"alsa.usb", "USB Headset"},
                                           {"alsa.pci.monitor", "Monitor of Speakers"},
                                           {"USB Camera", NULL}};
    int could_be[2];
    assert_int_equal(input_match(names, 6, "default", could_be), 0);
    assert_int_equal(input_match(names, 6, "camera", could_be), 2); /* twice the same name */
    assert_int_equal(input_match(names, 6, "headset", could_be), 3);
    assert_int_equal(input_match(names, 6, "Monitor of Speakers", could_be), 4);
    assert_int_equal(input_match(names, 6, "pci", could_be), 4);
    assert_int_equal(input_match(names, 6, "usb", could_be), INPUT_AMBIGUOUS);
    assert_int_equal(could_be[0], 2);
    assert_int_equal(could_be[1], 3);
    assert_int_equal(input_match(names, 6, "webcam", could_be), INPUT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_action_has_a_key_of_its_own),
        cmocka_unit_test(keys_can_be_bound),
        cmocka_unit_test(letters_are_large),
        cmocka_unit_test(the_clipboard_has_base64),
        cmocka_unit_test(inputs_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *text, const char *expected)
{
    char out[256];
    assert_int_equal(utf8_clean(text, out), strlen(expected));
    assert_string_equal(out, expected);
}

static void what_steers_a_terminal_is_taken_out(void **state)
{
    (void)state;
    check("plain ünïcödé 漢字 🎤", "plain ünïcödé 漢字 🎤");
    check("a\tb\nc\r\x7f"
          "d\b",
          "abcd");
    check("\x1b[31mred\x1b[0m \x1b[2J\x1b[1;1Hx", "red x");
    check("\x1b]0;title\x07z\x1b]8;;http://x\x1b\\link", "zlink");
    check("\x1bPq#0\x1b\\after \x1b(Bcharset \x1b"
          "cend",
          "after charset end");
    check("c1 \xc2\x9b"
          "31mred\xc2\x85",
          "c1 red");
    check("a\xe2\x80\xae"
          "b\xe2\x81\xa6"
          "c\xd8\x9c\xe2\x80\x8e"
          "d",
          "abcd");
    check("bad \xff\xc3", "bad \xef\xbf\xbd\xef\xbf\xbd");
    check("unfinished \x1b[12", "unfinished ");
    check("unfinished \x1b]0;x", "unfinished ");
    check("unfinished \x1b", "unfinished ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_steers_a_terminal_is_taken_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/**
 * The clipboard of the terminal, wherever it runs: the control sequence OSC 52, which most
 * terminals and tmux understand. Whether one did, nobody says. Any thread.
 */
#ifndef APP_CLIPBOARD_H
#define APP_CLIPBOARD_H

#include <stddef.h>

/** Terminals take so many bytes of text at most. */
enum { CLIPBOARD_LIMIT = 74994 / 4 * 3 };

/** The sequence that puts `length` bytes of text there; the caller frees it. NULL: no memory. */
char *clipboard_sequence(const char *text, size_t length);

#endif

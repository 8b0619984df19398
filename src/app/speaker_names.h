/* SPDX-License-Identifier: MIT */
/** What the speakers 1 and 2 of --split, and the inputs of --mix, are called. Any thread. */
#ifndef APP_SPEAKER_NAMES_H
#define APP_SPEAKER_NAMES_H

static const char *const SPEAKER_NAMES[] = {"mic", "desktop"};

#endif

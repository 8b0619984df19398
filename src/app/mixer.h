/* SPDX-License-Identifier: MIT */
/**
 * Two microphones as one source: what both hear, added. Each is resampled to the mixer's rate and
 * laid where its own clock says. An input that stays away is silent: the mix goes on without it a
 * second later, the status says so, and source_next_gap() tells what of it was lost when it is back
 * or at the end. Where neither has anything the mix has a gap. Of two sound cards whose crystals
 * differ, the slower one's audio is moved by up to a second once that has added up.
 *
 * For the main thread; the inputs' pumps push under a lock of the mixer's own.
 */
#ifndef APP_MIXER_H
#define APP_MIXER_H

#include "app/source.h"

/** Takes both inputs over, also on failure. `rate` is the mix's, Hz. */
struct source *mixer_open(struct source *const inputs[2], int rate, struct utter_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * Silences libraries that print to standard error (ALSA, JACK, the MPEG decoder) for a while, by
 * pointing descriptor 2 at /dev/null. Process-wide: from the main thread, around one call.
 */
#ifndef APP_QUIET_H
#define APP_QUIET_H

struct quiet {
    int saved; /**< the real standard error, or -1 when it could not be moved */
};

struct quiet quiet_begin(void);
void quiet_end(struct quiet *quiet);

#endif

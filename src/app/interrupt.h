/* SPDX-License-Identifier: MIT */
/**
 * Ctrl-C, a closed terminal or `kill` end the program at once, but never while a file is being
 * written: then they wait until the file is whole. Main thread.
 */
#ifndef APP_INTERRUPT_H
#define APP_INTERRUPT_H

/** From now on, for the life of the process. */
void interrupt_prepare(void);

/** Between these two, signals wait. */
void interrupt_hold(void);
void interrupt_release(void);

#endif

/* SPDX-License-Identifier: MIT */
/** Memory as the system hands it out. Any thread. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/**
 * Asks for the pages of memory that is about to be written, in one call, where each would else be
 * asked for by a fault of its own. What is there stays; on a system that cannot, nothing happens.
 */
void memory_expect(void *memory, size_t bytes);

#endif

/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

void memory_expect(void *memory, size_t bytes)
{
#ifdef MADV_POPULATE_WRITE
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t before = (uintptr_t)memory % page;
    size_t whole = (before + bytes + page - 1) / page * page;
    madvise((char *)memory - before, whole, MADV_POPULATE_WRITE);
#else
    (void)memory;
    (void)bytes;
#endif
}

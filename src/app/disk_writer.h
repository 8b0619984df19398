/* SPDX-License-Identifier: MIT */
/**
 * A thread that writes to a file, so that a disk that hangs (a network share that is gone, a stick
 * that is full and slow) holds nobody up for longer than a moment. A disk that is well has the
 * bytes before the call returns that gave them, so that no crash of ours takes them back. Nothing
 * is ever dropped: what the system has not taken waits in memory, in order. That of an hour of
 * speech is about a megabyte.
 *
 * One thread at a time.
 */
#ifndef APP_DISK_WRITER_H
#define APP_DISK_WRITER_H

#include <stdbool.h>
#include <stddef.h>

struct disk_writer;

enum disk_state {
    DISK_WRITTEN,   /* the system has all of it */
    DISK_BUSY,      /* not yet, but that is no reason to worry */
    DISK_HANGS,     /* a write has been on its way for more than a second */
    DISK_REFUSES,   /* it is tried again with the next call */
    DISK_NO_MEMORY, /* what was given is not kept */
};

/** `descriptor` stays the caller's and must outlive it. NULL when there can be no thread. */
struct disk_writer *disk_writer_start(int descriptor);

/** Takes a copy, and waits for the disk, but not for longer than 10 ms. `*number` is the errno of a
 * refusal. */
enum disk_state disk_writer_give(struct disk_writer *writer, const char *bytes, size_t count,
                                 int *number);

/** Waits until all is written or refused, however long that takes, and frees. */
enum disk_state disk_writer_stop(struct disk_writer *writer, int *number);

/** The same without a thread: writes what the system takes and returns how many bytes that was. */
size_t disk_writer_through(int descriptor, const char *bytes, size_t count);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * A thread that tells the disk to keep what was written (fdatasync), so that a slow disk holds
 * nobody up who writes. One thread at a time.
 */
#ifndef APP_DISK_SYNC_H
#define APP_DISK_SYNC_H

#include "utter.h"

struct disk_sync;

/**
 * `descriptor` stays the caller's and must outlive it; the file's name in `directory` is kept with
 * the first request. NULL when a thread does not start.
 */
struct disk_sync *disk_sync_start(int descriptor, const char *directory, struct utter_error *error);

/** What was written up to now is to be kept. Never waits. */
void disk_sync_request(struct disk_sync *sync);

/** The errno of the last request that is done; 0: it is kept. */
int disk_sync_failure(const struct disk_sync *sync);

/** Waits for the last request, frees, and returns its errno; 0: it is kept. NULL is allowed. */
int disk_sync_stop(struct disk_sync *sync);

/** One request that waits: 0, or an errno. For who has no thread. */
int disk_sync_now(int descriptor);

#endif

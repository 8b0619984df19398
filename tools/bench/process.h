/* SPDX-License-Identifier: MIT */
/**
 * What a benchmark asks of the operating system: clocks, its own peak memory, children. Linux.
 */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Seconds since some moment. */
double clock_wall(void);

/** Seconds of CPU that this process, all of its threads, took. */
double clock_cpu(void);

/**
 * Peak resident memory of this process in bytes, mapped pages included: VmHWM; -1 when the system
 * does not say.
 */
int64_t process_peak_memory(void);

/**
 * Runs `function` in a process of its own and returns its exit status, 128 + the signal that killed
 * it, or -1 when there is no process to be had. A Ctrl-C or a SIGTERM meanwhile ends that process
 * and not this one, which can clean up.
 */
int process_run(int function(void *context), void *context);

/** Memory of zeros that a child's writing changes for its parent too; NULL when there is none. */
void *process_shared(size_t bytes);
void process_unshare(void *memory, size_t bytes);

#endif

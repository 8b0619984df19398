/* SPDX-License-Identifier: MIT */
/**
 * What tests of the program share that read and write files: one file for each test, and a disk
 * that is full.
 */
#ifndef TEST_SCRATCH_FILE_H
#define TEST_SCRATCH_FILE_H

#include <sys/resource.h>

/** Its name: another one in each test. */
extern char scratch_file[];

/** For cmocka: before each test, an empty file, or only a name; after it, the file is removed. */
int scratch_file_make(void **state);
int scratch_file_name(void **state);
int scratch_file_remove(void **state);

/** No file grows beyond so many bytes any more; RLIM_INFINITY: as it likes. */
void limit_files(rlim_t bytes);

#endif

/* SPDX-License-Identifier: MIT */
#include "scratch_file.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

char scratch_file[] = "/tmp/utter-test-XXXXXX";

int scratch_file_make(void **state)
{
    (void)state;
    strcpy(scratch_file + strlen(scratch_file) - 6, "XXXXXX");
    int descriptor = mkstemp(scratch_file);
    return descriptor < 0 ? -1 : close(descriptor);
}

int scratch_file_name(void **state)
{
    return scratch_file_make(state) == 0 ? unlink(scratch_file) : -1;
}

int scratch_file_remove(void **state)
{
    (void)state;
    return unlink(scratch_file) == 0 || errno == ENOENT ? 0 : -1;
}

void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN); /* the write fails instead */
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

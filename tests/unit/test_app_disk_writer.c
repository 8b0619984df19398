/* SPDX-License-Identifier: MIT */
/* A disk that hangs, here a pipe that nobody reads, holds nobody up, and gets every byte later. */
#include "app/disk_writer.h"
#include "scratch_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { LINES = 2000, LINE = 64 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void nap(long milliseconds)
{
    const struct timespec time = {.tv_nsec = milliseconds * 1000000};
    nanosleep(&time, NULL);
}

static void make_line(char line[LINE + 1], int number)
{
    snprintf(line, LINE + 1, "%0*d\n", LINE - 1, number);
}

static enum disk_state give_line(struct disk_writer *writer, int number)
{
    char line[LINE + 1];
    int refused = 0;
    make_line(line, number);
    return disk_writer_give(writer, line, LINE, &refused);
}

/* Lines 0..LINES, and then the end. */
static void *read_lines(void *user)
{
    FILE *file = fdopen(*(int *)user, "r");
    char line[LINE + 2], expected[LINE + 1];
    intptr_t wrong = 0;
    for (int i = 0; i < LINES; i++) {
        make_line(expected, i);
        wrong += fgets(line, sizeof line, file) == NULL || strcmp(line, expected) != 0;
        if (i % 100 == 0)
            nap(5);
    }
    wrong += fgetc(file) != EOF;
    fclose(file);
    return (void *)wrong;
}

static enum disk_state settle(struct disk_writer *writer, int *refused)
{
    enum disk_state state = DISK_BUSY;
    while (state == DISK_BUSY || state == DISK_HANGS)
        state = disk_writer_give(writer, NULL, 0, refused);
    return state;
}

static void test_a_disk_that_hangs(void **state)
{
    (void)state;
    int ends[2], refused = 0;
    assert_int_equal(pipe(ends), 0);
    struct disk_writer *writer = disk_writer_start(ends[1]);
    assert_non_null(writer);
    double begin = now();
    for (int i = 0; i < LINES; i++) /* a pipe holds half of them */
        give_line(writer, i);
    double took = now() - begin;
    print_message("%d lines were given in %.0f ms\n", LINES, 1000 * took);
    assert_true(took < 5); /* and not for ever; nobody says how busy this machine is */
    while (disk_writer_give(writer, NULL, 0, &refused) != DISK_HANGS)
        nap(20);
    assert_int_equal(disk_writer_give(writer, NULL, 0, &refused), DISK_HANGS);

    pthread_t reader;
    assert_int_equal(pthread_create(&reader, NULL, read_lines, &ends[0]), 0);
    assert_int_equal(settle(writer, &refused), DISK_WRITTEN);
    assert_int_equal(disk_writer_stop(writer, &refused), DISK_WRITTEN);
    close(ends[1]);
    void *wrong;
    pthread_join(reader, &wrong);
    assert_null(wrong);
}

/* Who leaves waits for what is still on its way. */
static void test_the_end_waits(void **state)
{
    (void)state;
    int ends[2], refused = 0;
    assert_int_equal(pipe(ends), 0);
    struct disk_writer *writer = disk_writer_start(ends[1]);
    assert_non_null(writer);
    for (int i = 0; i < LINES; i++)
        give_line(writer, i);
    pthread_t reader;
    assert_int_equal(pthread_create(&reader, NULL, read_lines, &ends[0]), 0);
    assert_int_equal(disk_writer_stop(writer, &refused), DISK_WRITTEN);
    close(ends[1]);
    void *wrong;
    pthread_join(reader, &wrong);
    assert_null(wrong);
}

static void test_a_disk_that_refuses(void **state)
{
    (void)state;
    int refused = 0;
    int file = open(scratch_file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    struct disk_writer *writer = disk_writer_start(file);
    assert_non_null(writer);
    limit_files(3 * LINE / 2);
    for (int i = 0; i < 4; i++)
        give_line(writer, i);
    assert_int_equal(settle(writer, &refused), DISK_REFUSES);
    assert_int_equal(refused, EFBIG);
    give_line(writer, 4);
    limit_files(RLIM_INFINITY);
    assert_int_equal(settle(writer, &refused), DISK_WRITTEN);
    limit_files(5 * LINE + 10);
    give_line(writer, 5);
    assert_int_equal(disk_writer_stop(writer, &refused), DISK_REFUSES);
    limit_files(RLIM_INFINITY);
    assert_int_equal(refused, EFBIG);
    assert_int_equal(lseek(file, 0, SEEK_END), 5 * LINE + 10);
    close(file);
    FILE *text = fopen(scratch_file, "r");
    char line[LINE + 2], expected[LINE + 1];
    for (int i = 0; i < 5; i++) {
        make_line(expected, i);
        assert_non_null(fgets(line, sizeof line, text));
        assert_string_equal(line, expected);
    }
    fclose(text);
}

/* What is well is written when the call returns. */
static void test_a_disk_that_is_well(void **state)
{
    (void)state;
    int refused = 0;
    int file = open(scratch_file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    struct disk_writer *writer = disk_writer_start(file);
    double begin = now();
    int busy = 0;
    for (int i = 0; i < LINES; i++) {
        if (give_line(writer, i) != DISK_WRITTEN)
            busy++;
        else
            assert_int_equal(lseek(file, 0, SEEK_END), (i + 1) * LINE);
    }
    print_message("a line takes %.0f us; %d of %d were late\n", 1e6 * (now() - begin) / LINES, busy,
                  LINES);
    assert_int_equal(disk_writer_stop(writer, &refused), DISK_WRITTEN);
    assert_int_equal(lseek(file, 0, SEEK_END), LINES * LINE);
    close(file);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_file_name, scratch_file_remove)
    const struct CMUnitTest tests[] = {
        TEST(test_a_disk_that_hangs),
        TEST(test_the_end_waits),
        TEST(test_a_disk_that_refuses),
        TEST(test_a_disk_that_is_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

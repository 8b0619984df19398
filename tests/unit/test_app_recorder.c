/* SPDX-License-Identifier: MIT */
/* A recording holds every sample at its position, whatever the disk and the program come to. */
#include "app/audio_file.h"
#include "app/recorder.h"
#include "scratch_file.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { RATE = 16000, BLOCK = 320 };

/* Any function of the position that is no silence. */
static float sample_at(int64_t position)
{
    return 0.9f * sinf((float)(position % 10007) * 0.37f);
}

static void nap(void)
{
    const struct timespec time = {.tv_nsec = 20000000};
    nanosleep(&time, NULL);
}

/* `channels` of it: the second is the first turned round, so that their mean is silence. */
static void push_block(struct recorder *recorder, int channels, int64_t position)
{
    float samples[2 * BLOCK];
    for (int i = 0; i < BLOCK; i++)
        for (int c = 0; c < channels; c++)
            samples[i * channels + c] = (c == 0 ? 1.0f : -1.0f) * sample_at(position + i);
    recorder_push(recorder, samples, BLOCK, position);
}

static float *read_all(int64_t *count)
{
    struct utter_error error;
    struct audio_file *file = audio_file_open(scratch_file, NULL, &error);
    assert_non_null(file);
    assert_int_equal(audio_file_rate(file), RATE);
    float *samples = audio_file_read_all(file, count, &error);
    assert_non_null(samples);
    audio_file_close(file);
    return samples;
}

/* Blocks 0..blocks but for those from gap_start to gap_end, which are silence. */
static void expect_blocks(int64_t blocks, int64_t gap_start, int64_t gap_end)
{
    int64_t count;
    float *samples = read_all(&count);
    assert_int_equal(count, blocks * BLOCK);
    for (int64_t i = 0; i < count; i++) {
        bool gap = i >= gap_start * BLOCK && i < gap_end * BLOCK;
        assert_true(fabsf(samples[i] - (gap ? 0.0f : sample_at(i))) < 1e-4f);
    }
    free(samples);
}

static void test_samples_and_gaps(void **state)
{
    (void)state;
    struct utter_error error;
    struct stat status;
    bool kept;
    struct recorder *recorder = recorder_open(scratch_file, RATE, 1, &error);
    assert_non_null(recorder);
    assert_null(recorder_open(scratch_file, RATE, 1, &error));
    assert_non_null(strstr(error.message, scratch_file));
    for (int64_t block = 0; block < 500; block++) {
        if (block < 120 || block >= 300)
            push_block(recorder, 1, block * BLOCK);
        if (block % 100 == 0)
            nap();
    }
    assert_true(recorder_check(recorder, &error));
    assert_true(recorder_close(recorder, &kept, &error));
    assert_true(kept);
    assert_int_equal(stat(scratch_file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    expect_blocks(500, 120, 300);
}

static void test_channels(void **state)
{
    (void)state;
    struct utter_error error;
    bool kept;
    int64_t count;
    assert_null(recorder_open(scratch_file, RATE, 9, &error));
    struct recorder *recorder = recorder_open(scratch_file, RATE, 2, &error);
    assert_non_null(recorder);
    for (int64_t block = 0; block < 10; block++)
        push_block(recorder, 2, block * BLOCK);
    assert_true(recorder_close(recorder, &kept, &error));
    float *samples = read_all(&count);
    assert_int_equal(count, 10 * BLOCK);
    for (int64_t i = 0; i < count; i++)
        assert_true(fabsf(samples[i]) < 1e-4f);
    free(samples);
}

static void test_nothing_leaves_nothing(void **state)
{
    (void)state;
    struct utter_error error;
    bool kept = true;
    struct recorder *recorder = recorder_open(scratch_file, RATE, 1, &error);
    assert_non_null(recorder);
    assert_true(recorder_close(recorder, &kept, &error));
    assert_false(kept);
    assert_int_equal(access(scratch_file, F_OK), -1);
}

static void test_a_full_disk_is_tried_again(void **state)
{
    (void)state;
    struct utter_error error;
    bool kept;
    struct recorder *recorder = recorder_open(scratch_file, RATE, 1, &error);
    limit_files(20000);
    for (int64_t block = 0; block < 500; block++)
        push_block(recorder, 1, block * BLOCK);
    while (recorder_check(recorder, &error))
        nap();
    assert_non_null(strstr(error.message, "the recording: cannot write: "));
    limit_files(RLIM_INFINITY);
    while (!recorder_check(recorder, &error))
        nap();
    assert_true(recorder_close(recorder, &kept, &error));
    expect_blocks(500, 0, 0);
}

static void test_a_disk_that_stays_full_is_no_prison(void **state)
{
    (void)state;
    struct utter_error error;
    bool kept;
    struct recorder *recorder = recorder_open(scratch_file, RATE, 1, &error);
    limit_files(20000);
    for (int64_t block = 0; block < 500; block++)
        push_block(recorder, 1, block * BLOCK);
    assert_false(recorder_close(recorder, &kept, &error));
    limit_files(RLIM_INFINITY);
    assert_non_null(strstr(error.message, "the recording: "));
}

/* How many descriptors of this process are of the recording. */
static int open_files(void)
{
    char path[64], target[512];
    int count = 0;
    for (int i = 0; i < 64; i++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", i);
        ssize_t length = readlink(path, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        count += length > 0 && strcmp(target, scratch_file) == 0;
    }
    return count;
}

/* One that is finished lets go of its file by itself, once the disk has taken all. */
static void test_what_is_finished_is_closed(void **state)
{
    (void)state;
    struct utter_error error;
    bool kept;
    for (int full = 0; full < 2; full++) {
        struct recorder *recorder = recorder_open(scratch_file, RATE, 1, &error);
        assert_non_null(recorder);
        assert_int_equal(open_files(), 1);
        if (full)
            limit_files(20000);
        for (int64_t block = 0; block < 500; block++)
            push_block(recorder, 1, block * BLOCK);
        recorder_finish(recorder);
        if (full) {
            while (recorder_check(recorder, &error))
                nap();
            for (int i = 0; i < 20; i++)
                nap();
            assert_int_equal(open_files(), 1);
            limit_files(RLIM_INFINITY);
        }
        while (open_files() > 0)
            nap();
        assert_true(recorder_check(recorder, &error));
        expect_blocks(500, 0, 0);
        assert_true(recorder_close(recorder, &kept, &error));
        assert_true(kept);
        unlink(scratch_file);
    }
}

/* The pump never waits: what does not fit is lost, counted, and silence in the file. */
static void test_a_slow_disk(void **state)
{
    (void)state;
    struct utter_error error;
    bool kept;
    struct recorder *recorder = recorder_open(scratch_file, RATE, 1, &error);
    limit_files(20000);
    int64_t blocks = 50 * RATE / BLOCK; /* 50 s, of which 30 fit */
    for (int64_t block = 0; block < blocks; block++)
        push_block(recorder, 1, block * BLOCK);
    limit_files(RLIM_INFINITY);
    while (!recorder_check(recorder, &error))
        nap();
    assert_false(recorder_close(recorder, &kept, &error));
    assert_non_null(strstr(error.message, "for which the disk was too slow"));
    int64_t count;
    float *samples = read_all(&count);
    assert_true(count >= 30 * RATE && count <= blocks * BLOCK);
    for (int64_t i = 0; i < 30 * RATE; i++)
        assert_true(fabsf(samples[i] - sample_at(i)) < 1e-4f);
    free(samples);
}

/* What a crash leaves lacks no more than the last half second. */
static void test_a_crash(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct utter_error error;
        struct recorder *recorder = recorder_open(scratch_file, RATE, 1, &error);
        for (int64_t block = 0; block < 500; block++)
            push_block(recorder, 1, block * BLOCK);
        for (int i = 0; i < 50; i++)
            nap();
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    int64_t count;
    float *samples = read_all(&count);
    assert_true(count >= 500 * BLOCK - RATE / 2);
    for (int64_t i = 0; i < count; i++)
        assert_true(fabsf(samples[i] - sample_at(i)) < 1e-4f);
    free(samples);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_file_name, scratch_file_remove)
    const struct CMUnitTest tests[] = {
        TEST(test_samples_and_gaps),
        TEST(test_channels),
        TEST(test_nothing_leaves_nothing),
        TEST(test_a_full_disk_is_tried_again),
        TEST(test_a_disk_that_stays_full_is_no_prison),
        TEST(test_what_is_finished_is_closed),
        TEST(test_a_slow_disk),
        TEST(test_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

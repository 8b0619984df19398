/* SPDX-License-Identifier: MIT */
/* Sound files of every kind give their samples; broken ones give one line. */
#include "app/audio_file.h"
#include "scratch_file.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sndfile.h>

enum { LENGTH = 5000 };

/* Channel c of sample i; the average of two channels is wave(i, 0). */
static float wave(int i, int channel)
{
    float tone = 0.5f * sinf(0.05f * (float)i);
    return tone + (channel == 0 ? 0.25f : -0.25f);
}

static void write_sound(int format, int rate, int channels)
{
    SF_INFO info = {.format = format, .samplerate = rate, .channels = channels};
    SNDFILE *file = sf_open(scratch_file, SFM_WRITE, &info);
    assert_non_null(file);
    for (int i = 0; i < LENGTH; i++) {
        float sample[2] = {wave(i, 0), wave(i, 1)};
        assert_int_equal(sf_writef_float(file, sample, 1), 1);
    }
    sf_close(file);
}

static void write_bytes(const void *bytes, size_t count)
{
    FILE *file = fopen(scratch_file, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    fclose(file);
}

static struct audio_file *open_file(const char *name, const struct audio_raw *raw)
{
    struct utter_error error;
    struct audio_file *file = audio_file_open(name, raw, &error);
    if (file == NULL)
        fail_msg("%s", error.message);
    return file;
}

/* Reads all; checks samples against the wave. */
static void expect_wave(struct audio_file *file, int channels, float tolerance)
{
    struct utter_error error;
    int64_t count;
    float *samples = audio_file_read_all(file, &count, &error);
    if (samples == NULL)
        fail_msg("%s", error.message);
    assert_int_equal(count, LENGTH);
    for (int i = 0; i < LENGTH; i++) {
        float expected = channels == 1 ? wave(i, 0) : wave(i, 0) - 0.25f;
        assert_true(fabsf(samples[i] - expected) <= tolerance);
    }
    assert_int_equal(audio_file_missing(file), 0);
    free(samples);
}

static void test_formats(void **state)
{
    (void)state;
    static const struct {
        int format, rate, channels;
        float tolerance;
    } cases[] = {
        {SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, 4e-5f},
        {SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 2, 4e-5f},
        {SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, 1, 0.0f},
        {SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 48000, 2, 1e-6f},
        {SF_FORMAT_AIFF | SF_FORMAT_PCM_24, 96000, 1, 1e-6f},
        {SF_FORMAT_OGG | SF_FORMAT_VORBIS, 16000, 1, 0.1f},
        {SF_FORMAT_W64 | SF_FORMAT_PCM_32, 11025, 2, 1e-6f},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_sound(cases[i].format, cases[i].rate, cases[i].channels);
        struct audio_file *file = open_file(scratch_file, NULL);
        assert_int_equal(audio_file_rate(file), cases[i].rate);
        assert_int_equal(audio_file_channels(file), cases[i].channels);
        assert_int_equal(audio_file_length(file), LENGTH);
        assert_string_equal(audio_file_name(file), scratch_file);
        expect_wave(file, cases[i].channels, cases[i].tolerance);
        audio_file_close(file);
    }
}

static void test_reading_in_pieces(void **state)
{
    (void)state;
    write_sound(SF_FORMAT_WAV | SF_FORMAT_FLOAT, 16000, 1);
    struct audio_file *file = open_file(scratch_file, NULL);
    float samples[777];
    int at = 0;
    for (int64_t got; (got = audio_file_read(file, samples, 777, NULL)) != 0;) {
        assert_true(got > 0);
        for (int i = 0; i < got; i++)
            assert_true(samples[i] == wave(at + i, 0));
        at += (int)got;
    }
    assert_int_equal(at, LENGTH);
    audio_file_close(file);
}

static void test_raw(void **state)
{
    (void)state;
    struct audio_raw raw;
    assert_true(audio_raw_parse("s16le:16000:1", &raw, NULL));
    assert_int_equal(raw.rate, 16000);
    assert_int_equal(raw.channels, 1);
    static const unsigned char bytes[] = {0x00, 0x40, 0x00, 0xC0, 0xFF, 0x7F};
    write_bytes(bytes, sizeof bytes);
    struct audio_file *file = open_file(scratch_file, &raw);
    float samples[4];
    assert_int_equal(audio_file_read(file, samples, 4, NULL), 3);
    assert_true(samples[0] == 0.5f && samples[1] == -0.5f && samples[2] > 0.999f);
    audio_file_close(file);

    assert_true(audio_raw_parse("s16be:8000:2", &raw, NULL));
    static const unsigned char stereo[] = {0x40, 0x00, 0xC0, 0x00};
    write_bytes(stereo, sizeof stereo);
    file = open_file(scratch_file, &raw);
    assert_int_equal(audio_file_rate(file), 8000);
    assert_int_equal(audio_file_read(file, samples, 4, NULL), 1);
    assert_true(samples[0] == 0.0f);
    audio_file_close(file);
}

static void test_raw_is_checked(void **state)
{
    (void)state;
    static const char *const broken[] = {"",
                                         "s16le",
                                         "s16le:16000",
                                         "s16le:16000:",
                                         "s16le:16000:0",
                                         "s16le:0:1",
                                         "s16le:-5:1",
                                         "s16le:16000:1x",
                                         "s17le:16000:1",
                                         "s16le:99999999999:1",
                                         "s16le:16000:2000",
                                         ":16000:1"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct audio_raw raw;
        struct utter_error error = {UTTER_OK, ""};
        assert_false(audio_raw_parse(broken[i], &raw, &error));
        assert_int_equal(error.code, UTTER_ERROR_ARGUMENT);
        assert_string_not_equal(error.message, "");
    }
}

/* Standard input becomes the read end of a pipe that holds the file's first `count` bytes. */
static int pipe_file(size_t count)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int file = open(scratch_file, O_RDONLY);
    char *bytes = malloc(count);
    assert_int_equal(read(file, bytes, count), count);
    assert_int_equal(write(ends[1], bytes, count), count); /* less than a pipe holds */
    free(bytes);
    close(file);
    close(ends[1]);
    int saved = dup(STDIN_FILENO);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    return saved;
}

static void test_standard_input(void **state)
{
    (void)state;
    write_sound(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1);
    struct stat status;
    assert_int_equal(stat(scratch_file, &status), 0);
    int saved = pipe_file((size_t)status.st_size);
    struct audio_file *file = open_file("-", NULL);
    assert_string_equal(audio_file_name(file), "standard input");
    expect_wave(file, 1, 4e-5f);
    audio_file_close(file);
    dup2(saved, STDIN_FILENO);
    close(saved);
}

/* What writers into a pipe do: they cannot know the length, and say 2^32 - 1. */
static void test_standard_input_of_unknown_length(void **state)
{
    (void)state;
    write_sound(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1);
    FILE *patch = fopen(scratch_file, "r+");
    fseek(patch, 40, SEEK_SET);
    fwrite("\xFF\xFF\xFF\xFF", 1, 4, patch);
    fclose(patch);
    int saved = pipe_file(44 + 2 * LENGTH);
    struct audio_file *file = open_file("-", NULL);
    assert_int_equal(audio_file_length(file), -1);
    expect_wave(file, 1, 4e-5f);
    audio_file_close(file);
    dup2(saved, STDIN_FILENO);
    close(saved);
}

static void expect_missing(struct audio_file *file, int64_t expected)
{
    struct utter_error error;
    int64_t count;
    float *samples = audio_file_read_all(file, &count, &error);
    assert_non_null(samples);
    assert_int_equal(count, LENGTH - expected);
    assert_int_equal(audio_file_length(file), LENGTH);
    assert_int_equal(audio_file_missing(file), expected);
    free(samples);
    audio_file_close(file);
}

static void test_truncated_wav(void **state)
{
    (void)state;
    write_sound(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1);
    assert_int_equal(truncate(scratch_file, 44 + 2 * (LENGTH - 1500)), 0);
    expect_missing(open_file(scratch_file, NULL), 1500);
    int saved = pipe_file(44 + 2 * (LENGTH - 1500));
    expect_missing(open_file("-", NULL), 1500);
    dup2(saved, STDIN_FILENO);
    close(saved);
}

static void test_truncated_flac(void **state)
{
    (void)state;
    write_sound(SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 1);
    struct stat status;
    assert_int_equal(stat(scratch_file, &status), 0);
    assert_int_equal(truncate(scratch_file, status.st_size - 100), 0);
    struct audio_file *file = open_file(scratch_file, NULL);
    struct utter_error error;
    int64_t count;
    float *samples = audio_file_read_all(file, &count, &error);
    /* Either is honest: what is there and how much is missing, or that it is damaged. */
    if (samples != NULL)
        assert_int_equal(audio_file_missing(file), LENGTH - count);
    else
        assert_non_null(strstr(error.message, "damaged"));
    assert_true(samples == NULL || count < LENGTH);
    free(samples);
    audio_file_close(file);
}

static void test_not_finite(void **state)
{
    (void)state;
    struct audio_raw raw;
    assert_true(audio_raw_parse("f32le:16000:1", &raw, NULL));
    float samples[3] = {0.0f, NAN, 0.0f};
    write_bytes(samples, sizeof samples);
    struct audio_file *file = open_file(scratch_file, &raw);
    struct utter_error error;
    int64_t count;
    assert_null(audio_file_read_all(file, &count, &error));
    assert_non_null(strstr(error.message, scratch_file));
    assert_non_null(strstr(error.message, "not finite"));
    audio_file_close(file);
}

static void expect_refusal(const char *name, const char *cause)
{
    struct utter_error error = {UTTER_OK, ""};
    struct audio_file *file = audio_file_open(name, NULL, &error);
    assert_null(file);
    assert_true(error.code != UTTER_OK);
    if (strstr(error.message, cause) == NULL || strchr(error.message, '\n') != NULL)
        fail_msg("\"%s\" does not say \"%s\" in one line", error.message, cause);
}

static void test_refusals(void **state)
{
    (void)state;
    expect_refusal("/nonexistent/a.wav", "/nonexistent/a.wav: No such file or directory");
    expect_refusal("/tmp", "/tmp: is a directory");
    expect_refusal("/nonexistent/\x1B[31m\nx", "/nonexistent/ x: No such file");
    write_bytes("", 0);
    expect_refusal(scratch_file, "is empty, not a sound file");
    write_bytes("this is no sound", 16);
    expect_refusal(scratch_file, scratch_file);
    write_bytes("RIFF\x24\0\0\0WAVEfmt ", 16);
    expect_refusal(scratch_file, scratch_file);
}

#define WITH_FILE(test)                                                                            \
    cmocka_unit_test_setup_teardown(test, scratch_file_make, scratch_file_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(test_formats),
        WITH_FILE(test_reading_in_pieces),
        WITH_FILE(test_raw),
        cmocka_unit_test(test_raw_is_checked),
        WITH_FILE(test_standard_input),
        WITH_FILE(test_standard_input_of_unknown_length),
        WITH_FILE(test_truncated_wav),
        WITH_FILE(test_truncated_flac),
        WITH_FILE(test_not_finite),
        WITH_FILE(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

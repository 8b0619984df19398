/* SPDX-License-Identifier: MIT */
/* What a session was told is what the history tells, also after a crash and on a full disk. */
#include "app/history.h"
#include "app/history_reader.h"
#include "app/history_writer.h"
#include "scratch_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include <cmocka.h>

enum {
    RATE = 1000 /* a position is a millisecond */
};

static char folder[] = "/tmp/utter-test-history-XXXXXX";
static const struct history_about ABOUT = {"1.2.3", "a microphone", "a model", RATE};

/* Instead of the system's: a disk that takes its time, or that keeps nothing. */
static atomic_llong kept_bytes;
static atomic_int disk_failure;

int fdatasync(int file)
{
    const struct timespec slow = {.tv_nsec = 50000000};
    struct stat status;
    int failed = fstat(file, &status);
    nanosleep(&slow, NULL);
    errno = atomic_load(&disk_failure);
    if (failed != 0 || errno != 0)
        return -1;
    atomic_store(&kept_bytes, status.st_size);
    return 0;
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : setenv("XDG_STATE_HOME", folder, 1);
}

static int remove_folder(void **state)
{
    (void)state;
    char command[200];
    snprintf(command, sizeof command, "chmod -R u+w %s; rm -rf %s", folder, folder);
    return system(command);
}

static struct utter_event make_event(enum utter_event_type type, uint64_t utterance, int64_t start,
                                     const char *text, const struct utter_word *words, size_t count)
{
    return (struct utter_event){.type = type,
                                .utterance = utterance,
                                .start = start,
                                .end = start + 500,
                                .text = text,
                                .words = words,
                                .word_count = count,
                                .lost = 500};
}

static const struct utter_word ONE = {"ONE", 100, 300, 0.5f}, TWO = {"TWO", 400, 600, 0.5f},
                               THREE = {"THREE", 5100, 5300, 0.5f};

/* Until the system has taken or refused all, however busy this machine is. */
static bool settle(struct history_writer *writer, struct utter_error *error)
{
    do
        if (!history_writer_flush(writer, error) && strstr(error->message, "cannot write") != NULL)
            return false;
    while (!history_writer_settled(writer));
    return true;
}

static void tell(struct history_writer *writer, struct utter_event event)
{
    struct utter_error error;
    assert_true(history_writer_event(writer, &event, 0, &error));
    assert_true(settle(writer, &error));
}

/* Two utterances, the second of which has no FINAL yet, a loss and a pause. */
static struct history_writer *write_session(void)
{
    struct utter_error error;
    const struct utter_word both[] = {ONE, TWO};
    struct history_writer *writer = history_writer_open(&ABOUT);
    assert_non_null(writer);
    tell(writer, make_event(UTTER_EVENT_COMMIT, 1, 100, "ONE", &ONE, 1));
    tell(writer, make_event(UTTER_EVENT_DRAFT, 1, 400, "TO", &TWO, 1));
    tell(writer, make_event(UTTER_EVENT_GAP, 0, 1000, "", NULL, 0));
    tell(writer, make_event(UTTER_EVENT_FINAL, 1, 100, "ONE TWO", both, 2));
    assert_true(history_writer_pause(writer, &error));
    tell(writer, make_event(UTTER_EVENT_GAP, 0, 3000, "", NULL, 0));
    tell(writer, make_event(UTTER_EVENT_COMMIT, 2, 5100, "THREE", &THREE, 1));
    tell(writer, make_event(UTTER_EVENT_COMMIT, 2, 5600, "TH\x1B[31mREE", &THREE, 1));
    return writer;
}

static void read_last(struct history_session *session)
{
    struct utter_error error;
    struct history history;
    assert_true(history_open(&history, &error));
    const struct history_entry *entry = history_find(&history, "last", &error);
    assert_non_null(entry);
    FILE *file = fopen(entry->path, "r");
    assert_non_null(file);
    assert_true(history_session_read(session, file, "session", &error));
    fclose(file);
    history_close(&history);
}

static void expect_item(const struct history_session *session, size_t index, enum history_kind kind,
                        int64_t start_ms, const char *text, size_t words)
{
    assert_true(index < session->count);
    const struct history_item *item = &session->items[index];
    assert_int_equal(item->kind, kind);
    assert_int_equal(item->start, start_ms * 1000);
    assert_int_equal(item->word_count, words);
    if (text != NULL)
        assert_string_equal(item->text, text);
}

static void expect_session(bool ended, size_t damaged)
{
    struct history_session session;
    read_last(&session);
    assert_string_equal(session.source, "a microphone");
    assert_string_equal(session.model, "a model");
    assert_int_equal(session.ended, ended);
    assert_int_equal(session.damaged, damaged);
    assert_int_equal(session.count, 4);
    expect_item(&session, 0, HISTORY_SPEECH, 100, "ONE TWO", 2);
    expect_item(&session, 1, HISTORY_GAP, 1000, NULL, 0);
    expect_item(&session, 2, HISTORY_PAUSE, 3000, NULL, 0);
    expect_item(&session, 3, HISTORY_SPEECH, 5100, "THREE THREE", 2);
    assert_true(session.items[0].final);
    assert_false(session.items[3].final);
    assert_string_equal(session.items[0].words[1].text, "TWO");
    assert_int_equal(session.items[0].words[1].start, 400000);
    assert_int_equal(session.word_count, 4);
    assert_int_equal(session.end, 6100000);
    history_session_free(&session);
}

static void test_what_was_told_is_kept(void **state)
{
    (void)state;
    struct utter_error error;
    struct history_writer *writer = write_session();
    assert_true(history_writer_has_words(writer));
    expect_session(false, 0); /* while it goes on, as after a crash */
    assert_true(history_writer_close(writer, false, &error));
    expect_session(true, 0);
}

static void test_recordings_have_their_beginnings(void **state)
{
    (void)state;
    struct utter_error error;
    struct history_session session;
    struct history_writer *writer = history_writer_open(&ABOUT);
    assert_true(history_writer_recorded(writer, 1, 1, 0.0, &error));
    assert_true(history_writer_recorded(writer, 2, 2, 1.25, &error));
    tell(writer, make_event(UTTER_EVENT_COMMIT, 1, 100, "ONE", &ONE, 1));
    assert_true(history_writer_recorded(writer, 3, 1, 90.5, &error));
    assert_true(history_writer_recorded(writer, HISTORY_RECORDINGS + 1, 1, 91, &error));
    assert_true(history_writer_close(writer, true, &error));
    read_last(&session);
    assert_int_equal(session.count, 4);
    assert_int_equal(session.damaged, 1); /* no such file would be found or deleted */
    expect_item(&session, 0, HISTORY_RECORDING, 0, NULL, 0);
    expect_item(&session, 1, HISTORY_SPEECH, 100, "ONE", 1);
    expect_item(&session, 2, HISTORY_RECORDING, 1250, NULL, 0);
    expect_item(&session, 3, HISTORY_RECORDING, 90500, NULL, 0);
    assert_int_equal(session.items[2].number, 2);
    assert_int_equal(session.items[2].speaker, 2);
    assert_int_equal(session.items[3].number, 3);
    assert_int_equal(session.items[3].speaker, 1);
    history_session_free(&session);
}

static void test_a_session_without_words_leaves_nothing(void **state)
{
    (void)state;
    struct utter_error error;
    struct history history;
    struct history_writer *writer = history_writer_open(&ABOUT);
    assert_non_null(history_writer_name(writer));
    tell(writer, make_event(UTTER_EVENT_FINAL, 1, 100, "", NULL, 0));
    assert_true(history_writer_close(writer, false, &error));
    assert_true(history_open(&history, &error));
    assert_int_equal(history.count, 0);
    assert_null(history_find(&history, "last", &error));
    assert_string_equal(error.message, "no session is kept");
    history_close(&history);
}

static void test_only_the_user_can_read(void **state)
{
    (void)state;
    struct utter_error error;
    struct stat status;
    mode_t mask = umask(0);
    struct history_writer *writer = write_session();
    umask(mask);
    char path[200];
    snprintf(path, sizeof path, "%s/utter/sessions", folder);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    snprintf(path, sizeof path, "%s/utter/sessions/%s.jsonl", folder, history_writer_name(writer));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(history_writer_close(writer, false, &error));
}

static void test_names_and_deleting(void **state)
{
    (void)state;
    struct utter_error error;
    struct history history;
    struct history_writer *first = write_session();
    struct history_writer *second = write_session();
    assert_string_not_equal(history_writer_name(first), history_writer_name(second));
    char recording[200];
    snprintf(recording, sizeof recording, "%s/utter/sessions/%s.flac", folder,
             history_writer_name(first));
    fclose(fopen(recording, "w"));
    assert_true(history_writer_close(first, false, &error));

    assert_true(history_open(&history, &error));
    assert_int_equal(history.count, 2);
    assert_true(history.entries[0].recorded && !history.entries[1].recorded);
    assert_true(!history.entries[0].live && history.entries[1].live);
    assert_ptr_equal(history_find(&history, "last", &error), &history.entries[1]);
    assert_ptr_equal(history_find(&history, history.entries[0].name, &error), &history.entries[0]);
    assert_null(history_find(&history, "20", &error));
    assert_non_null(strstr(error.message, "could be any of 2"));
    assert_null(history_find(&history, "x", &error));
    assert_false(history_delete(&history, &history.entries[1], &error));
    assert_non_null(strstr(error.message, "is being written"));
    assert_true(history_delete(&history, &history.entries[0], &error));
    assert_int_equal(access(recording, F_OK), -1);
    assert_int_equal(access(history.entries[0].path, F_OK), -1);
    history_close(&history);
    assert_true(history_writer_close(second, false, &error));
}

static void test_old_sessions_go(void **state)
{
    (void)state;
    struct utter_error error;
    struct history history;
    for (int i = 0; i < 2; i++)
        assert_true(history_writer_close(write_session(), false, &error));
    assert_true(history_open(&history, &error));
    struct utimbuf old = {.modtime = time(NULL) - 3 * 24 * 60 * 60 - 60};
    old.actime = old.modtime;
    assert_int_equal(utime(history.entries[0].path, &old), 0);
    history_close(&history);
    assert_true(history_prune(0, &error)); /* never */
    assert_true(history_prune(4, &error));
    assert_true(history_open(&history, &error));
    assert_int_equal(history.count, 2);
    history_close(&history);
    assert_true(history_prune(3, &error));
    assert_true(history_open(&history, &error));
    assert_int_equal(history.count, 1);
    history_close(&history);
}

static void test_a_full_disk_is_tried_again(void **state)
{
    (void)state;
    struct utter_error error;
    struct history_writer *writer = history_writer_open(&ABOUT);
    limit_files(220); /* in the middle of a line */
    struct utter_event event = make_event(UTTER_EVENT_COMMIT, 1, 100, "ONE", &ONE, 1);
    history_writer_event(writer, &event, 2, &error);
    assert_false(settle(writer, &error));
    struct history_session session;
    read_last(&session); /* what is there can be read */
    assert_int_equal(session.damaged, 1);
    history_session_free(&session);
    event = make_event(UTTER_EVENT_COMMIT, 2, 400, "TWO", &TWO, 1);
    history_writer_event(writer, &event, 0, &error);
    assert_false(settle(writer, &error));
    limit_files(RLIM_INFINITY);
    assert_true(settle(writer, &error));
    read_last(&session);
    assert_int_equal(session.damaged, 0);
    assert_int_equal(session.count, 2);
    assert_int_equal(session.items[0].speaker, 2);
    expect_item(&session, 1, HISTORY_SPEECH, 400, "TWO", 1);
    history_session_free(&session);
    assert_true(history_writer_close(writer, false, &error));
}

static void test_a_file_that_cannot_be_made_comes_later(void **state)
{
    (void)state;
    struct utter_error error;
    char blocker[200];
    snprintf(blocker, sizeof blocker, "%s/utter", folder);
    fclose(fopen(blocker, "w"));
    struct history_writer *writer = history_writer_open(&ABOUT);
    assert_non_null(writer);
    assert_null(history_writer_name(writer));
    struct utter_event event = make_event(UTTER_EVENT_COMMIT, 1, 100, "ONE", &ONE, 1);
    assert_false(history_writer_event(writer, &event, 0, &error));
    assert_non_null(strstr(error.message, blocker));
    unlink(blocker);
    assert_true(history_writer_flush(writer, &error));
    assert_non_null(history_writer_name(writer));
    assert_true(history_writer_close(writer, false, &error));
    struct history_session session;
    read_last(&session);
    expect_item(&session, 0, HISTORY_SPEECH, 100, "ONE", 1);
    history_session_free(&session);
}

static void test_the_end_waits_for_the_disk(void **state)
{
    (void)state;
    struct utter_error error;
    struct stat status;
    struct history_writer *writer = write_session();
    char path[200];
    snprintf(path, sizeof path, "%s/utter/sessions/%s.jsonl", folder, history_writer_name(writer));
    assert_true(history_writer_close(writer, false, &error));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(atomic_load(&kept_bytes), status.st_size);

    writer = write_session();
    atomic_store(&disk_failure, EIO);
    assert_false(history_writer_close(writer, false, &error));
    assert_non_null(strstr(error.message, "is not kept"));
    atomic_store(&disk_failure, 0);
}

static void test_damaged_lines_are_passed_over(void **state)
{
    (void)state;
    struct utter_error error;
    static const char *const broken[] = {
        "nonsense",
        "{}",
        "{\"type\":\"commit\"}",
        "{\"type\":\"final\",\"utterance\":-1,\"start\":0,\"end\":1,\"text\":\"A\",\"words\":[]}",
        "{\"type\":\"final\",\"utterance\":3,\"start\":0,\"end\":1e300,\"text\":\"A\"}",
        "{\"type\":\"final\",\"utterance\":3,\"start\":0,\"end\":1,\"text\":\"A\",\"words\":[1]}",
        "{\"type\":\"gap\",\"start\":\"x\",\"end\":1}",
        "{\"type\":\"commit\",\"utterance\":1,\"start\":0.1,\"en",
    };
    struct history_writer *writer = write_session();
    char path[200];
    snprintf(path, sizeof path, "%s/utter/sessions/%s.jsonl", folder, history_writer_name(writer));
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fputs("{\"type\":\"something of later\"}\n", file);
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        fprintf(file, i + 1 < sizeof broken / sizeof broken[0] ? "%s\n" : "%s", broken[i]);
    fclose(file);
    expect_session(false, sizeof broken / sizeof broken[0]);
    assert_true(history_writer_close(writer, false, &error));
}

static void test_a_summary_says_what_the_session_says(void **state)
{
    (void)state;
    struct utter_error error;
    for (int many = 0; many < 2; many++) {
        struct history_writer *writer = write_session();
        const struct utter_word both[] = {ONE, TWO};
        for (uint64_t i = 0; i < (many ? 500 : 1); i++)
            tell(writer, make_event(UTTER_EVENT_FINAL, 2 + i, 5100 + 1000 * (int64_t)i, "ONE TWO",
                                    both, 2));
        assert_true(history_writer_close(writer, false, &error));
        struct history_session session;
        struct history_summary summary;
        struct history history;
        read_last(&session);
        assert_true(history_open(&history, &error));
        FILE *file = fopen(history_find(&history, "last", &error)->path, "r");
        assert_true(history_summary_read(&summary, file, "session", &error));
        fclose(file);
        assert_int_equal(summary.end, session.end);
        assert_int_equal(summary.word_count, session.word_count);
        assert_true(summary.ended);
        assert_memory_equal(summary.first, "ONE TWO ONE TWO", 15);
        assert_true(strlen(summary.first) < sizeof summary.first);
        history_close(&history);
        history_session_free(&session);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_what_was_told_is_kept),
        TEST(test_recordings_have_their_beginnings),
        TEST(test_a_session_without_words_leaves_nothing),
        TEST(test_only_the_user_can_read),
        TEST(test_names_and_deleting),
        TEST(test_old_sessions_go),
        TEST(test_a_full_disk_is_tried_again),
        TEST(test_a_file_that_cannot_be_made_comes_later),
        TEST(test_the_end_waits_for_the_disk),
        TEST(test_damaged_lines_are_passed_over),
        TEST(test_a_summary_says_what_the_session_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

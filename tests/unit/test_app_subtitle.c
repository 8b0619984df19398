/* SPDX-License-Identifier: MIT */
/* Subtitles keep their rules for any words at any time, and are cut where a person would. */
#include "app/subtitle.h"

#include "app/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Appends what is no space or line break: words compare alike however they were broken. */
static void append_letters(char *all, const char *text)
{
    char *out = all + strlen(all);
    for (; *text != '\0'; text++)
        if (*text != ' ' && *text != '\n')
            *out++ = *text;
    *out = '\0';
}

static void check_cue(const struct subtitle_cue *cue, int64_t earliest_ms)
{
    assert_true(cue->start_ms >= earliest_ms);
    assert_in_range(cue->end_ms - cue->start_ms, SUBTITLE_SHORTEST_MS, SUBTITLE_LONGEST_MS);
    const char *line = cue->text;
    for (int lines = 1;; lines++) {
        size_t bytes = strcspn(line, "\n");
        assert_true(lines <= 2);
        assert_true(bytes > 0);
        assert_true(line[0] != ' ' && line[bytes - 1] != ' ');
        assert_in_range(text_width(line, bytes), 1, SUBTITLE_COLUMNS);
        if (line[bytes] == '\0')
            return;
        line += bytes + 1;
    }
}

/* All rules; the cues' letters are the words' letters. */
static void check_rules(const struct subtitle_word *words, size_t count, int64_t earliest_ms,
                        const struct subtitle_cues *cues)
{
    static char given[1 << 16], shown[1 << 16];
    given[0] = shown[0] = '\0';
    for (size_t i = 0; i < count; i++)
        append_letters(given, words[i].text);
    for (size_t i = 0; i < cues->count; i++) {
        check_cue(&cues->cues[i], earliest_ms);
        earliest_ms = cues->cues[i].end_ms;
        append_letters(shown, cues->cues[i].text);
    }
    assert_string_equal(shown, given);
}

static const char *random_word(void)
{
    static const char *const words[] = {
        "a",
        "to",
        "seven",
        "nine.",
        "extraordinarily",
        "日本語日本語",
        "é",
        "e\xCC\x81t\xC3\xA9",
        "supercalifragilisticexpialidociousandthensomemoreuntilitislongerthanaline",
        "日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語",
        "👩\xE2\x80\x8D🚀",
        "Yes!",
    };
    /* Mostly short ones. */
    size_t count = sizeof words / sizeof words[0];
    return rand() % 4 != 0 ? words[rand() % 4] : words[(size_t)rand() % count];
}

static void test_rules_hold_for_random_words(void **state)
{
    (void)state;
    srand(3);
    size_t cue_count = 0;
    for (int round = 0; round < 3000; round++) {
        struct subtitle_word words[120];
        size_t count = (size_t)rand() % 120;
        int64_t longest = rand() % 5 == 0 ? 9000 : 900; /* of a word or pause */
        int64_t now = rand() % 10000;
        int64_t earliest_ms = rand() % 3 == 0 ? now + rand() % 5000 : 0;
        for (size_t i = 0; i < count; i++) {
            now += rand() % 3 == 0 ? rand() % longest : 0;
            words[i].text = random_word();
            words[i].start_ms = now;
            now += rand() % 8 == 0 ? 0 : rand() % longest;
            words[i].end_ms = now;
        }
        struct subtitle_cues cues;
        assert_true(subtitle_cut(words, count, earliest_ms, &cues));
        check_rules(words, count, earliest_ms, &cues);
        cue_count += cues.count;
        subtitle_free(&cues);
    }
    assert_true(cue_count > 10000);
}

/* Times that no decoder should give must not break the rules either. */
static void test_rules_hold_for_broken_times(void **state)
{
    (void)state;
    srand(4);
    for (int round = 0; round < 2000; round++) {
        struct subtitle_word words[40];
        size_t count = 1 + (size_t)rand() % 40;
        for (size_t i = 0; i < count; i++)
            words[i] = (struct subtitle_word){random_word(), rand() % 20000, rand() % 20000};
        struct subtitle_cues cues;
        assert_true(subtitle_cut(words, count, 0, &cues));
        check_rules(words, count, 0, &cues);
        subtitle_free(&cues);
    }
}

static void expect_cues(const struct subtitle_word *words, size_t count,
                        const struct subtitle_cue *expected, size_t expected_count)
{
    struct subtitle_cues cues;
    assert_true(subtitle_cut(words, count, 0, &cues));
    check_rules(words, count, 0, &cues);
    assert_int_equal(cues.count, expected_count);
    for (size_t i = 0; i < expected_count; i++) {
        assert_string_equal(cues.cues[i].text, expected[i].text);
        assert_int_equal(cues.cues[i].start_ms, expected[i].start_ms);
        assert_int_equal(cues.cues[i].end_ms, expected[i].end_ms);
    }
    subtitle_free(&cues);
}

static void test_nothing(void **state)
{
    (void)state;
    expect_cues(NULL, 0, NULL, 0);
    expect_cues((struct subtitle_word[]){{"", 0, 500}, {"", 500, 900}}, 2, NULL, 0);
}

static void test_short_word_stays_a_second(void **state)
{
    (void)state;
    char text[] = "yes";
    expect_cues((struct subtitle_word[]){{"yes", 2000, 2200}}, 1,
                (struct subtitle_cue[]){{2000, 3000, text}}, 1);
}

static void test_long_pause_breaks(void **state)
{
    (void)state;
    char one[] = "one two", two[] = "three four";
    expect_cues(
        (struct subtitle_word[]){
            {"one", 0, 600}, {"two", 700, 1300}, {"three", 4000, 4600}, {"four", 4700, 5300}},
        4, (struct subtitle_cue[]){{0, 1600, one}, {4000, 5300, two}}, 2);
}

/* A pause that need not break does so when it is worth a cue of its own. */
static void test_pause_breaks(void **state)
{
    (void)state;
    char one[] = "one two", two[] = "three four";
    expect_cues(
        (struct subtitle_word[]){
            {"one", 0, 600}, {"two", 700, 1300}, {"three", 2600, 3200}, {"four", 3300, 3900}},
        4, (struct subtitle_cue[]){{0, 1600, one}, {2600, 3900, two}}, 2);
}

/* Nine seconds must be cut; the pause is a better place than the one where seven are full. */
static void test_cut_is_at_the_pause(void **state)
{
    (void)state;
    struct subtitle_word words[15];
    int64_t now = 0;
    for (int i = 0; i < 15; i++) {
        if (i == 8)
            now += 600;
        words[i] = (struct subtitle_word){"word", now, now + 500};
        now += 560;
    }
    struct subtitle_cues cues;
    assert_true(subtitle_cut(words, 15, 0, &cues));
    check_rules(words, 15, 0, &cues);
    assert_int_equal(cues.count, 2);
    assert_int_equal(cues.cues[1].start_ms, words[8].start_ms);
    subtitle_free(&cues);
}

static void test_two_lines_are_balanced(void **state)
{
    (void)state;
    struct subtitle_word words[10];
    for (int i = 0; i < 10; i++)
        words[i] = (struct subtitle_word){"seven", 500 * i, 500 * i + 490};
    struct subtitle_cues cues;
    assert_true(subtitle_cut(words, 10, 0, &cues));
    assert_int_equal(cues.count, 1);
    assert_string_equal(cues.cues[0].text,
                        "seven seven seven seven seven\nseven seven seven seven seven");
    subtitle_free(&cues);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_hold_for_random_words),
        cmocka_unit_test(test_rules_hold_for_broken_times),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_short_word_stays_a_second),
        cmocka_unit_test(test_long_pause_breaks),
        cmocka_unit_test(test_pause_breaks),
        cmocka_unit_test(test_cut_is_at_the_pause),
        cmocka_unit_test(test_two_lines_are_balanced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

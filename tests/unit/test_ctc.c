/* SPDX-License-Identifier: MIT */
/* Decoding: rows whose best labels are written, and the golden logits, without an engine. */
#include "ctc/greedy.h"
#include "ctc/text.h"
#include "golden_case.h"
#include "model/config.h"
#include "model/vocabulary.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COLUMNS = 8, FRAMES = 64 };

static const char *const plain_tokens[COLUMNS] = {"_",        "|",   "A", "B",
                                                  "\xc4\xb0", "n't", "?", "\x1b[31m\x07"};

static void open_labels(struct ctc_labels *labels, struct ctc_spelling spelling)
{
    static const int own[COLUMNS] = {0, 1, 2, 3, 4, 5, 6, 7};
    spelling.size = COLUMNS;
    spelling.tokens = spelling.tokens ? spelling.tokens : plain_tokens;
    spelling.group = spelling.group ? spelling.group : own;
    spelling.replace_delimiter = spelling.replace_delimiter ? spelling.replace_delimiter : " ";
    assert_int_equal(ctc_labels_open(labels, &spelling, NULL), UTTER_OK);
}

/* Each digit of `path` is a frame's best label, with posterior 0.5, 0.6, ... by turns. */
static void push_path(struct ctc_greedy *greedy, const char *path)
{
    for (const char *p = path; *p; p++) {
        float row[COLUMNS];
        for (int i = 0; i < COLUMNS; i++)
            row[i] = logf(0.01f);
        row[*p - '0'] = logf(0.5f + 0.1f * (float)(greedy->frame % 4));
        ctc_greedy_push(greedy, row);
    }
}

static void check_text(struct ctc_spelling spelling, const char *path, const char *expected)
{
    struct ctc_labels labels;
    struct ctc_greedy greedy;
    char text[1024];
    open_labels(&labels, spelling);
    assert_int_equal(ctc_greedy_open(&greedy, &labels, FRAMES, NULL), UTTER_OK);
    push_path(&greedy, path);
    ctc_greedy_finish(&greedy);
    assert_true(ctc_text_bound(&labels, greedy.raw_length) < sizeof text);
    assert_int_equal(ctc_text_whole(&labels, greedy.raw, greedy.raw_length, text),
                     strlen(expected));
    assert_string_equal(text, expected);
    ctc_greedy_close(&greedy);
    ctc_labels_close(&labels);
}

static void repeats_blanks_and_delimiters(void **state)
{
    (void)state;
    const struct ctc_spelling plain = {.blank = 0, .delimiter = 1};
    check_text(plain, "", "");
    check_text(plain, "000", "");
    check_text(plain, "0220220333", "AAB");
    check_text(plain, "112211033110", "A B");
    check_text(plain, "2101013", "A   B"); /* delimiters with blanks between them stay */
    check_text(plain, "2773", "AB");       /* a token of control characters says nothing */
    const struct ctc_spelling none = {.blank = 0, .delimiter = -1};
    check_text(none, "213", "A|B");
    const struct ctc_spelling other = {.blank = 3, .delimiter = 2, .replace_delimiter = "-"};
    check_text(other, "0320", "_-_");
    const struct ctc_spelling removed = {.blank = 0, .delimiter = 1, .replace_delimiter = ""};
    check_text(removed, "213", "AB");
}

static void labels_spelt_the_same_are_one(void **state)
{
    (void)state;
    static const char *const tokens[COLUMNS] = {"_", "|", "A", "A", "_", "B", "|", "C"};
    static const int group[COLUMNS] = {0, 1, 2, 2, 0, 5, 1, 7};
    const struct ctc_spelling alike = {
        .tokens = tokens, .group = group, .blank = 0, .delimiter = 1};
    check_text(alike, "232324321657", "AA BC");
}

static void case_and_spaces_follow_the_tokenizer(void **state)
{
    (void)state;
    const struct ctc_spelling lower = {.blank = 0, .delimiter = 1, .do_lower_case = true};
    check_text(lower, "2314", "ab i\xcc\x87"); /* longer in lower case */
    const struct ctc_spelling clean = {
        .blank = 0, .delimiter = 1, .clean_up_tokenization_spaces = true};
    check_text(clean, "2151316", "An't B?");
    check_text((struct ctc_spelling){.blank = 0, .delimiter = 1}, "2151316", "A n't B ?");
}

static void words_have_times_and_confidence(void **state)
{
    (void)state;
    struct ctc_labels labels;
    struct ctc_greedy greedy;
    open_labels(&labels, (struct ctc_spelling){.blank = 0, .delimiter = 1});
    assert_int_equal(ctc_greedy_open(&greedy, &labels, FRAMES, NULL), UTTER_OK);
    ctc_greedy_reset(&greedy, 100);
    push_path(&greedy, "0022");
    assert_int_equal(greedy.word_count, 0);
    push_path(&greedy, "003");
    assert_int_equal(greedy.word_count, 0); /* no delimiter came yet */
    push_path(&greedy, "01");
    assert_int_equal(greedy.word_count, 1);
    assert_int_equal(greedy.words[0].start, 102);
    assert_int_equal(greedy.words[0].end, 107);
    /* Frames 102, 103 and 106: 0.7, 0.8, 0.7. */
    assert_true(fabs(ctc_word_confidence(&greedy.words[0]) - cbrt(0.7 * 0.8 * 0.7)) < 1e-5);
    push_path(&greedy, "7710"); /* no word */
    assert_int_equal(greedy.word_count, 1);
    push_path(&greedy, "3");
    ctc_greedy_finish(&greedy);
    assert_int_equal(greedy.word_count, 2);
    ctc_greedy_finish(&greedy);
    assert_int_equal(greedy.word_count, 2);
    ctc_greedy_close(&greedy);
    ctc_labels_close(&labels);
}

/* A fork at any place goes on as if nothing had happened, and leaves the original alone. */
static void forks_carry_the_label_over(void **state)
{
    (void)state;
    static const char path[] = "22202233110330022103";
    struct ctc_labels labels;
    struct ctc_greedy whole, part, fork;
    open_labels(&labels, (struct ctc_spelling){.blank = 0, .delimiter = 1});
    assert_int_equal(ctc_greedy_open(&whole, &labels, FRAMES, NULL), UTTER_OK);
    assert_int_equal(ctc_greedy_open(&part, &labels, FRAMES, NULL), UTTER_OK);
    assert_int_equal(ctc_greedy_open(&fork, &labels, FRAMES, NULL), UTTER_OK);
    push_path(&whole, path);
    ctc_greedy_finish(&whole);
    for (size_t cut = 0; cut < sizeof path; cut++) {
        char before[sizeof path];
        snprintf(before, cut + 1, "%s", path);
        ctc_greedy_reset(&part, 0);
        push_path(&part, before);
        size_t done = part.word_count, raw = part.raw_length;
        ctc_greedy_fork(&fork, &part);
        push_path(&fork, path + cut);
        ctc_greedy_finish(&fork);
        assert_int_equal(done + fork.word_count, whole.word_count);
        for (size_t i = 0; i < fork.word_count; i++) {
            const struct ctc_word *a = &whole.words[done + i], *b = &fork.words[i];
            assert_true(a->start == b->start && a->end == b->end && a->length == b->length);
            assert_true(a->log_sum == b->log_sum && a->frames == b->frames);
            assert_memory_equal(whole.raw + a->text, fork.raw + b->text, a->length);
        }
        assert_int_equal(part.raw_length, raw);
    }
    ctc_greedy_close(&whole);
    ctc_greedy_close(&part);
    ctc_greedy_close(&fork);
    ctc_labels_close(&labels);
}

static void bad_vocabularies_are_refused(void **state)
{
    (void)state;
    static char long_token[400];
    memset(long_token, 'x', sizeof long_token - 1);
    const char *tokens[] = {"_", long_token};
    static const int group[] = {0, 1};
    struct utter_error error;
    struct ctc_labels labels;
    struct ctc_spelling spelling = {
        .size = 2, .tokens = tokens, .group = group, .delimiter = -1, .replace_delimiter = " "};
    assert_int_equal(ctc_labels_open(&labels, &spelling, &error), UTTER_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "token 1 is longer than"));
    tokens[1] = "a";
    assert_int_equal(ctc_labels_open(&labels, &spelling, &error), UTTER_OK);
    ctc_labels_close(&labels);
    spelling.blank = 2;
    assert_int_equal(ctc_labels_open(&labels, &spelling, &error), UTTER_ERROR_FORMAT);
    spelling.blank = -1;
    assert_int_equal(ctc_labels_open(&labels, &spelling, &error), UTTER_ERROR_FORMAT);
}

/* ---- the reference --------------------------------------------------------------------------- */

static void open_golden_labels(struct ctc_labels *labels, const struct golden *golden)
{
    struct model_config config;
    struct vocabulary vocabulary;
    assert_int_equal(config_read(&config, golden->directory, NULL), UTTER_OK);
    assert_int_equal(vocabulary_open(&vocabulary, golden->directory, config.vocab_size,
                                     config.pad_token_id, NULL),
                     UTTER_OK);
    const struct ctc_spelling spelling = {
        .size = vocabulary.size,
        .tokens = (const char *const *)vocabulary.tokens,
        .group = vocabulary.label,
        .blank = vocabulary.blank,
        .delimiter = vocabulary.delimiter,
        .replace_delimiter = vocabulary.replace_word_delimiter,
        .do_lower_case = vocabulary.do_lower_case,
        .clean_up_tokenization_spaces = vocabulary.clean_up_tokenization_spaces,
    };
    assert_int_equal(ctc_labels_open(labels, &spelling, NULL), UTTER_OK);
    vocabulary_close(&vocabulary);
}

static void check_golden_case(const struct golden *golden, const struct ctc_labels *labels,
                              const json_t *test)
{
    int64_t count, frames = golden_number(test, "frames");
    struct ctc_greedy greedy;
    float *rows = golden_tensor(golden, golden_text(test, "name"), "logits", &count);
    assert_int_equal(count, frames * labels->size);
    golden_log_softmax(rows, frames, labels->size);
    assert_int_equal(ctc_greedy_open(&greedy, labels, frames, NULL), UTTER_OK);
    for (int64_t i = 0; i < frames; i++)
        ctc_greedy_push(&greedy, rows + i * labels->size);
    ctc_greedy_finish(&greedy);
    char *text = malloc(ctc_text_bound(labels, greedy.raw_length));
    ctc_text_whole(labels, greedy.raw, greedy.raw_length, text);
    assert_string_equal(text, golden_text(test, "text"));
    const json_t *words = json_object_get(test, "words");
    assert_int_equal(greedy.word_count, json_array_size(words));
    for (size_t i = 0; i < greedy.word_count; i++) {
        const json_t *word = json_array_get(words, i);
        assert_int_equal(greedy.words[i].start, golden_number(word, "start_offset"));
        assert_int_equal(greedy.words[i].end, golden_number(word, "end_offset"));
        assert_int_equal(greedy.words[i].length, strlen(golden_text(word, "word")));
        assert_memory_equal(greedy.raw + greedy.words[i].text, golden_text(word, "word"),
                            greedy.words[i].length);
    }
    ctc_greedy_close(&greedy);
    free(text);
    free(rows);
}

static void golden_logits_give_the_reference_text(void **state)
{
    (void)state;
    int checked = 0;
    for (const char *const *name = golden_names; *name; name++) {
        struct golden golden;
        struct ctc_labels labels;
        golden_open(&golden, *name);
        open_golden_labels(&labels, &golden);
        for (size_t i = 0; i < json_array_size(golden.cases); i++, checked++)
            check_golden_case(&golden, &labels, json_array_get(golden.cases, i));
        ctc_labels_close(&labels);
        golden_close(&golden);
    }
    assert_true(checked >= 12 * 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeats_blanks_and_delimiters),
        cmocka_unit_test(labels_spelt_the_same_are_one),
        cmocka_unit_test(case_and_spaces_follow_the_tokenizer),
        cmocka_unit_test(words_have_times_and_confidence),
        cmocka_unit_test(forks_carry_the_label_over),
        cmocka_unit_test(bad_vocabularies_are_refused),
        cmocka_unit_test(golden_logits_give_the_reference_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Error rates against hand-counted examples and, on random texts, against NIST's own sclite. */
#include "app/score.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SENTENCES = 600, WORDS_MAX = 12 };

static struct score score(const char *reference, const char *hypothesis, bool characters)
{
    struct score_units a, b;
    struct score result;
    bool (*split)(struct score_units *, const char *) =
        characters ? score_split_characters : score_split_words;
    assert_true(split(&a, reference));
    assert_true(split(&b, hypothesis));
    assert_true(score_align(&a, &b, &result, NULL));
    score_units_free(&a);
    score_units_free(&b);
    return result;
}

static void check(const struct score *score, long correct, long substitutions, long insertions,
                  long deletions)
{
    assert_int_equal(score->correct, correct);
    assert_int_equal(score->substitutions, substitutions);
    assert_int_equal(score->insertions, insertions);
    assert_int_equal(score->deletions, deletions);
    assert_int_equal(score->reference, correct + substitutions + deletions);
}

static void test_counts(void **state)
{
    (void)state;
    struct score words = score("ONE two  three", "one\ttoo three four", false);
    check(&words, 2, 1, 1, 0);
    assert_true(score_error_rate(&words) > 0.66 && score_error_rate(&words) < 0.67);
    words = score("a b c", "", false);
    check(&words, 0, 0, 0, 3);
    words = score("", "a", false);
    check(&words, 0, 0, 1, 0);
    assert_true(score_error_rate(&words) == 1);
    words = score("", " ", false);
    assert_true(score_error_rate(&words) == 0);
    struct score characters = score("Gr\xc3\xbc\xc3\x9f dich",
                                    "gr\xc3\x9c"
                                    "ss di",
                                    true);
    check(&characters, 7, 0, 0, 2);
}

static void test_pairs(void **state)
{
    (void)state;
    struct score_units a, b;
    struct score result;
    long pairs[3];
    assert_true(score_split_words(&a, "one two three"));
    assert_true(score_split_words(&b, "uh one three"));
    assert_true(score_align(&a, &b, &result, pairs));
    assert_int_equal(pairs[0], 1);
    assert_int_equal(pairs[1], -1);
    assert_int_equal(pairs[2], 2);
    score_units_free(&a);
    score_units_free(&b);
}

/* ---- against sclite -------------------------------------------------------------------------- */

/* Few different words, so that many alignments are equally cheap. */
static void random_words(char *text, unsigned *seed, int kinds)
{
    int count = 1 + rand_r(seed) % WORDS_MAX;
    for (int i = 0; i < count; i++) {
        *text++ = (char)('a' + rand_r(seed) % kinds);
        *text++ = i + 1 < count ? ' ' : '\0';
    }
}

static void test_sclite(void **state)
{
    (void)state;
    char directory[] = "/tmp/utter-score-XXXXXX";
    char references[SENTENCES][2 * WORDS_MAX], hypotheses[SENTENCES][2 * WORDS_MAX];
    char path[64], command[256], line[256];
    unsigned seed = 7;
    int compared = 0;
    if (system("command -v sctk >/dev/null 2>&1") != 0)
        skip();
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/r", directory);
    FILE *reference = fopen(path, "w");
    snprintf(path, sizeof path, "%s/h", directory);
    FILE *hypothesis = fopen(path, "w");
    assert_true(reference != NULL && hypothesis != NULL);
    for (int i = 0; i < SENTENCES; i++) {
        random_words(references[i], &seed, 2 + i % 4);
        random_words(hypotheses[i], &seed, 2 + i % 4);
        fprintf(reference, "%s (s_%d)\n", references[i], i);
        fprintf(hypothesis, "%s (s_%d)\n", hypotheses[i], i);
    }
    fclose(reference);
    fclose(hypothesis);
    snprintf(command, sizeof command,
             "sctk sclite -r %s/r trn -h %s/h trn -i rm -o pralign stdout 2>/dev/null; rm -r %s",
             directory, directory, directory);
    FILE *sclite = popen(command, "r");
    assert_non_null(sclite);
    for (int id = -1; fgets(line, sizeof line, sclite) != NULL;) {
        long c, s, d, i;
        sscanf(line, "id: (s_%d)", &id);
        if (sscanf(line, "Scores: (#C #S #D #I) %ld %ld %ld %ld", &c, &s, &d, &i) == 4) {
            assert_in_range(id, 0, SENTENCES - 1);
            struct score ours = score(references[id], hypotheses[id], false);
            check(&ours, c, s, i, d);
            compared++;
        }
    }
    pclose(sclite);
    assert_int_equal(compared, SENTENCES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_sclite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

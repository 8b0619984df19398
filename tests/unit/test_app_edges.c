/* SPDX-License-Identifier: MIT */
/* Words at the edges of utterances, by hand: lost, cut, doubled, and whole although an edge is
 * near. */
#include "app/edges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A thousand samples a second; an edge reaches 500. */
enum { RATE = 1000, COUNT = 10000, WORDS_MAX = 8 };

struct stream {
    struct utter_word offline[WORDS_MAX];
    struct utter_word finals[WORDS_MAX];
    struct span utterances[WORDS_MAX];
};

/* What is counted; arrays end with the first entry that ends at 0. */
static struct edge_errors count(struct stream *stream)
{
    struct utter_transcript offline = {.words = stream->offline};
    struct measure_heard heard = {.words = stream->finals, .utterances = stream->utterances};
    struct edge_errors errors = {0};
    const char *a[WORDS_MAX], *b[WORDS_MAX];
    long pairs[WORDS_MAX];
    struct score score;
    for (; stream->offline[offline.word_count].end > 0; offline.word_count++)
        a[offline.word_count] = stream->offline[offline.word_count].text;
    for (; stream->finals[heard.word_count].end > 0; heard.word_count++)
        b[heard.word_count] = stream->finals[heard.word_count].text;
    while (stream->utterances[heard.utterance_count].end > 0)
        heard.utterance_count++;
    struct score_units truth = {.units = a, .count = offline.word_count};
    struct score_units guess = {.units = b, .count = heard.word_count};
    assert_true(score_align(&truth, &guess, &score, pairs));
    edges_count(&offline, &heard, pairs, COUNT, RATE, &errors);
    assert_int_equal(errors.score.reference, offline.word_count);
    return errors;
}

static void check(struct stream stream, long outside, long cut, long doubled)
{
    struct edge_errors errors = count(&stream);
    assert_int_equal(errors.outside, outside);
    assert_int_equal(errors.cut, cut);
    assert_int_equal(errors.doubled, doubled);
}

static void a_word_that_an_edge_cuts(void **state)
{
    (void)state;
    struct stream stream = {
        .offline = {{"ONE", 200, 600, 1}, {"SEVEN", 1000, 1600, 1}, {"TWO", 2000, 2300, 1}},
        .finals = {{"ONE", 200, 600, 1},
                   {"SE", 1000, 1280, 1},
                   {"VEN", 1320, 1600, 1},
                   {"TWO", 2000, 2300, 1}},
        .utterances = {{0, 1300}, {1300, COUNT}},
    };
    check(stream, 0, 1, 0);
    struct edge_errors errors = count(&stream);
    assert_int_equal(errors.score.substitutions + errors.score.insertions, 2);
}

static void a_word_that_a_final_has_whole(void **state)
{
    (void)state;
    struct stream stream = {
        .offline = {{"SEVEN", 1000, 1600, 1}},
        .finals = {{"SEVEN", 1060, 1580, 1}},
        .utterances = {{0, 1030}, {1030, COUNT}},
    };
    check(stream, 0, 0, 0);
    stream.finals[0] = (struct utter_word){"SEVEN", 3000, 3500, 1}; /* another one */
    check(stream, 0, 1, 0);
}

static void several_words_without_a_space(void **state)
{
    (void)state;
    struct stream stream = {
        .offline = {{"SIXONE", 1000, 2800, 1}},
        .finals = {{"SIX", 1000, 1400, 1}, {"ONE", 2580, 2800, 1}},
        .utterances = {{0, 2400}, {2400, COUNT}},
    };
    check(stream, 0, 0, 0);
    stream.finals[1].text = "NE";
    check(stream, 0, 1, 0);
}

static void a_word_in_no_utterance(void **state)
{
    (void)state;
    struct stream stream = {
        .offline = {{"ONE", 200, 600, 1}, {"TWO", 2000, 2300, 1}},
        .finals = {{"ONE", 200, 600, 1}},
        .utterances = {{0, 800}, {2400, COUNT}},
    };
    check(stream, 1, 0, 0);
    assert_int_equal(count(&stream).score.deletions, 1);
    stream.utterances[1].start = 2140; /* its middle is heard */
    check(stream, 0, 1, 0);
}

static void a_word_on_both_sides_of_an_edge(void **state)
{
    (void)state;
    struct stream stream = {
        .offline = {{"TWO", 2000, 2300, 1}},
        .finals = {{"TWO", 1950, 2100, 1}, {"TWO", 2200, 2350, 1}},
        .utterances = {{0, 2150}, {2150, COUNT}},
    };
    check(stream, 0, 0, 1);
    stream.offline[1] = (struct utter_word){"TWO", 2300, 2600, 1}; /* it was said twice */
    check(stream, 0, 0, 0);
}

static void the_ends_of_the_recording_cut_nothing(void **state)
{
    (void)state;
    struct stream stream = {
        .offline = {{"ONE", 0, 300, 1}, {"TWO", 9700, COUNT, 1}},
        .finals = {{"NINE", 0, 300, 1}},
        .utterances = {{0, COUNT}},
    };
    check(stream, 0, 0, 0);
    struct edge_errors errors = count(&stream);
    assert_int_equal(errors.score.substitutions + errors.score.deletions, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_that_an_edge_cuts),
        cmocka_unit_test(a_word_that_a_final_has_whole),
        cmocka_unit_test(several_words_without_a_space),
        cmocka_unit_test(a_word_in_no_utterance),
        cmocka_unit_test(a_word_on_both_sides_of_an_edge),
        cmocka_unit_test(the_ends_of_the_recording_cut_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

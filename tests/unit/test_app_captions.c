/* SPDX-License-Identifier: MIT */
/* The caption model and the window onto it: events in, rows out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "app/caption_view.h"
#include "app/captions.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 16000 };

static const char *const SPEAKERS[] = {"mic", "desktop"};

static struct captions *captions;

static int set_up(void **state)
{
    (void)state;
    captions = captions_new(RATE, CASE_AS_IS, SPEAKERS);
    return captions != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    captions_free(captions);
    return 0;
}

/* An event of the words in `text`, of which the first `firm` are firm. */
static void send(enum utter_event_type type, uint64_t utterance, const char *text, size_t firm)
{
    char copy[256];
    struct utter_word words[32];
    size_t count = 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        words[count++] = (struct utter_word){word, 0, 0, 1.0f};
    struct utter_event event = {.type = type,
                                .utterance = utterance,
                                .text = text,
                                .words = words,
                                .word_count = count,
                                .firm_count = firm};
    assert_true(captions_event(captions, &event, 0));
}

static void send_gap_of(int speaker, int64_t lost)
{
    struct utter_event event = {.type = UTTER_EVENT_GAP, .end = lost, .lost = lost};
    assert_true(captions_event(captions, &event, speaker));
}

static void send_gap(int64_t lost)
{
    send_gap_of(0, lost);
}

/* "firm/likely/draft" of the caption. */
static void assert_caption(size_t index, const char *expected)
{
    char shown[512];
    const struct caption *caption = captions_at(captions, index);
    snprintf(shown, sizeof shown, "%.*s/%.*s/%s", (int)caption->firm, caption->text,
             (int)(caption->likely - caption->firm), caption->text + caption->firm,
             caption->text + caption->likely);
    assert_string_equal(shown, expected);
}

static void words_go_from_draft_to_firm_to_final(void **state)
{
    (void)state;
    send(UTTER_EVENT_DRAFT, 1, "won too", 0);
    assert_caption(0, "//won too");
    send(UTTER_EVENT_DRAFT, 1, "one two", 1);
    assert_caption(0, "/one/ two");
    send(UTTER_EVENT_COMMIT, 1, "one", 0);
    assert_caption(0, "one// two");
    send(UTTER_EVENT_DRAFT, 1, "two three", 1);
    assert_caption(0, "one/ two/ three");
    send(UTTER_EVENT_COMMIT, 1, "two three", 0);
    assert_caption(0, "one two three//");
    assert_false(captions_at(captions, 0)->settled);
    send(UTTER_EVENT_FINAL, 1, "one too   three", 0);
    assert_caption(0, "one too three//");
    assert_true(captions_at(captions, 0)->settled);
    assert_int_equal(captions_count(captions), 1);
}

static void utterances_may_overlap(void **state)
{
    (void)state;
    send(UTTER_EVENT_COMMIT, 1, "one", 0);
    send_gap(RATE / 2);
    send(UTTER_EVENT_COMMIT, 2, "two", 0);
    send(UTTER_EVENT_DRAFT, 2, "three", 0);
    send(UTTER_EVENT_FINAL, 1, "eleven", 0);
    send(UTTER_EVENT_FINAL, 2, "two three", 0);
    assert_int_equal(captions_count(captions), 3);
    assert_caption(0, "eleven//");
    assert_caption(1, "[0.50 s of audio lost]//");
    assert_caption(2, "two three//");
    assert_int_equal(captions_lost(captions), RATE / 2);
}

/* Its FINAL is the first that is heard of an utterance, after the words of the next: it has its
 * place before them, and nobody who remembers where a caption is has to look again. */
static void a_late_final_has_its_place(void **state)
{
    (void)state;
    send(UTTER_EVENT_FINAL, 1, "one", 0);
    send(UTTER_EVENT_COMMIT, 3, "three", 0);
    const size_t third = captions_count(captions) - 1;
    assert_caption(third, "three//");
    send(UTTER_EVENT_FINAL, 2, "two", 0);
    send(UTTER_EVENT_FINAL, 3, "three four", 0);
    assert_int_equal(captions_count(captions), 3);
    assert_caption(1, "two//");
    assert_caption(third, "three four//");
    send_gap(RATE);
    send(UTTER_EVENT_COMMIT, 1000000, "far", 0); /* not a place for each in between */
    send(UTTER_EVENT_FINAL, 999999, "near", 0);
    assert_true(captions_count(captions) < 20);
    assert_caption(3, "[1.00 s of audio lost]//");
    assert_caption(captions_count(captions) - 2, "near//");
    assert_caption(captions_count(captions) - 1, "far//");
}

static void a_pause_is_no_loss(void **state)
{
    (void)state;
    captions_pause(captions);
    send_gap(RATE * 3);
    send_gap(RATE);
    assert_caption(0, "[paused for 3.0 s]//");
    assert_caption(1, "[1.00 s of audio lost]//");
    assert_int_equal(captions_lost(captions), RATE);
}

static void a_loss_says_whose_it_is(void **state)
{
    (void)state;
    send_gap_of(2, RATE * 2);
    assert_caption(0, "desktop: [2.00 s of audio lost]//");
    captions_pause(captions); /* ends for both */
    send_gap_of(1, RATE * 3);
    send_gap_of(2, RATE * 3);
    assert_caption(1, "[paused for 3.0 s]//");
    assert_int_equal(captions_count(captions), 2);
    send_gap_of(1, RATE);
    assert_caption(2, "mic: [1.00 s of audio lost]//");
    captions_pause(captions); /* of a mix, which has one gap for both */
    send_gap_of(0, RATE * 3);
    send_gap_of(2, RATE);
    assert_caption(4, "desktop: [1.00 s of audio lost]//");
    assert_int_equal(captions_lost(captions), RATE * 4);
}

static void what_changes_is_counted(void **state)
{
    (void)state;
    send(UTTER_EVENT_COMMIT, 1, "one", 0);
    uint64_t before = captions_revision(captions);
    send(UTTER_EVENT_FINAL, 1, "one", 0);
    struct utter_event event = {.type = UTTER_EVENT_STATE, .state = UTTER_STATE_SILENCE};
    assert_true(captions_event(captions, &event, 0));
    assert_int_equal(captions_revision(captions), before);
    send(UTTER_EVENT_DRAFT, 2, "two", 0);
    assert_true(captions_revision(captions) > before);
}

static void hostile_words_are_harmless(void **state)
{
    (void)state;
    send(UTTER_EVENT_COMMIT, 1, "\033[31mred\a \xff", 0);
    assert_caption(0, "red \xEF\xBF\xBD//");
    send(UTTER_EVENT_FINAL, 1, "a\033]0;title\a b\nc", 0);
    assert_caption(0, "a b c//");
}

static void sentence_case_goes_on_through_commits(void **state)
{
    (void)state;
    captions_free(captions);
    captions = captions_new(RATE, CASE_SENTENCE, NULL);
    send(UTTER_EVENT_COMMIT, 1, "ONE", 0);
    send(UTTER_EVENT_COMMIT, 1, "TWO", 0);
    send(UTTER_EVENT_DRAFT, 1, "THREE FOUR", 1);
    assert_caption(0, "One two/ three/ four");
}

static void a_second_final_or_late_draft_does_no_harm(void **state)
{
    (void)state;
    send(UTTER_EVENT_FINAL, 1, "one", 0);
    send(UTTER_EVENT_DRAFT, 1, "late", 0);
    assert_caption(0, "one//");
}

/* ---- the window ------------------------------------------------------------------------------ */

/* The rows of a view, joined by "|". */
static void assert_rows(struct caption_view *view, const char *expected)
{
    struct caption_row rows[64];
    char shown[1024] = "";
    int count = caption_view_rows(view, captions, rows);
    assert_in_range(count, 0, view->rows);
    for (int i = 0; i < count; i++) {
        size_t length = strlen(shown);
        snprintf(shown + length, sizeof shown - length, "%s%.*s", i > 0 ? "|" : "",
                 (int)(rows[i].end - rows[i].start), rows[i].caption->text + rows[i].start);
    }
    assert_string_equal(shown, expected);
}

static void say_lines(int count)
{
    for (int i = 1; i <= count; i++) {
        char text[32];
        snprintf(text, sizeof text, "line %d", i);
        send(UTTER_EVENT_FINAL, (uint64_t)i, text, 0);
    }
}

static void the_view_follows_what_is_new(void **state)
{
    (void)state;
    struct caption_view view = {.columns = 9, .rows = 3};
    assert_rows(&view, "");
    send(UTTER_EVENT_DRAFT, 1, "one two three", 0);
    assert_rows(&view, "one two|three");
    send(UTTER_EVENT_FINAL, 1, "one two three", 0);
    send(UTTER_EVENT_FINAL, 2, "four five six", 0);
    assert_rows(&view, "three|four five|six");
}

static void scrolled_back_it_stays_where_it_is(void **state)
{
    (void)state;
    struct caption_view view = {.columns = 20, .rows = 3};
    say_lines(9);
    caption_view_scroll(&view, captions, -4);
    assert_rows(&view, "line 3|line 4|line 5");
    assert_int_equal(caption_view_below(&view, captions), 4);
    send(UTTER_EVENT_COMMIT, 10, "line 10", 0);
    assert_rows(&view, "line 3|line 4|line 5");
    caption_view_scroll(&view, captions, 4);
    assert_rows(&view, "line 7|line 8|line 9");
    assert_true(view.scrolled);
    caption_view_scroll(&view, captions, 4);
    assert_false(view.scrolled);
    assert_rows(&view, "line 8|line 9|line 10");
    caption_view_scroll(&view, captions, -100);
    assert_rows(&view, "line 1|line 2|line 3");
    caption_view_end(&view);
    assert_rows(&view, "line 8|line 9|line 10");
    caption_view_home(&view, captions);
    assert_rows(&view, "line 1|line 2|line 3");
}

static void another_width_keeps_the_place(void **state)
{
    (void)state;
    struct caption_view view = {.columns = 40, .rows = 2};
    send(UTTER_EVENT_FINAL, 1, "alpha beta gamma delta", 0);
    say_lines(0);
    for (uint64_t i = 2; i < 12; i++)
        send(UTTER_EVENT_FINAL, i, "more words here", 0);
    caption_view_home(&view, captions);
    view.columns = 11;
    assert_rows(&view, "alpha beta|gamma delta");
    caption_view_scroll(&view, captions, 1);
    assert_rows(&view, "gamma delta|more words");
    view.columns = 6;
    assert_rows(&view, "gamma|delta");
    view.columns = 40;
    assert_rows(&view, "alpha beta gamma delta|more words here");
}

static void fewer_lines_than_rows_leave_nothing_to_scroll(void **state)
{
    (void)state;
    struct caption_view view = {.columns = 20, .rows = 10};
    caption_view_scroll(&view, captions, -3);
    caption_view_home(&view, captions);
    say_lines(2);
    caption_view_scroll(&view, captions, -3);
    assert_false(view.scrolled);
    assert_rows(&view, "line 1|line 2");
    assert_int_equal(caption_view_below(&view, captions), 0);
}

static void an_utterance_may_lose_all_its_words(void **state)
{
    (void)state;
    struct caption_view view = {.columns = 20, .rows = 2};
    say_lines(4);
    send(UTTER_EVENT_DRAFT, 5, "line 5", 0);
    caption_view_scroll(&view, captions, -1);
    send(UTTER_EVENT_FINAL, 4, "", 0);
    send(UTTER_EVENT_FINAL, 5, "", 0);
    assert_rows(&view, "line 2|line 3");
    send(UTTER_EVENT_FINAL, 1, "", 0);
    send(UTTER_EVENT_FINAL, 2, "", 0);
    send(UTTER_EVENT_FINAL, 3, "", 0);
    assert_rows(&view, "");
}

/* Rows never hold more columns than there are, whatever the text and wherever the view is. */
static void random_views_hold(void **state)
{
    (void)state;
    static const char *const words[] = {
        "a", "世界", "naïve", "e\xCC\x81t\xCC\x81", "👩‍👩‍👧", "longerthanaline",
        "ﷺ", "zwei"};
    unsigned seed = 7;
    struct caption_view view = {.columns = 10, .rows = 4};
    for (int round = 0; round < 3000; round++) {
        seed = seed * 1103515245u + 12345u;
        unsigned dice = seed >> 16;
        char text[128];
        snprintf(text, sizeof text, "%s %s %s", words[dice % 8], words[dice / 8 % 8],
                 words[dice / 64 % 8]);
        send((enum utter_event_type)(1 + dice % 3), 1 + (uint64_t)round / 5, text, dice % 4);
        if (dice % 7 == 0)
            view.columns = 2 + (int)(dice / 7 % 40);
        if (dice % 11 == 0)
            view.rows = 1 + (int)(dice / 11 % 20);
        if (dice % 5 == 0)
            caption_view_scroll(&view, captions, (int)(dice / 5 % 60) - 30);
        struct caption_row rows[32];
        int count = caption_view_rows(&view, captions, rows);
        assert_in_range(count, 0, view.rows);
        for (int i = 0; i < count; i++)
            assert_true(text_width(rows[i].caption->text + rows[i].start,
                                   rows[i].end - rows[i].start) <= view.columns);
    }
}

static void a_shorter_final_moves_nothing(void **state)
{
    (void)state;
    struct caption_row rows[3];
    struct caption_view view = {.columns = 9, .rows = 3};
    send(UTTER_EVENT_FINAL, 1, "alpha", 0);
    send(UTTER_EVENT_COMMIT, 2, "beta gamma delta epsilon", 0);
    assert_int_equal(caption_view_rows(&view, captions, rows), 3);
    assert_int_equal(rows[0].index,
                     1); /* "beta", "gamma", "delta", "epsilon": the first is above */
    send(UTTER_EVENT_FINAL, 2, "beta gamma delta", 0);
    assert_int_equal(caption_view_rows(&view, captions, rows), 2);
    assert_int_equal(rows[0].start, 5);
    send(UTTER_EVENT_FINAL, 3, "zeta", 0); /* into the row that is free */
    assert_int_equal(caption_view_rows(&view, captions, rows), 3);
    assert_int_equal(rows[0].start, 5);
    view.columns = 20; /* another size fills the window again */
    assert_int_equal(caption_view_rows(&view, captions, rows), 3);
    assert_int_equal(rows[0].index, 0);
}

static void a_cleared_view_is_empty_until_more_is_said(void **state)
{
    (void)state;
    struct caption_row rows[3];
    struct caption_view view = {.columns = 20, .rows = 3};
    send(UTTER_EVENT_FINAL, 1, "alpha", 0);
    caption_view_clear(&view, captions);
    assert_int_equal(caption_view_rows(&view, captions, rows), 0);
    send(UTTER_EVENT_COMMIT, 2, "beta", 0);
    assert_int_equal(caption_view_rows(&view, captions, rows), 1);
    caption_view_scroll(&view, captions, -1);
    assert_int_equal(caption_view_rows(&view, captions, rows), 2);
}

static void words_are_searched_for_without_case(void **state)
{
    (void)state;
    struct caption_place place = {2, 0};
    send(UTTER_EVENT_FINAL, 1, "Über alpha", 0);
    send(UTTER_EVENT_FINAL, 2, "alpha über Alpha", 0);
    assert_true(caption_search_older(captions, "ALPHA", &place));
    assert_int_equal(place.caption, 1);
    assert_int_equal(place.byte, 12);
    assert_true(caption_search_older(captions, "ALPHA", &place));
    assert_int_equal(place.byte, 0);
    assert_true(caption_search_older(captions, "über", &place));
    assert_int_equal(place.caption, 0);
    assert_false(caption_search_older(captions, "über", &place));
    assert_true(caption_search_newer(captions, "über", &place));
    assert_int_equal(place.caption, 1);
    assert_int_equal(place.byte, 6);
    assert_false(caption_search_newer(captions, "über", &place));
}

static void words_keep_their_confidence(void **state)
{
    (void)state;
    struct utter_word words[] = {{"one", 0, 1, 0.9f}, {"two", 1, 2, 0.2f}};
    struct utter_event event = {
        .type = UTTER_EVENT_COMMIT, .utterance = 1, .text = "one", .words = words, .word_count = 1};
    assert_true(captions_event(captions, &event, 2));
    event.words = words + 1;
    assert_true(captions_event(captions, &event, 2));
    const struct caption *caption = captions_at(captions, 0);
    assert_int_equal(caption->speaker, 2);
    assert_int_equal(caption->word_count, 2);
    assert_int_equal(caption->words[1].start, 4);
    assert_true(caption->words[1].confidence < 0.5f);
    event = (struct utter_event){.type = UTTER_EVENT_FINAL,
                                 .utterance = 1,
                                 .text = "one two",
                                 .words = words,
                                 .word_count = 2};
    assert_true(captions_event(captions, &event, 2));
    caption = captions_at(captions, 0);
    assert_int_equal(caption->word_count, 2);
    assert_int_equal(caption->words[1].end, 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(words_go_from_draft_to_firm_to_final),
        TEST(utterances_may_overlap),
        TEST(a_late_final_has_its_place),
        TEST(a_pause_is_no_loss),
        TEST(a_loss_says_whose_it_is),
        TEST(what_changes_is_counted),
        TEST(hostile_words_are_harmless),
        TEST(sentence_case_goes_on_through_commits),
        TEST(a_second_final_or_late_draft_does_no_harm),
        TEST(the_view_follows_what_is_new),
        TEST(scrolled_back_it_stays_where_it_is),
        TEST(another_width_keeps_the_place),
        TEST(fewer_lines_than_rows_leave_nothing_to_scroll),
        TEST(an_utterance_may_lose_all_its_words),
        TEST(random_views_hold),
        TEST(a_shorter_final_moves_nothing),
        TEST(a_cleared_view_is_empty_until_more_is_said),
        TEST(words_are_searched_for_without_case),
        TEST(words_keep_their_confidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

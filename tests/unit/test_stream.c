/* SPDX-License-Identifier: MIT */
/* The streaming method with a voice and a model whose every frame is known. */
#include "events_text.h"
#include "stream/stream.h"
#include "voice.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every test runs with each. */
static const struct kind {
    const char *name;
    enum utter_encoder encoder;
    bool local;
} kinds[] = {
    {"windows", UTTER_ENCODER_WINDOW, false},
    {"windows, local features", UTTER_ENCODER_WINDOW, true},
    {"cached", UTTER_ENCODER_CACHED, false},
    {"cached, local features", UTTER_ENCODER_CACHED, true},
};
static const struct kind *kind;

struct fixture {
    struct ctc_labels labels;
    struct voice_model model;
    struct utter_stream *stream;
    float *samples; /* what is said; interleaved */
    int64_t count;  /* per channel */
    struct events_text text;
};

static void open_fixture(struct fixture *f, struct utter_stream_options given)
{
    struct utter_stream_options options;
    f->model.encoder = kind->encoder;
    f->model.local = kind->local;
    const struct acoustic acoustic = voice_acoustic(&f->model);
    given.size = sizeof given;
    voice_labels(&f->labels);
    assert_int_equal(stream_options(&options, &given, &acoustic, NULL), UTTER_OK);
    f->stream = stream_open(&acoustic, &f->labels, &options, NULL, NULL);
    assert_non_null(f->stream);
}

static void close_fixture(struct fixture *f)
{
    utter_stream_close(f->stream);
    ctc_labels_close(&f->labels);
    events_text_close(&f->text);
    free(f->samples);
}

static void read_events(struct fixture *f)
{
    const struct utter_event *event;
    while ((event = utter_stream_next(f->stream)))
        events_text_add(&f->text, event);
}

/* Feeds samples [from, to) of the buffer, which begins at position `origin` of the stream; `cut`
 * at a time, 0: as it comes. */
static void feed_cut(struct fixture *f, int64_t from, int64_t to, int64_t origin, int64_t cut)
{
    int channels = f->stream->options.channels;
    unsigned random = 12345;
    while (from < to) {
        random = random * 1103515245u + 12345u;
        int64_t n = cut ? cut : 1 + random / 65536 % 5000;
        if (n > to - from)
            n = to - from;
        int64_t taken =
            utter_stream_feed(f->stream, f->samples + from * channels, n, origin + from, NULL);
        assert_true(taken >= 0 && taken <= n);
        from += taken;
        read_events(f);
    }
}

static void feed_all(struct fixture *f)
{
    feed_cut(f, 0, f->count, 0, 4096);
}

static void flush(struct fixture *f)
{
    assert_int_equal(utter_stream_flush(f->stream, NULL), UTTER_OK);
    read_events(f);
}

static const struct utter_stream_options defaults;

static void words_become_commits_and_a_final(void **state)
{
    (void)state;
    struct fixture f = {.model.look_ahead = 5};
    open_fixture(&f, defaults);
    voice_say(&f.samples, &f.count, ".....hello|world|..........");
    feed_all(&f);
    assert_string_equal(f.text.commits, "hello world ");
    assert_string_equal(f.text.finals, "hello world\n");
    assert_string_equal(f.text.order, "SCFQ");
    assert_true(f.text.drafts > 2);
    close_fixture(&f);
}

static void times_and_confidence_are_those_of_the_frames(void **state)
{
    (void)state;
    struct fixture f = {0};
    open_fixture(&f, defaults);
    voice_say(&f.samples, &f.count, ".....ab|c|..........");
    feed_all(&f);
    assert_int_equal(f.text.final_count, 2);
    assert_int_equal(f.text.final[0].start, 50 * VOICE_FRAME);
    assert_int_equal(f.text.final[0].end, (50 + 2 * LETTER_FRAMES) * VOICE_FRAME);
    assert_int_equal(f.text.final[1].start, (50 + 3 * LETTER_FRAMES) * VOICE_FRAME);
    assert_int_equal(f.text.words_end, (50 + 4 * LETTER_FRAMES) * VOICE_FRAME);
    assert_true(fabsf(f.text.final[0].confidence - 0.86f) < 1e-3f);
    assert_true(fabsf(f.text.least_confidence - 0.86f) < 1e-3f);
    /* Half a second before the gate opened belongs to it, and the silence that ended it. */
    assert_true(f.text.final_start < 50 * VOICE_FRAME - VOICE_RATE / 3);
    assert_true(f.text.final_end > f.text.words_end + VOICE_RATE / 2);
    close_fixture(&f);
}

/* The model hears '?' where it does not see far enough ahead: such labels may be drafts only. */
static void only_frames_with_right_context_are_settled(void **state)
{
    (void)state;
    for (int hop_ms = 100; hop_ms <= 700; hop_ms += 120) {
        struct fixture f = {.model.look_ahead = 16};
        open_fixture(&f, (struct utter_stream_options){.hop_ms = hop_ms});
        voice_say(&f.samples, &f.count, ".....the|quick|brown|fox|jumps|over|the|lazy|dog|......");
        feed_all(&f);
        assert_string_equal(f.text.commits, "the quick brown fox jumps over the lazy dog ");
        assert_string_equal(f.text.finals, "the quick brown fox jumps over the lazy dog\n");
        close_fixture(&f);
    }
}

/* A word that is being said grows from decode to decode: it is shown when it is whole. */
static void drafts_show_whole_words(void **state)
{
    (void)state;
    struct fixture f = {.model.look_ahead = 16};
    open_fixture(&f, (struct utter_stream_options){.hop_ms = 200});
    voice_say(&f.samples, &f.count, ".....the|quick|brown|fox|jumps|over|the|lazy|dog|......");
    feed_all(&f);
    assert_true(f.text.drafts >= 9);
    assert_int_equal(f.text.unsure_drafts, 0);
    for (char *word = strtok(f.text.drafted, " "); word; word = strtok(NULL, " ")) {
        char whole[32];
        snprintf(whole, sizeof whole, " %s ", word);
        if (!strstr(" the quick brown fox jumps over the lazy dog ", whole))
            fail_msg("a draft showed '%s'", word);
    }
    close_fixture(&f);
}

static void doubled_letters_and_words_cross_seams(void **state)
{
    (void)state;
    /* A hop of a few frames puts seams everywhere. */
    for (int hop_ms = 20; hop_ms <= 200; hop_ms += 20) {
        struct fixture f = {.model.look_ahead = 2};
        open_fixture(&f, (struct utter_stream_options){
                             .hop_ms = hop_ms, .left_context_ms = 100, .right_context_ms = 60});
        voice_say(&f.samples, &f.count, "...aabbb|ccc|..d|..........");
        feed_all(&f);
        assert_string_equal(f.text.commits, "aabbb ccc d ");
        assert_string_equal(f.text.finals, "aabbb ccc d\n");
        close_fixture(&f);
    }
}

/* FINAL finds them there, and windows and chunks do not ask twice. */
static void local_features_are_computed_once(void **state)
{
    (void)state;
    if (!kind->local)
        skip();
    for (int limit = 0; limit < 2; limit++) {
        struct fixture f = {.model.look_ahead = 3};
        open_fixture(&f, (struct utter_stream_options){.utterance_limit_ms = limit ? 2000 : 0});
        voice_say(&f.samples, &f.count,
                  ".....abcd|efghij|klmnop|qrst|uvwxyz|abcdefgh|ij..........");
        feed_all(&f);
        int64_t first = f.text.first_start, end = f.text.final_end;
        assert_true(f.text.utterance > (limit ? 1 : 0));
        /* A frame is there when its last sample is, which at a cut may be the next utterance's, and
         * the second half of the last silence was listened to before it was no one's. */
        int64_t frames = (end - first - VOICE_FIELD) / VOICE_FRAME + 1;
        assert_in_range(f.model.features, frames, frames + 4 * PAUSE_FRAMES / 2);
        close_fixture(&f);
    }
}

static void the_encoder_is_as_asked_for(void **state)
{
    (void)state;
    struct fixture f = {0};
    open_fixture(&f, defaults);
    assert_int_equal(f.stream->options.encoder, kind->encoder);
    voice_say(&f.samples, &f.count, ".....one|two|three|..........");
    feed_all(&f);
    /* FINAL is a pass of its own. */
    assert_int_equal(f.model.chunks,
                     kind->encoder == UTTER_ENCODER_CACHED ? f.model.passes - 1 : 0);
    close_fixture(&f);
    open_fixture(&f, (struct utter_stream_options){.encoder = UTTER_ENCODER_WINDOW});
    assert_int_equal(f.stream->options.encoder, UTTER_ENCODER_WINDOW);
    f.samples = NULL;
    f.text = (struct events_text){0};
    close_fixture(&f);
}

static void any_cut_gives_the_same_events(void **state)
{
    (void)state;
    static const struct {
        int rate;
        int channels;
    } inputs[] = {{16000, 1}, {44100, 2}, {8000, 1}, {48000, 1}, {22050, 3}};
    static const int64_t cuts[] = {1, 160, 319, 4096, 0, 1 << 20};
    for (size_t k = 0; k < sizeof inputs / sizeof *inputs; k++) {
        char *first = NULL;
        for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
            struct fixture f = {.model.look_ahead = 3};
            open_fixture(&f, (struct utter_stream_options){.sample_rate = inputs[k].rate,
                                                           .channels = inputs[k].channels});
            int channels = inputs[k].channels;
            voice_say(&f.samples, &f.count, "...same|events|...........again|now");
            voice_add_noise(f.samples, f.count, 0.01f);
            f.count /= channels;
            int64_t half = f.count / 2;
            feed_cut(&f, 0, half, 0, cuts[i]);
            feed_cut(&f, half, f.count, 12345, cuts[i]); /* a gap between the halves */
            flush(&f);
            assert_int_equal(f.text.lost, 12345);
            if (!first)
                first = strdup(f.text.all);
            else
                assert_string_equal(first, f.text.all);
            close_fixture(&f);
        }
        assert_true(strlen(first) > 100);
        free(first);
    }
}

static void a_jump_is_a_gap_of_exact_length(void **state)
{
    (void)state;
    struct fixture f = {.model.look_ahead = 3};
    open_fixture(&f, defaults);
    voice_say(&f.samples, &f.count, ".....one|tw");
    int64_t half = f.count;
    voice_say(&f.samples, &f.count, "three|..........");
    feed_cut(&f, 0, half, 0, 1000);
    feed_cut(&f, half, f.count, 54321, 1000);
    assert_string_equal(f.text.order, "SCFQGSCFQ");
    assert_int_equal(f.text.lost, 54321);
    assert_int_equal(f.text.gap_start, half);
    assert_int_equal(f.text.gap_end, half + 54321);
    assert_non_null(strstr(f.text.finals, "\nthree\n"));
    /* Time moved on, and frames are counted from after the gap. */
    assert_int_equal(f.text.final[0].start, half + 54321);
    close_fixture(&f);
}

static void a_gap_without_audio_after_it_is_told(void **state)
{
    (void)state;
    struct fixture f = {0};
    open_fixture(&f, defaults);
    voice_say(&f.samples, &f.count, "..");
    feed_all(&f);
    assert_int_equal(utter_stream_feed(f.stream, NULL, 0, f.count + 77, NULL), 0);
    read_events(&f);
    assert_string_equal(f.text.order, "G");
    assert_int_equal(f.text.lost, 77);
    close_fixture(&f);
}

static void flush_keeps_the_last_word(void **state)
{
    (void)state;
    struct fixture f = {0};
    open_fixture(&f, defaults);
    voice_say(&f.samples, &f.count, ".....first|last");
    feed_cut(&f, 0, f.count - 100, 0, 320);
    flush(&f);
    assert_string_equal(f.text.commits, "first last ");
    assert_string_equal(f.text.finals, "first last\n");
    assert_string_equal(f.text.order, "SCFQ");
    assert_int_equal(f.text.final_end, f.count - 100);
    flush(&f); /* nothing more to say */
    assert_string_equal(f.text.order, "SCFQ");
    /* The stream goes on where it was. */
    feed_cut(&f, 50 * VOICE_FRAME, f.count, f.count - 100 - 50 * VOICE_FRAME, 320);
    flush(&f);
    assert_string_equal(f.text.finals, "first last\nfirst last\n");
    close_fixture(&f);
}

static void a_long_utterance_is_cut_between_words(void **state)
{
    (void)state;
    struct fixture f = {0}; /* at a cut nothing lies ahead */
    open_fixture(&f, (struct utter_stream_options){.utterance_limit_ms = 5000});
    char said[2048] = "", script[2048] = ".....";
    for (int i = 0; i < 60; i++) {
        char word[8] = {(char)('a' + i % 24), (char)('b' + i % 7), (char)('c' + i % 11), 0};
        strcat(said, word);
        strcat(said, " ");
        strcat(script, word);
        strcat(script, "|");
    }
    strcat(script, "..........");
    voice_say(&f.samples, &f.count, script);
    feed_all(&f);
    flush(&f);
    assert_string_equal(f.text.commits, said);
    for (char *p = f.text.finals; *p; p++)
        if (*p == '\n')
            *p = ' ';
    assert_string_equal(f.text.finals, said);
    assert_true(f.text.utterance >= 3);
    assert_string_equal(f.text.order + strlen(f.text.order) - 3, "CFQ");
    assert_int_equal(f.text.order[strcspn(f.text.order, "Q")], 'Q');
    assert_true(f.model.longest <= 6 * VOICE_RATE);
    close_fixture(&f);
}

/* What lies before the gate opens is heard, unless it was heard already. */
static void the_preroll_goes_back_to_the_last_utterance_at_most(void **state)
{
    (void)state;
    struct fixture f = {0};
    open_fixture(&f, (struct utter_stream_options){.endpoint_silence_ms = 100});
    voice_say(&f.samples, &f.count, "..........ab|.ab|..........");
    feed_all(&f);
    assert_string_equal(f.text.finals, "ab\nab\n");
    assert_true(f.text.first_start <= (100 - 20) * VOICE_FRAME);
    /* The second begins where the first ended: less than half a second before its word. */
    assert_true(f.text.final_start > (100 + 12) * VOICE_FRAME);
    assert_true(f.text.final_start <= f.text.final[0].start);
    close_fixture(&f);
    /* Half of a silence that was just long enough is pre-roll: a word may begin weakly in it. */
    f = (struct fixture){0};
    open_fixture(&f, defaults);
    voice_say(&f.samples, &f.count, "..........ab|.....ab|..........");
    feed_all(&f);
    assert_string_equal(f.text.order, "SCFQSCFQ");
    assert_true(f.text.final[0].start - f.text.final_start >= VOICE_RATE * 4 / 10);
    close_fixture(&f);
}

/* What is said between two delimiters is a sound without a word. */
static void sound_without_a_word_ends_the_utterance(void **state)
{
    (void)state;
    struct fixture f = {0};
    open_fixture(&f, (struct utter_stream_options){.endpoint_wordless_ms = 2000});
    voice_say(&f.samples, &f.count, ".....ab|||||||||||||||||||||||cd|..........");
    feed_all(&f);
    assert_string_equal(f.text.finals, "ab\ncd\n");
    assert_string_equal(f.text.order, "SCFCFQ");
    assert_true(f.text.first_start < f.text.final_start);
    /* The second begins where the first ended, after its word and before the other's. */
    assert_true(f.text.final_start > 60 * VOICE_FRAME);
    assert_true(f.text.final_start < f.text.final[0].start);
    close_fixture(&f);
}

/* The room becomes louder, so that the gate stays open, but is far below what was said. */
static void a_faint_room_ends_the_utterance(void **state)
{
    (void)state;
    struct fixture f = {0};
    open_fixture(&f, defaults);
    voice_say(&f.samples, &f.count, ".....ab|");
    int64_t said = f.count;
    voice_say(&f.samples, &f.count, "......cd|..........");
    voice_add_noise(f.samples + said, f.count - said, 1.5e-3f);
    voice_add_noise(f.samples + said, 35 * VOICE_FRAME, 1e-3f); /* quietest after these */
    feed_all(&f);
    assert_string_equal(f.text.finals, "ab\ncd\n");
    /* Without a silence between the two, and where as much comes before as after. */
    assert_memory_equal(f.text.order, "SCFCF", 5);
    assert_in_range(f.text.final_start, said + 15 * VOICE_FRAME, said + 25 * VOICE_FRAME);
    close_fixture(&f);
}

static void the_gate_can_be_off(void **state)
{
    (void)state;
    struct fixture f = {0};
    open_fixture(&f, (struct utter_stream_options){.gate_off = true, .utterance_limit_ms = 4000});
    voice_say(&f.samples, &f.count, "....................a|..........b|");
    feed_all(&f);
    flush(&f);
    assert_string_equal(f.text.commits, "a b ");
    assert_null(strstr(f.text.order, "QS")); /* silence ends nothing */
    assert_true(f.text.utterance > 1);
    close_fixture(&f);
}

static void silence_costs_no_decode(void **state)
{
    (void)state;
    struct fixture f = {0};
    open_fixture(&f, defaults);
    for (int i = 0; i < 100; i++)
        voice_say(&f.samples, &f.count, "..........");
    voice_add_noise(f.samples, f.count, 1e-4f);
    feed_all(&f);
    assert_int_equal(f.model.passes, 0);
    assert_string_equal(f.text.order, "");
    close_fixture(&f);
}

static void drafts_can_be_off(void **state)
{
    (void)state;
    struct fixture f = {0};
    open_fixture(&f, (struct utter_stream_options){.drafts_off = true});
    voice_say(&f.samples, &f.count, "...some|words|..........");
    feed_all(&f);
    assert_int_equal(f.text.drafts, 0);
    assert_string_equal(f.text.order, "SCFQ");
    close_fixture(&f);
}

static void reset_forgets_everything(void **state)
{
    (void)state;
    struct fixture f = {.model.look_ahead = 3};
    open_fixture(&f, (struct utter_stream_options){.sample_rate = 44100});
    voice_say(&f.samples, &f.count, "...twice|the|same..........and|no");
    feed_all(&f);
    struct events_text first = f.text;
    f.text = (struct events_text){0};
    utter_stream_reset(f.stream);
    feed_all(&f);
    assert_true(first.all_length > 100);
    assert_string_equal(first.all, f.text.all);
    events_text_close(&first);
    close_fixture(&f);
}

static void broken_samples_do_no_harm(void **state)
{
    (void)state;
    struct fixture f = {0};
    open_fixture(&f, defaults);
    voice_say(&f.samples, &f.count, ".....");
    for (int64_t i = 0; i < f.count; i += 7)
        f.samples[i] = i % 3 ? NAN : i % 2 ? INFINITY : 1e30f;
    voice_say(&f.samples, &f.count, ".......................................fine|..........");
    feed_all(&f);
    assert_non_null(strstr(f.text.finals, "fine\n"));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_commits_and_a_final),
        cmocka_unit_test(times_and_confidence_are_those_of_the_frames),
        cmocka_unit_test(only_frames_with_right_context_are_settled),
        cmocka_unit_test(drafts_show_whole_words),
        cmocka_unit_test(doubled_letters_and_words_cross_seams),
        cmocka_unit_test(local_features_are_computed_once),
        cmocka_unit_test(the_encoder_is_as_asked_for),
        cmocka_unit_test(any_cut_gives_the_same_events),
        cmocka_unit_test(a_jump_is_a_gap_of_exact_length),
        cmocka_unit_test(a_gap_without_audio_after_it_is_told),
        cmocka_unit_test(flush_keeps_the_last_word),
        cmocka_unit_test(a_long_utterance_is_cut_between_words),
        cmocka_unit_test(the_preroll_goes_back_to_the_last_utterance_at_most),
        cmocka_unit_test(sound_without_a_word_ends_the_utterance),
        cmocka_unit_test(a_faint_room_ends_the_utterance),
        cmocka_unit_test(the_gate_can_be_off),
        cmocka_unit_test(silence_costs_no_decode),
        cmocka_unit_test(drafts_can_be_off),
        cmocka_unit_test(reset_forgets_everything),
        cmocka_unit_test(broken_samples_do_no_harm),
    };
    int failed = 0;
    for (kind = kinds; kind < kinds + sizeof kinds / sizeof *kinds; kind++)
        failed += cmocka_run_group_tests_name(kind->name, tests, NULL, NULL);
    return failed;
}

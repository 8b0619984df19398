/* SPDX-License-Identifier: MIT */
/* How soon an utterance's first word is shown, with a voice and a model whose frames are known. */
#include "events_text.h"
#include "stream/stream.h"
#include "voice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    LEAD_FRAMES = 70,  /* of silence, or some less */
    WORD_FRAMES = 12,  /* of "one" */
    AHEAD_FRAMES = 3,  /* after it, without which the model does not hear it */
    HALF_FRAMES = 10,  /* from one decode to the next while the first word is awaited */
    END_FRAMES = 1000, /* until when all was said */
};

/* Says it after LEAD_FRAMES - `less` of silence and listens frame by frame; returns the frame with
 * which the first draft came. */
static int64_t hear(struct voice_model *model, struct utter_stream_options given, int less)
{
    struct ctc_labels labels;
    struct utter_stream_options options;
    struct events_text text = {0};
    const struct acoustic acoustic = voice_acoustic(model);
    int64_t first = END_FRAMES, count = 0, skipped = (int64_t)less * VOICE_FRAME;
    float *samples = NULL;
    given.size = sizeof given;
    voice_labels(&labels);
    assert_int_equal(stream_options(&options, &given, &acoustic, NULL), UTTER_OK);
    struct utter_stream *stream = stream_open(&acoustic, &labels, &options, NULL, NULL);
    assert_non_null(stream);
    voice_say(&samples, &count, ".......one|two|three|four|..........");
    for (int64_t at = 0; at < count - skipped; at += VOICE_FRAME) {
        const struct utter_event *event;
        const float *said = samples + skipped + at;
        assert_int_equal(utter_stream_feed(stream, said, VOICE_FRAME, at, NULL), VOICE_FRAME);
        while ((event = utter_stream_next(stream)))
            events_text_add(&text, event);
        if (text.drafts > 0 && first == END_FRAMES)
            first = at / VOICE_FRAME;
    }
    assert_string_equal(text.commits, "one two three four ");
    utter_stream_close(stream);
    ctc_labels_close(&labels);
    events_text_close(&text);
    free(samples);
    return first;
}

static void two_decodes_show_it_wherever_it_begins(void **state)
{
    (void)state;
    for (int encoder = UTTER_ENCODER_WINDOW; encoder <= UTTER_ENCODER_CACHED; encoder++)
        for (int less = 0; less <= 2 * HALF_FRAMES; less++) {
            struct voice_model model = {.look_ahead = AHEAD_FRAMES,
                                        .encoder = (enum utter_encoder)encoder};
            int64_t heard = LEAD_FRAMES - less + WORD_FRAMES + AHEAD_FRAMES;
            int64_t shown = hear(&model, (struct utter_stream_options){.hop_ms = 400}, less);
            assert_in_range(shown, heard + HALF_FRAMES, heard + 2 * HALF_FRAMES);
        }
}

static int64_t count_passes(bool drafts_off, int hop_ms)
{
    struct voice_model model = {.look_ahead = AHEAD_FRAMES};
    hear(&model, (struct utter_stream_options){.hop_ms = hop_ms, .drafts_off = drafts_off}, 0);
    return model.passes;
}

static void there_is_no_hurry_without_drafts_or_with_short_hops(void **state)
{
    (void)state;
    assert_true(count_passes(false, 400) > count_passes(true, 400));
    assert_int_equal(count_passes(false, 300), count_passes(true, 300));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_decodes_show_it_wherever_it_begins),
        cmocka_unit_test(there_is_no_hurry_without_drafts_or_with_short_hops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "stream/utterance.h"

#include "base/error.h"

#include <assert.h>
#include <stdlib.h>

/* Whether frames' features outlive a window. */
static bool keeps_features(const struct acoustic *acoustic, enum utter_encoder encoder)
{
    return acoustic->local || encoder == UTTER_ENCODER_CACHED;
}

struct acoustic_room utterance_room(const struct acoustic *acoustic, enum utter_encoder encoder,
                                    const struct window_plan *plan)
{
    int64_t chunk = window_longest(plan), frames = plan->left + chunk;
    if (encoder == UTTER_ENCODER_CACHED)
        return (struct acoustic_room){.chunk = chunk, .left = plan->left};
    if (acoustic->local)
        return (struct acoustic_room){.frames = frames};
    /* The utterance's last window takes the samples that make no frame, too. */
    return (struct acoustic_room){.samples = acoustic_samples(acoustic, frames + 1)};
}

enum utter_code utterance_open(struct utterance *u, const struct acoustic *acoustic,
                               const struct ctc_labels *labels, enum utter_encoder encoder,
                               const struct window_plan *plan, int64_t samples_max,
                               struct utter_error *error)
{
    int64_t frames = acoustic_frames(acoustic, samples_max) + 1;
    *u = (struct utterance){.acoustic = acoustic, .encoder = encoder, .plan = *plan};
    enum utter_code code = emissions_open(&u->emissions, frames, acoustic->columns, error);
    if (!code)
        code = ctc_greedy_open(&u->settled, labels, frames, error);
    if (!code)
        code = ctc_greedy_open(&u->draft, labels, frames, error);
    if (!code && keeps_features(acoustic, encoder))
        code = features_open(&u->features, acoustic, frames, error);
    if (code)
        goto fail;
    u->rows = malloc((size_t)window_longest(plan) * (size_t)acoustic->columns * sizeof *u->rows);
    if (!u->rows) {
        code = error_memory(error, "the emissions");
        goto fail;
    }
    return UTTER_OK;
fail:
    utterance_close(u);
    return code;
}

void utterance_close(struct utterance *u)
{
    emissions_close(&u->emissions);
    ctc_greedy_close(&u->settled);
    ctc_greedy_close(&u->draft);
    features_close(&u->features);
    free(u->rows);
    *u = (struct utterance){0};
}

static int64_t first_frame(const struct utterance *u)
{
    return u->start / u->acoustic->frame_samples;
}

/* After the last frame that lies in [start, end). */
static int64_t frames_until(const struct utterance *u, int64_t end)
{
    return first_frame(u) + acoustic_frames(u->acoustic, end - u->start);
}

void utterance_reset(struct utterance *u)
{
    features_reset(&u->features);
}

void utterance_begin(struct utterance *u, int64_t start, int64_t available)
{
    u->start = start;
    u->seen = start;
    u->committed = 0;
    window_begin(&u->plan, first_frame(u), frames_until(u, available));
    emissions_reset(&u->emissions, first_frame(u));
    ctc_greedy_reset(&u->settled, first_frame(u));
    ctc_greedy_reset(&u->draft, first_frame(u));
    u->draft_whole = 0;
    if (u->features.rows) {
        features_begin(&u->features, first_frame(u));
        u->acoustic->begin(u->acoustic->self);
    }
}

/* Decodes a window whose last sample comes before `end`: rows[0] becomes that of frame `settle`. */
static void run_encoder(struct utterance *u, const struct audio *audio, const struct window *window,
                        int64_t end)
{
    const struct acoustic *acoustic = u->acoustic;
    int64_t begin = window->first * acoustic->frame_samples;
    int64_t left = window->settle - window->first;
    const struct acoustic_rows wanted = {left, window->end - window->settle};
    if (!u->features.rows) {
        acoustic->log_probs(acoustic->self, audio_at(audio, begin), end - begin, wanted, u->rows);
        return;
    }
    features_compute(&u->features, audio, window->settle, window->end);
    if (u->encoder == UTTER_ENCODER_WINDOW)
        acoustic->encode(acoustic->self, features_row(&u->features, window->first),
                         window->end - window->first, wanted, u->rows);
    else
        acoustic->encode_chunk(acoustic->self, features_row(&u->features, window->settle),
                               wanted.count, window->settle_end - window->settle, left, u->rows);
}

/* Decodes what is not settled. A word that the window cuts short (SE, SEVE, SEVEN) is not whole,
 * nor is one with hardly anything after it: half of the right context, and a delimiter. */
static void make_draft(struct utterance *u, const float *row, int64_t end)
{
    struct ctc_greedy *draft = &u->draft;
    ctc_greedy_fork(draft, &u->settled);
    for (; draft->frame < end; row += u->acoustic->columns)
        ctc_greedy_push(draft, row);
    u->draft_whole = 0;
    while (u->draft_whole < draft->word_count &&
           draft->words[u->draft_whole].end + u->plan.right / 2 <= end)
        u->draft_whole++;
    ctc_greedy_finish(draft);
}

static void run_window(struct utterance *u, const struct audio *audio, const struct window *window,
                       int64_t end)
{
    const float *row = u->rows;
    int64_t frame = window->settle;
    run_encoder(u, audio, window, end);
    u->seen = end;
    /* Every frame is settled once, in order. */
    assert(frame == u->settled.frame);
    for (; frame < window->settle_end; frame++, row += u->acoustic->columns) {
        emissions_settle(&u->emissions, frame, row);
        ctc_greedy_push(&u->settled, row);
    }
    make_draft(u, row, window->end);
}

/* After the last sample of the frames before `frame`. */
static int64_t samples_until(const struct utterance *u, int64_t frame)
{
    return u->start + acoustic_samples(u->acoustic, frame - first_frame(u));
}

bool utterance_decode(struct utterance *u, const struct audio *audio, int64_t available)
{
    struct window window;
    if (!window_next(&u->plan, frames_until(u, available), &window))
        return false;
    run_window(u, audio, &window, samples_until(u, window.end));
    return true;
}

/* Goes back to the state before `end_frame` was settled, from the emissions that are kept. */
static void take_back(struct utterance *u, int64_t end_frame)
{
    emissions_cut(&u->emissions, end_frame);
    u->plan.settled = end_frame;
    ctc_greedy_reset(&u->settled, first_frame(u));
    for (int64_t frame = first_frame(u); frame < end_frame; frame++)
        ctc_greedy_push(&u->settled, emissions_row(&u->emissions, frame));
}

void utterance_settle(struct utterance *u, const struct audio *audio, int64_t end)
{
    struct window window;
    int64_t end_frame = frames_until(u, end);
    if (end_frame < emissions_end(&u->emissions))
        take_back(u, end_frame);
    while (window_last(&u->plan, end_frame, &window))
        run_window(u, audio, &window, window.end < end_frame ? samples_until(u, window.end) : end);
    ctc_greedy_finish(&u->settled);
    ctc_greedy_reset(&u->draft, end_frame);
    u->draft_whole = 0;
}

const float *utterance_features(const struct utterance *u)
{
    return u->acoustic->local ? u->features.rows : NULL;
}

int64_t utterance_words_end(const struct utterance *u)
{
    const struct ctc_greedy *last = u->draft.word_count > 0 ? &u->draft : &u->settled;
    if (last->word_count == 0)
        return u->start;
    return last->words[last->word_count - 1].end * u->acoustic->frame_samples;
}

int64_t utterance_committed_end(const struct utterance *u)
{
    if (u->committed == 0)
        return u->start;
    int64_t last_frame = u->settled.words[u->committed - 1].end - 1;
    return last_frame * u->acoustic->frame_samples + u->acoustic->receptive_field;
}

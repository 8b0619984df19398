/* SPDX-License-Identifier: MIT */
#include "stream/utterance.h"

#include "base/error.h"

#include <stdlib.h>

enum utter_code utterance_open(struct utterance *u, const struct acoustic *acoustic,
                               const struct ctc_labels *labels, const struct window_plan *plan,
                               int64_t samples_max, struct utter_error *error)
{
    int64_t frames = acoustic_frames(acoustic, samples_max) + 1;
    *u = (struct utterance){.acoustic = acoustic, .plan = *plan};
    u->chunks = chunk_plan_make(acoustic, CHUNK_DEFAULT_MS, CHUNK_DEFAULT_MS / 6);
    enum utter_code code = emissions_open(&u->emissions, frames, acoustic->columns, error);
    if (!code)
        code = ctc_greedy_open(&u->settled, labels, frames, error);
    if (!code)
        code = ctc_greedy_open(&u->draft, labels, frames, error);
    if (!code)
        code = ctc_greedy_open(&u->final, labels, frames, error);
    if (code)
        goto fail;
    u->rows = malloc((size_t)frames * (size_t)acoustic->columns * sizeof *u->rows);
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
    ctc_greedy_close(&u->final);
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

void utterance_begin(struct utterance *u, int64_t start, int64_t available)
{
    u->start = start;
    u->seen = start;
    u->whole_end = -1;
    u->committed = 0;
    window_begin(&u->plan, first_frame(u), frames_until(u, available));
    emissions_reset(&u->emissions, first_frame(u));
    ctc_greedy_reset(&u->settled, first_frame(u));
    ctc_greedy_reset(&u->draft, first_frame(u));
}

/* Decodes a window whose last sample comes before `end`. */
static void run_window(struct utterance *u, const struct audio *audio, const struct window *window,
                       int64_t end)
{
    const struct acoustic *acoustic = u->acoustic;
    int64_t begin = window->first * acoustic->frame_samples;
    acoustic->log_probs(acoustic->self, audio_at(audio, begin), end - begin, u->rows);
    u->seen = end;
    u->whole_end = begin == u->start ? end : -1;

    const float *row = u->rows + (window->settle - window->first) * acoustic->columns;
    int64_t frame = window->settle;
    for (; frame < window->settle_end; frame++, row += acoustic->columns) {
        emissions_settle(&u->emissions, frame, row);
        ctc_greedy_push(&u->settled, row);
    }
    ctc_greedy_fork(&u->draft, &u->settled);
    for (; frame < window->end; frame++, row += acoustic->columns)
        ctc_greedy_push(&u->draft, row);
    ctc_greedy_finish(&u->draft);
}

bool utterance_decode(struct utterance *u, const struct audio *audio, int64_t available)
{
    struct window window;
    if (!window_next(&u->plan, frames_until(u, available), &window))
        return false;
    int64_t frames = window.end - first_frame(u);
    run_window(u, audio, &window, u->start + acoustic_samples(u->acoustic, frames));
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
    else if (window_last(&u->plan, end_frame, &window))
        run_window(u, audio, &window, end);
    ctc_greedy_finish(&u->settled);
    ctc_greedy_reset(&u->draft, end_frame);
}

void utterance_finish(struct utterance *u, const struct audio *audio, int64_t end)
{
    struct chunk chunk;
    int64_t total = end - u->start;
    ctc_greedy_reset(&u->final, first_frame(u));
    for (int64_t i = 0; chunk_at(&u->chunks, u->acoustic, total, i, &chunk); i++) {
        /* A short utterance's last window was all of it. */
        if (chunk.count == total && u->whole_end == end)
            for (int64_t k = 0; k < chunk.keep; k++)
                ctc_greedy_push(&u->final, u->rows + k * u->acoustic->columns);
        else
            chunk_decode(u->acoustic, &chunk, audio_at(audio, u->start), u->rows, &u->final);
    }
    ctc_greedy_finish(&u->final);
}

int64_t utterance_committed_end(const struct utterance *u)
{
    if (u->committed == 0)
        return u->start;
    int64_t last_frame = u->settled.words[u->committed - 1].end - 1;
    return last_frame * u->acoustic->frame_samples + u->acoustic->receptive_field;
}

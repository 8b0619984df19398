/* SPDX-License-Identifier: MIT */
#include "stream/stream.h"

enum { QUIET_MS = 100 };

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t to_caller(const struct utter_stream *s, int64_t sample)
{
    return input_position(&s->input.clock, sample);
}

static void report_state(struct utter_stream *s, enum utter_state state, uint64_t number,
                         int64_t start, int64_t end)
{
    struct utter_event event = {
        .type = UTTER_EVENT_STATE,
        .state = state,
        .utterance = number,
        .start = to_caller(s, start),
        .end = to_caller(s, end),
    };
    report_event(&s->report, &event);
}

/* ---- listening ------------------------------------------------------------------------------- */

static void begin_utterance(struct utter_stream *s, int64_t start)
{
    s->number++;
    endpoint_begin(&s->endpoint);
    utterance_begin(&s->utterance, start, s->cursor);
    report_new_utterance(&s->report);
}

static void open_gate(struct utter_stream *s)
{
    int64_t start = s->cursor - s->preroll;
    if (start < s->previous_end)
        start = s->previous_end;
    begin_utterance(s, start);
    if (s->hurry > 0)
        s->utterance.plan.hurry = s->cursor / s->acoustic.frame_samples + s->hurry;
    s->speech = true;
    report_state(s, UTTER_STATE_SPEECH, s->number, start, s->cursor);
}

static void end_utterance(struct utter_stream *s, int64_t end, bool goes_on)
{
    s->end = end;
    s->goes_on = goes_on;
    s->phase = STREAM_SETTLING;
}

/* Words until `from` stay in this utterance, and half of it at least. */
static int64_t find_cut(const struct utter_stream *s, int64_t from)
{
    int64_t half = s->utterance.start + (s->cursor - s->utterance.start) / 2;
    int64_t span = (int64_t)QUIET_MS * s->acoustic.sample_rate / 1000 / s->audio.block;
    return audio_quietest(&s->audio, from > half ? from : half, s->cursor, span > 0 ? span : 1);
}

/* In the middle of the last `blocks` blocks, a silence or as good as one, or of what of them comes
 * after the last word: the second half may hold the next word's weak beginning, so it is the next
 * utterance's. */
static int64_t find_silence_end(const struct utter_stream *s, int64_t words_end, int64_t blocks)
{
    int64_t block = s->audio.block, after = (s->cursor - words_end) / block;
    return s->cursor - (blocks < after ? blocks : after) / 2 * block;
}

static void listen_block(struct utter_stream *s)
{
    const float *block = audio_at(&s->audio, s->cursor);
    float power = gate_push(&s->gate, block, s->audio.block);
    *audio_level(&s->audio, s->cursor) = power;
    s->cursor += s->audio.block;
    bool speech = s->gate.speech || s->options.gate_off;
    if (!s->speech) {
        if (speech)
            open_gate(s);
        return;
    }
    int64_t start = s->utterance.start, block_samples = s->audio.block;
    int64_t words_end = utterance_words_end(&s->utterance);
    int64_t committed_end = utterance_committed_end(&s->utterance);
    int64_t heard_end = larger(words_end, committed_end);
    switch (endpoint_push(&s->endpoint, speech, power, (s->cursor - start) / block_samples,
                          (words_end - start) / block_samples)) {
    case ENDPOINT_NONE:
        break;
    case ENDPOINT_SILENCE:
        end_utterance(s, find_silence_end(s, heard_end, s->endpoint.silent), false);
        break;
    case ENDPOINT_PAUSE:
        end_utterance(s, find_silence_end(s, heard_end, s->endpoint.faint), true);
        break;
    case ENDPOINT_WORDLESS:
        end_utterance(s, find_cut(s, heard_end), true);
        break;
    case ENDPOINT_LIMIT:
        end_utterance(s, find_cut(s, committed_end), true);
        break;
    }
}

/* ---- decoding -------------------------------------------------------------------------------- */

static void report_words(struct utter_stream *s)
{
    struct utterance *u = &s->utterance;
    size_t newly = u->settled.word_count - u->committed;
    report_commit(&s->report, s->number, &u->settled, u->committed, &s->input.clock);
    u->committed = u->settled.word_count;
    if (!s->options.drafts_off)
        report_draft(&s->report, s->number, &u->draft, u->draft_whole, newly,
                     to_caller(s, u->plan.settled * s->acoustic.frame_samples), &s->input.clock);
    if (u->committed > 0 || s->report.draft_shown > 0)
        u->plan.hurry = 0;
}

static void settle(struct utter_stream *s)
{
    utterance_settle(&s->utterance, &s->audio, s->end);
    report_words(s);
    s->phase = STREAM_FINISHING;
}

/* Decodes the utterance as a whole, or has it decoded elsewhere. */
static void make_final(struct utter_stream *s)
{
    const struct utterance *u = &s->utterance;
    int64_t before = u->start - s->previous_end;
    bool follows = s->previous_end > 0 && before <= final_apart(&s->acoustic);
    const struct final_job job = {
        .utterance = s->number,
        .clock = s->input.clock,
        .start = u->start,
        .end = s->end,
        .before = follows ? before : -1,
        .source = {.samples = audio_at(&s->audio, u->start), .features = utterance_features(u)},
    };
    if (s->finals) {
        finals_give(s->finals, &job);
        return;
    }
    final_decode(&s->final, &job);
    report_final(&s->report, &s->final, &job);
}

static void finish(struct utter_stream *s)
{
    make_final(s);
    s->previous_end = s->end;
    s->phase = STREAM_LISTENING;
    if (s->goes_on) {
        int64_t silent = s->endpoint.silent;
        begin_utterance(s, s->end);
        s->endpoint.silent = silent;
        return;
    }
    s->speech = false;
    report_state(s, UTTER_STATE_SILENCE, 0, s->end, s->end);
}

/* ---- boundaries ------------------------------------------------------------------------------ */

int64_t stream_needed(const struct utter_stream *s)
{
    int64_t start = s->speech ? s->utterance.start : s->cursor - s->preroll;
    bool follows = start - s->previous_end <= final_apart(&s->acoustic);
    return follows && s->previous_end < start ? s->previous_end : start;
}

static void drain_input(struct utter_stream *s)
{
    float *out = audio_reserve(&s->audio, input_bound(&s->input), stream_needed(s));
    s->audio.end += input_finish(&s->input, out);
    s->drained = true;
}

static void pass_boundary(struct utter_stream *s)
{
    int64_t position = s->input.clock.next;
    if (s->boundary == STREAM_GAP) {
        struct utter_event event = {
            .type = UTTER_EVENT_GAP,
            .start = position,
            .end = s->gap_end,
            .lost = s->gap_end - position,
        };
        report_event(&s->report, &event);
        position = s->gap_end;
    }
    input_restart(&s->input, position);
    audio_reset(&s->audio);
    utterance_reset(&s->utterance);
    gate_cut(&s->gate);
    s->cursor = 0;
    s->previous_end = 0;
    s->boundary = STREAM_NO_BOUNDARY;
    s->drained = false;
}

static bool step_boundary(struct utter_stream *s)
{
    if (s->boundary == STREAM_NO_BOUNDARY)
        return false;
    if (!s->drained)
        drain_input(s);
    else if (s->speech)
        end_utterance(s, s->audio.end, false);
    else
        pass_boundary(s);
    return true;
}

/* ---- the machine ----------------------------------------------------------------------------- */

bool stream_step(struct utter_stream *s)
{
    switch (s->phase) {
    case STREAM_SETTLING:
        settle(s);
        return true;
    case STREAM_FINISHING:
        finish(s);
        return true;
    case STREAM_LISTENING:
        break;
    }
    if (s->speech && utterance_decode(&s->utterance, &s->audio, s->cursor)) {
        report_words(s);
        return true;
    }
    if (s->cursor + s->audio.block <= s->audio.end) {
        listen_block(s);
        return true;
    }
    return step_boundary(s);
}

bool stream_prepare(struct utter_stream *s)
{
    return s->acoustic.prepare && s->acoustic.prepare(s->acoustic.self);
}

void stream_restart(struct utter_stream *s)
{
    input_reset(&s->input);
    audio_reset(&s->audio);
    utterance_reset(&s->utterance);
    gate_reset(&s->gate, (int)(s->audio.block * 1000 / s->acoustic.sample_rate));
    report_reset(&s->report);
    s->phase = STREAM_LISTENING;
    s->boundary = STREAM_NO_BOUNDARY;
    s->drained = s->speech = s->goes_on = false;
    s->cursor = s->number = 0;
    s->end = s->previous_end = 0;
}

void stream_set_rung(struct utter_stream *s, enum ladder_rung rung)
{
    s->utterance.plan.stretch = ladder_stretch(rung);
    s->utterance.plan.left = ladder_left(rung, s->left);
}

int64_t stream_seen(const struct utter_stream *s)
{
    return to_caller(s, s->utterance.seen);
}

/* SPDX-License-Identifier: MIT */
#include "stream/stream.h"

#include "base/error.h"
#include "stream/model.h"
#include "stream/options.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    BLOCK_LEAST_MS = 10, /* what the gate looks at: whole frames of at least this */
    PREROLL_MS = 500,    /* weak beginnings of words are before the gate opens */
    HURRY_MS = 1500,     /* a breath, the first word, and a moment until it is sure */
    HURRY_HOP_MS = 320,  /* half of it apart, two decodes do not agree on half a word by chance */
    ENDPOINT_SILENCE_MS = 800,
    ENDPOINT_WORDLESS_MS = 4000,
    UTTERANCE_LIMIT_MS = 20000,
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Milliseconds; chosen from curves (tools/bench/README.md). */
struct preset {
    int left_context;
    int hop;
    int right_context;
};

static const struct preset presets[] = {
    [UTTER_LATENCY_LOW] = {4000, 320, 480},
    [UTTER_LATENCY_NORMAL] = {4000, 400, 800},
    [UTTER_LATENCY_HIGH] = {8000, 800, 1280},
};

/* An enum's field of the options: `fallback` for 0. */
static enum utter_code check_choice(const char *name, int *value, int fallback, int most,
                                    struct utter_error *error)
{
    const struct option_range range = {name, value, fallback, 1, most};
    return options_check(&range, 1, error);
}

static enum utter_code choose(struct utter_stream_options *o, const struct acoustic *acoustic,
                              struct utter_error *error)
{
    int encoder = (int)o->encoder, latency = (int)o->latency;
    enum utter_code code =
        check_choice("encoder", &encoder, (int)acoustic->encoder, UTTER_ENCODER_CACHED, error);
    if (!code)
        code = check_choice("latency", &latency, (int)acoustic->latency, UTTER_LATENCY_HIGH, error);
    o->encoder = (enum utter_encoder)encoder;
    o->latency = (enum utter_latency)latency;
    return code;
}

enum utter_code stream_options(struct utter_stream_options *o,
                               const struct utter_stream_options *given,
                               const struct acoustic *acoustic, struct utter_error *error)
{
    *o = (struct utter_stream_options){0};
    enum utter_code code = options_read(o, sizeof *o, given, "utter_stream_options", error);
    if (!code)
        code = choose(o, acoustic, error);
    if (code)
        return code;
    const struct preset *preset = &presets[o->latency];
    const struct option_range ranges[] = {
        {"sample_rate", &o->sample_rate, acoustic->sample_rate, INPUT_RATE_LEAST, INPUT_RATE_MOST},
        {"channels", &o->channels, 1, 1, INPUT_CHANNELS_MOST},
        {"left_context_ms", &o->left_context_ms, preset->left_context, 20, 60000},
        {"hop_ms", &o->hop_ms, preset->hop, 20, 10000},
        {"right_context_ms", &o->right_context_ms, preset->right_context, 20, 10000},
        {"endpoint_silence_ms", &o->endpoint_silence_ms, ENDPOINT_SILENCE_MS, 100, 10000},
        {"endpoint_wordless_ms", &o->endpoint_wordless_ms, ENDPOINT_WORDLESS_MS, 500, 300000},
        {"utterance_limit_ms", &o->utterance_limit_ms, UTTERANCE_LIMIT_MS, 1000, 300000},
    };
    return options_check(ranges, sizeof ranges / sizeof *ranges, error);
}

static int64_t block_samples(const struct acoustic *acoustic)
{
    int64_t least = (int64_t)acoustic->sample_rate * BLOCK_LEAST_MS / 1000;
    int64_t frame = acoustic->frame_samples;
    return (least + frame - 1) / frame * frame;
}

static int64_t to_samples(const struct acoustic *acoustic, int milliseconds)
{
    return (int64_t)milliseconds * acoustic->sample_rate / 1000;
}

/* Rounded up, one at least. */
static int64_t to_units(const struct acoustic *acoustic, int milliseconds, int64_t unit)
{
    int64_t count = (to_samples(acoustic, milliseconds) + unit - 1) / unit;
    return count > 0 ? count : 1;
}

int64_t stream_samples_max(const struct utter_stream_options *options,
                           const struct acoustic *acoustic)
{
    return to_samples(acoustic, options->utterance_limit_ms) + 3 * block_samples(acoustic) +
           acoustic->receptive_field;
}

static struct window_plan make_plan(const struct utter_stream_options *o,
                                    const struct acoustic *acoustic)
{
    return (struct window_plan){
        .left = to_units(acoustic, o->left_context_ms, acoustic->frame_samples),
        .hop = to_units(acoustic, o->hop_ms, acoustic->frame_samples),
        .right = to_units(acoustic, o->right_context_ms, acoustic->frame_samples),
        .stretch = 1,
    };
}

struct acoustic_room stream_room(const struct utter_stream_options *o,
                                 const struct acoustic *acoustic)
{
    const struct window_plan plan = make_plan(o, acoustic);
    return utterance_room(acoustic, o->encoder, &plan);
}

static enum utter_code open_parts(struct utter_stream *s, const struct ctc_labels *labels,
                                  struct utter_error *error)
{
    const struct acoustic *acoustic = &s->acoustic;
    const struct utter_stream_options *o = &s->options;
    int64_t block = block_samples(acoustic), longest = stream_samples_max(o, acoustic);
    const struct window_plan plan = make_plan(o, acoustic);
    s->left = plan.left;
    if (!o->drafts_off && o->hop_ms >= HURRY_HOP_MS)
        s->hurry = to_units(acoustic, HURRY_MS, acoustic->frame_samples);
    s->preroll = to_units(acoustic, PREROLL_MS, block) * block;
    s->endpoint.silence = to_units(acoustic, o->endpoint_silence_ms, block);
    s->endpoint.wordless = to_units(acoustic, o->endpoint_wordless_ms, block);
    s->endpoint.limit = to_units(acoustic, o->utterance_limit_ms, block);
    s->endpoint.pause_off = o->gate_off;
    enum utter_code code =
        input_open(&s->input, o->sample_rate, o->channels, acoustic->sample_rate, error);
    /* A second more, so that what is kept is seldom moved. */
    int64_t room = final_apart(acoustic) + longest + s->preroll +
                   2 * (code ? 0 : input_bound(&s->input)) + acoustic->sample_rate;
    if (!code)
        code = audio_open(&s->audio, block, room, error);
    if (!code)
        code = utterance_open(&s->utterance, acoustic, labels, o->encoder, &plan, longest, error);
    if (!code && !s->finals)
        code = final_open(&s->final, acoustic, labels, longest, error);
    if (!code)
        code = report_open(&s->report, labels, acoustic->frame_samples,
                           acoustic_frames(acoustic, longest) + 1, error);
    return code;
}

struct utter_stream *stream_open(const struct acoustic *acoustic, const struct ctc_labels *labels,
                                 const struct utter_stream_options *options, struct finals *finals,
                                 struct utter_error *error)
{
    struct utter_stream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        struct acoustic unused = *acoustic;
        acoustic_close(&unused);
        error_memory(error, "the stream");
        return NULL;
    }
    stream->acoustic = *acoustic;
    stream->options = *options;
    stream->finals = finals;
    if (open_parts(stream, labels, error)) {
        utter_stream_close(stream);
        return NULL;
    }
    stream_restart(stream);
    return stream;
}

/* `alone` is the room of FINALs that are computed elsewhere; without it they are part of `room`. */
static enum utter_code make_rooms(struct utter_model *model,
                                  const struct utter_stream_options *given,
                                  struct utter_stream_options *options, struct acoustic_room *room,
                                  struct acoustic_room *alone, struct utter_error *error)
{
    struct acoustic acoustic;
    model_describe_acoustic(model, &acoustic);
    enum utter_code code = stream_options(options, given, &acoustic, error);
    if (code)
        return code;
    *room = stream_room(options, &acoustic);
    const struct acoustic_room final =
        final_room(&acoustic, stream_samples_max(options, &acoustic));
    if (alone) {
        *alone = final;
        alone->alone = true;
        return UTTER_OK;
    }
    room->samples = larger(room->samples, final.samples);
    room->frames = larger(room->frames, final.frames);
    return UTTER_OK;
}

static struct utter_stream *open_on(struct utter_model *model,
                                    const struct utter_stream_options *options,
                                    const struct acoustic_room *room, struct finals *finals,
                                    struct utter_error *error)
{
    struct acoustic acoustic;
    if (model_acoustic(model, room, &acoustic, error))
        return NULL;
    struct utter_stream *stream = stream_open(&acoustic, &model->labels, options, finals, error);
    if (stream)
        stream->model = model_hold(model);
    return stream;
}

struct utter_stream *utter_stream_open(struct utter_model *model,
                                       const struct utter_stream_options *given,
                                       struct utter_error *error)
{
    struct utter_stream_options options;
    struct acoustic_room room;
    if (!model) {
        error_set(error, UTTER_ERROR_ARGUMENT, "utter_stream_open: model is NULL");
        return NULL;
    }
    if (make_rooms(model, given, &options, &room, NULL, error))
        return NULL;
    return open_on(model, &options, &room, NULL, error);
}

struct utter_stream *stream_open_live(struct utter_model *model,
                                      const struct utter_stream_options *given,
                                      struct finals **finals, struct utter_error *error)
{
    struct utter_stream_options options;
    struct acoustic_room room, alone;
    struct acoustic acoustic;
    *finals = NULL;
    if (make_rooms(model, given, &options, &room, &alone, error) ||
        model_acoustic(model, &alone, &acoustic, error))
        return NULL;
    *finals =
        finals_open(&acoustic, &model->labels, stream_samples_max(&options, &acoustic), error);
    if (!*finals)
        return NULL;
    struct utter_stream *stream = open_on(model, &options, &room, *finals, error);
    if (stream)
        return stream;
    finals_close(*finals);
    *finals = NULL;
    return NULL;
}

void utter_stream_close(struct utter_stream *stream)
{
    if (!stream)
        return;
    report_close(&stream->report);
    final_close(&stream->final);
    utterance_close(&stream->utterance);
    audio_close(&stream->audio);
    input_close(&stream->input);
    acoustic_close(&stream->acoustic);
    utter_model_close(stream->model);
    free(stream);
}

/* ---- use ------------------------------------------------------------------------------------- */

/* Works until an event is ready or there is nothing to do. */
static bool advance(struct utter_stream *stream)
{
    while (!report_ready(&stream->report) && stream_step(stream))
        ;
    return report_ready(&stream->report);
}

static enum utter_code check_feed(const struct utter_stream *stream, const float *samples,
                                  int64_t count, int64_t position, struct utter_error *error)
{
    if (!stream || (!samples && count != 0) || count < 0)
        return error_set(error, UTTER_ERROR_ARGUMENT, "utter_stream_feed: %s",
                         !stream     ? "stream is NULL"
                         : count < 0 ? "count is negative"
                                     : "samples is NULL");
    int64_t expected = stream->boundary == STREAM_GAP ? stream->gap_end : stream->input.clock.next;
    if (position < expected)
        return error_set(error, UTTER_ERROR_ARGUMENT,
                         "utter_stream_feed: position %" PRId64 " is before %" PRId64
                         ", where the audio so far ends",
                         position, expected);
    if (position > INPUT_SAMPLES_MOST || count > INPUT_SAMPLES_MOST)
        return error_set(error, UTTER_ERROR_ARGUMENT,
                         "utter_stream_feed: position or count is too large");
    return UTTER_OK;
}

static void take_input(struct utter_stream *s, const float *samples, int64_t count)
{
    float *out = audio_reserve(&s->audio, input_bound(&s->input), stream_needed(s));
    s->audio.end += input_push(&s->input, samples, count, out);
}

int64_t utter_stream_feed(struct utter_stream *stream, const float *samples, int64_t count,
                          int64_t position, struct utter_error *error)
{
    int64_t taken = 0;
    enum utter_code code = check_feed(stream, samples, count, position, error);
    if (code)
        return code;
    while (!advance(stream)) {
        if (position > stream->input.clock.next) {
            stream->boundary = STREAM_GAP;
            stream->gap_end = position;
            continue;
        }
        if (taken == count)
            break;
        int64_t n = count - taken < stream->input.piece ? count - taken : stream->input.piece;
        take_input(stream, samples + taken * stream->options.channels, n);
        taken += n;
        position += n;
    }
    return taken;
}

const struct utter_event *utter_stream_next(struct utter_stream *stream)
{
    if (!stream || !advance(stream))
        return NULL;
    return report_next(&stream->report);
}

enum utter_code utter_stream_flush(struct utter_stream *stream, struct utter_error *error)
{
    if (!stream)
        return error_set(error, UTTER_ERROR_ARGUMENT, "utter_stream_flush: stream is NULL");
    if (stream->boundary == STREAM_NO_BOUNDARY)
        stream->boundary = STREAM_FLUSH;
    return UTTER_OK;
}

void utter_stream_reset(struct utter_stream *stream)
{
    if (stream)
        stream_restart(stream);
}

/* SPDX-License-Identifier: MIT */
/**
 * The inside of utter_stream: a machine that makes one small step at a time, so that events are
 * read as they come and few are ever held. Belongs to one thread at a time.
 *
 *   input ─▶ audio ─▶ gate, endpoint ─▶ utterance ─▶ report
 *
 * What it computes depends on the samples and their positions alone, never on how they were cut
 * into calls: it listens block by block, and decodes when the plan's next frame has come.
 */
#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include "stream/audio.h"
#include "stream/endpoint.h"
#include "stream/finals.h"
#include "stream/gate.h"
#include "stream/input.h"
#include "stream/ladder.h"
#include "stream/report.h"
#include "stream/utterance.h"

enum stream_phase {
    STREAM_LISTENING, /* blocks of audio; decodes of the plan */
    STREAM_SETTLING,  /* the utterance has ended: its last words are committed next */
    STREAM_FINISHING, /* it is decoded once more as a whole next */
};

/* Where the segment ends: after all samples that came before. */
enum stream_boundary { STREAM_NO_BOUNDARY, STREAM_FLUSH, STREAM_GAP };

struct utter_stream {
    struct utter_model *model; /* held; NULL in tests */
    struct utter_stream_options options;
    int64_t left;    /* frames of left context, when there is time for it */
    int64_t hurry;   /* frames after the gate opened in which a word is hurried to, or 0 */
    int64_t preroll; /* samples before the gate opened that belong to the utterance */
    struct acoustic acoustic;
    struct input input;
    struct audio audio;
    struct gate gate;
    struct endpoint endpoint;
    struct utterance utterance;
    struct final final;    /* unless FINALs are computed elsewhere */
    struct finals *finals; /* there, borrowed; or NULL */
    struct report report;

    enum stream_phase phase;
    enum stream_boundary boundary;
    bool drained;         /* the boundary's last samples are in `audio` */
    int64_t gap_end;      /* the caller's position after the gap */
    int64_t cursor;       /* samples of the segment that were listened to, whole blocks */
    uint64_t number;      /* of the utterance; of the last one in silence */
    bool speech;          /* an utterance is open */
    bool goes_on;         /* the utterance that ends is followed by another without a pause */
    int64_t end;          /* where the utterance that ends does */
    int64_t previous_end; /* of the last utterance: the next begins no earlier */
};

/** Options with their defaults filled in, for an acoustic model. */
enum utter_code stream_options(struct utter_stream_options *options,
                               const struct utter_stream_options *given,
                               const struct acoustic *acoustic, struct utter_error *error);
/** The longest utterance, in samples. */
int64_t stream_samples_max(const struct utter_stream_options *options,
                           const struct acoustic *acoustic);
/** What the acoustic model must take at once, FINALs left out. */
struct acoustic_room stream_room(const struct utter_stream_options *options,
                                 const struct acoustic *acoustic);
/**
 * Takes over `acoustic`, also on failure. `labels` are borrowed, as is `finals`, which computes
 * FINALs; when it is NULL the stream does so itself.
 */
struct utter_stream *stream_open(const struct acoustic *acoustic, const struct ctc_labels *labels,
                                 const struct utter_stream_options *options, struct finals *finals,
                                 struct utter_error *error);
/** A stream of a model whose FINALs are computed by `*finals`, which the caller closes after it. */
struct utter_stream *stream_open_live(struct utter_model *model,
                                      const struct utter_stream_options *given,
                                      struct finals **finals, struct utter_error *error);

/** The first sample of the segment that later steps may still ask for. */
int64_t stream_needed(const struct utter_stream *stream);
/** One step; false when there is nothing to do before the next sample or boundary. */
bool stream_step(struct utter_stream *stream);
/** For whoever has nothing else to do: see struct acoustic. */
bool stream_prepare(struct utter_stream *stream);
/** Back to the state of a stream that was just opened. */
void stream_restart(struct utter_stream *stream);

/** How the next decodes are made. */
void stream_set_rung(struct utter_stream *stream, enum ladder_rung rung);
/** The caller's position after the last sample that a decode has seen. */
int64_t stream_seen(const struct utter_stream *stream);

#endif

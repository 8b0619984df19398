/* SPDX-License-Identifier: MIT */
/**
 * The acoustic model as streams see it: samples in, features, and one row of log-probabilities for
 * each frame out. Behind it stands a w2v2 model with a workspace of its own, or a test. Belongs to
 * one thread at a time; a pass allocates nothing.
 */
#ifndef STREAM_ACOUSTIC_H
#define STREAM_ACOUSTIC_H

#include "utter.h"

/** Frames of a window whose emissions are wanted; the others are what they are heard among. */
struct acoustic_rows {
    int64_t first;
    int64_t count;
};

struct acoustic {
    int sample_rate;            /* Hz */
    int frame_samples;          /* from one frame to the next */
    int receptive_field;        /* samples that one frame sees, at least */
    int columns;                /* of the emissions */
    int feature_columns;        /* of the features */
    enum utter_encoder encoder; /* what streams of it run by default */
    enum utter_latency latency; /* likewise */
    /* A frame's features depend on its receptive field alone: whatever window they are computed in,
     * they are the same bits, and log_probs() is encode() of them. Otherwise they depend on what
     * was said around the frame. */
    bool local;
    void *self;

    /* Writes [wanted, columns], of samples that stand alone; one frame at least. */
    void (*log_probs)(void *self, const float *samples, int64_t count, struct acoustic_rows wanted,
                      float *log_probs);
    /* An utterance begins: forgets what features() and encode_chunk() keep of the last. */
    void (*begin)(void *self);
    /* Writes [end - first, feature_columns] of the utterance that begins at `utterance`. What is
     * not local depends on the utterance up to frame `end`, the greatest so far. */
    void (*features)(void *self, const float *utterance, int64_t first, int64_t end,
                     float *features);
    /* A window on its own. */
    void (*encode)(void *self, const float *features, int64_t frames, struct acoustic_rows wanted,
                   float *log_probs);
    /* The utterance's next frames, see w2v2/cached.h. */
    void (*encode_chunk)(void *self, const float *features, int64_t frames, int64_t settled,
                         int64_t left, float *log_probs);
    /* Does a piece, of milliseconds, of what later calls would else have to do; false when nothing
     * is left. NULL: nothing ever is. */
    bool (*prepare)(void *self);
    /* Any thread: what is being computed ends soon and is rubbish; nothing can be computed any
     * more. NULL where the computing thread's engine is others', too. */
    void (*cancel)(void *self);
    void (*close)(void *self);
};

/** How much one call may bring; 0: never called. */
struct acoustic_room {
    int64_t samples; /* log_probs() */
    int64_t frames;  /* encode() */
    int64_t chunk;   /* encode_chunk(): frames, and left context */
    int64_t left;
    bool alone; /* on the calling thread, without the engine's */
};

/** Frames that `samples` samples give. */
int64_t acoustic_frames(const struct acoustic *acoustic, int64_t samples);
/** Samples that `frames` frames need. */
int64_t acoustic_samples(const struct acoustic *acoustic, int64_t frames);
/** A zeroed one is allowed. */
void acoustic_close(struct acoustic *acoustic);

#endif

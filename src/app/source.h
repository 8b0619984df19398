/* SPDX-License-Identifier: MIT */
/**
 * Where live audio comes from: a microphone (microphone.h) or a file at a microphone's speed
 * (playback.h). A source has one thread of its own, the pump, which alone pushes into the
 * outlet; everything here is called from the main thread and never waits for sound.
 */
#ifndef APP_SOURCE_H
#define APP_SOURCE_H

#include "app/outlet.h"
#include "utter.h"

#include <stdatomic.h>

enum source_state {
    SOURCE_WAITING = 0, /* open, but no sound has come yet */
    SOURCE_LISTENING,   /* samples arrive */
    SOURCE_PAUSED,
    SOURCE_LOST,  /* the input died or failed; the source tries to open it again */
    SOURCE_ENDED, /* a file is at its end, or could not be read on */
};

struct source_status {
    enum source_state state;
    bool failed;       /* ENDED, but not as it should */
    char message[400]; /* LOST or failed: why, one clean line */
    int moves;         /* times that its sound came from elsewhere all at once ... */
    char heard[200];   /* ... and where it comes from, clean; empty: not known */
};

/** What one input of a source that has several lost, while another was heard. */
struct source_gap {
    int input; /* 0.. */
    int64_t start;
    int64_t end;
    int64_t lost; /* frames; less than there are between start and end when all were lost there */
};

struct source;

/** What a kind of source provides; use the functions below. */
struct source_kind {
    bool (*start)(struct source *source, struct outlet *outlet, struct utter_error *error);
    void (*pause)(struct source *source, bool paused);
    void (*status)(struct source *source, struct source_status *status);
    void (*stop)(struct source *source);
    void (*close)(struct source *source);
    bool (*gap)(struct source *source, struct source_gap *gap); /* NULL: it is one input */
};

struct source {
    const struct source_kind *kind;
    int sample_rate;
    int channels;
    const char *name;          /* clean text */
    const char *short_name;    /* for the screen; NULL: the name */
    const char *device;        /* of one microphone: what finds it again, empty for the default */
    _Atomic int64_t origin_ns; /* CLOCK_MONOTONIC when position 0 was heard; 0: not yet */
};

/** Starts the pump: from now on samples are pushed into `outlet`, which must outlive it. Once. */
static inline bool source_start(struct source *source, struct outlet *outlet,
                                struct utter_error *error)
{
    return source->kind->start(source, outlet, error);
}

/**
 * While paused nothing is recorded or played. A microphone's time goes on (the pause is a gap), a
 * file's stands still.
 */
static inline void source_pause(struct source *source, bool paused)
{
    source->kind->pause(source, paused);
}

static inline void source_status(struct source *source, struct source_status *status)
{
    source->kind->status(source, status);
}

/** The next loss of one input alone, in the order in which they ended; false: there is none. */
static inline bool source_next_gap(struct source *source, struct source_gap *gap)
{
    return source->kind->gap != NULL && source->kind->gap(source, gap);
}

/** Ends the audio: what was recorded so far is pushed, then the outlet is finished. */
static inline void source_stop(struct source *source)
{
    source->kind->stop(source);
}

/** Stops and frees. NULL is allowed. Before what the outlet leads to is closed. */
static inline void source_close(struct source *source)
{
    if (source)
        source->kind->close(source);
}

#endif

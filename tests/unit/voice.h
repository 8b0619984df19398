/* SPDX-License-Identifier: MIT */
/**
 * A voice that tests can write, and an acoustic model that hears it exactly: each label is a tone
 * of its own loudness, a frame long or longer, so that every label of every frame is known.
 *
 * Scripts: letters and '|' are said for LETTER_FRAMES frames, with a frame of silence before a
 * letter that is doubled; '.' is ten frames of silence.
 */
#ifndef VOICE_H
#define VOICE_H

#include "ctc/labels.h"
#include "stream/acoustic.h"

#include <semaphore.h>
#include <stdatomic.h>

enum {
    VOICE_RATE = 16000,
    VOICE_FRAME = 320,
    VOICE_FIELD = 400,
    VOICE_COLUMNS = 29, /* blank, '|', a to z, '?' */
    VOICE_UNSURE = 28,
    LETTER_FRAMES = 4,
    PAUSE_FRAMES = 10,
};

void voice_labels(struct ctc_labels *labels);

struct voice_model {
    int look_ahead; /* frames; a label with fewer after it in the window is heard as '?' */
    int least; /* frames with a label that a window needs: in one with fewer nothing is heard */
    enum utter_encoder encoder; /* default window */
    bool local;
    sem_t *gate;           /* each pass waits for it; NULL: none does */
    int delay_ms;          /* each pass takes so long */
    atomic_bool cancelled; /* a pass that waits goes on */

    /* what streams asked of it so far */
    int64_t longest; /* window, in samples */
    int64_t passes;
    int64_t chunks;   /* of the passes */
    int64_t features; /* frames */
    int64_t settled;  /* frames of the utterance */
};

/** `model` is borrowed and stays the test's. */
struct acoustic voice_acoustic(struct voice_model *model);

/** Appends what `script` says to `*samples` (one channel, VOICE_RATE), which grows. */
void voice_say(float **samples, int64_t *count, const char *script);
/** Steady noise, `level` is its peak. */
void voice_add_noise(float *samples, int64_t count, float level);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * A live session: its inputs, one model, and all that becomes of them. session.c opens and closes
 * it, session_inputs.c knows its inputs and changes them, session_events.c makes one sequence of
 * what they tell, session_keys.c does what the user wants, session_loop.c runs it. Main thread.
 */
#ifndef APP_SESSION_H
#define APP_SESSION_H

#include "app/captions.h"
#include "app/change.h"
#include "app/device_list.h"
#include "app/keeper.h"
#include "app/listen_options.h"
#include "app/model_list.h"
#include "app/screen.h"
#include "app/sink.h"
#include "app/source.h"
#include "app/track.h"

enum { SESSION_INPUTS = 2, SESSION_TRACKS = 8 };

/** A source and the stream that hears it. */
struct session_input {
    struct source *source;
    struct live_outlet *outlet; /* exchanged with the source */
    struct track *track;        /* one of the session's */
    int64_t base;               /* position of the source at which the track begins */
    int64_t earliest; /* position of the session before which the track does not begin: a recording
                         that is played faster than time goes is ahead of the clock */
    struct track *next; /* the same of another model, once the outlet has turned to it; or NULL */
    struct source_status heard; /* the source's state as last told to the user */
    bool was_heard;             /* at least once */
    bool lost;                  /* the user was told, and not yet that it is back */
};

struct session {
    const struct listen_options *options;
    int log; /* where sound libraries print to; -1: nowhere */
    char *model_name;
    struct utter_engine *engine;
    struct utter_model *model;
    struct session_input inputs[SESSION_INPUTS];
    int input_count;
    struct track *tracks[SESSION_TRACKS]; /* those of inputs, and those that still decode */
    int track_count;
    uint64_t utterances; /* counted over all tracks */
    int64_t origin_ns;   /* CLOCK_MONOTONIC when the session's time began; 0: not yet */
    int rate;            /* of the session's positions, Hz */
    struct change change;
    struct live_outlet *left_outlet; /* of the input before, until that is closed; or NULL */
    struct track *left;              /* of the same, until all its words are there; or NULL */
    int64_t left_end;                /* where its audio ended; -1: not known, or dealt with */
    struct utter_event gap;          /* between the two */
    struct captions *captions;       /* NULL without a terminal */
    struct keeper keeper;
    struct sink *sinks[2]; /* -o's file, standard output */
    int sink_count;
    struct screen *screen;       /* NULL: lines */
    struct device_list *devices; /* to choose from, or NULL */
    struct model_list models;
    bool choosing_model; /* rather than an input */
    float peak_dbfs;     /* of the last seconds, and when it was reached */
    int64_t peak_ns;
    int64_t clipped_ns; /* when it was too loud; 0: never */

    bool keys; /* there is a keyboard */
    bool paused;
    bool muted;
    bool finishing;     /* the source was stopped; the last words are being decoded */
    bool done;          /* no event will come any more */
    bool leave;         /* end now */
    bool failed;        /* the exit status says so */
    char notice[700];   /* shown for a moment ... */
    int64_t noticed_ns; /* ... since then */
    char trouble[512];  /* shown while it lasts: a file that cannot be written */
    bool hangs;         /* that is a disk that does not answer */
    char failure[512];  /* the first one, and said again at the end */
    bool overcome;      /* another input was chosen since: it is not shown any more */
    int64_t retried_ns; /* when what could not be written was last tried again */
};

/** Opens everything, or prints one line and returns an exit status; OPTIONS_OK when it is open. */
int session_open(struct session *session, const struct listen_options *options);

/** Until the source ends or the user wants to. */
void session_run(struct session *session);

/** Gives the terminal back, says where the transcript lies, frees; returns the exit status. */
int session_close(struct session *session);

/* ---- session_inputs.c ---- */

/** Opens the sources; prints its own line, returns an exit status. Sets session->rate. */
int session_inputs_open(struct session *session);
/** Opens their streams and lets audio in. */
bool session_inputs_start(struct session *session, struct utter_error *error);
void session_inputs_pause(struct session *session, bool paused);
void session_inputs_mute(struct session *session, bool muted);
void session_inputs_stop(struct session *session);
void session_inputs_close(struct session *session);
/** The names of inputs 1 and 2; NULL when there is but one. */
const char *const *session_speakers(const struct session *session);

/**
 * Listens to another input, or with another model; what was heard until then is kept. Another
 * input also when the one before has ended.
 */
void session_change_device(struct session *session, const char *device);
void session_change_model(struct session *session, const char *directory);

/** Whether the audio of an input is kept. */
bool session_records(const struct session *session);

/** Brings a change on its way; once a tick. */
void session_follow_change(struct session *session);

/** Streams of another model begin where their outlet turned. */
void session_follow_outlets(struct session *session);
/** Takes a stream away that no input feeds any more, and whose words are all there. */
void session_drop_track(struct session *session, struct track *track);

/* ---- session_events.c ---- */

/** The next event of any track, or NULL; sets session->done when none will come any more. */
const struct utter_event *session_next_event(struct session *session, int *speaker);

/* ---- session_keys.c ---- */

/** All keys and clicks that wait; false: there were none. */
bool session_take_keys(struct session *session);
/** Looks for the answer to which inputs there are. */
void session_follow_devices(struct session *session);
void session_keys_close(struct session *session);

/* ---- session_loop.c ---- */

/** The first time what was heard is decoded to its end; the second time there is no waiting. */
void session_quit(struct session *session);
/** Pauses, or goes on. */
void session_pause(struct session *session);
/** What is shown, told at the end and makes the exit status a failure. */
void session_fail(struct session *session, const char *message);
/** What is not heard from here on is no loss: captions and history say so. */
void session_note_pause(struct session *session);
/** Everything that was heard reaches the disk now. */
void session_save(struct session *session);

/** One line that is shown and, without a screen, printed. */
void session_say(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

/* SPDX-License-Identifier: MIT */
/**
 * A live session: one source, one model, and all that becomes of them. session.c opens and closes
 * it, session_loop.c runs it. Main thread.
 */
#ifndef APP_SESSION_H
#define APP_SESSION_H

#include "app/captions.h"
#include "app/listen_options.h"
#include "app/screen.h"
#include "app/sink.h"
#include "app/source.h"
#include "app/transcript.h"

struct session {
    const struct listen_options *options;
    int log; /* where sound libraries print to; -1: nowhere */
    char *model_name;
    struct utter_engine *engine;
    struct utter_model *model;
    struct source *source;
    struct utter_live *live;
    struct captions *captions;     /* NULL without a terminal */
    struct transcript *transcript; /* NULL when -o or a pipe has the words, or on failure */
    struct sink *sinks[2];         /* -o's file, standard output */
    int sink_count;
    struct screen *screen; /* NULL: lines */

    struct source_status heard; /* the source's state as last told to the user */
    bool was_heard;             /* at least once */
    bool keys;                  /* there is a keyboard */
    bool paused;
    bool finishing;     /* the source was stopped; the last words are being decoded */
    bool done;          /* no event will come any more */
    bool leave;         /* end now */
    bool failed;        /* the exit status says so */
    char trouble[512];  /* shown while it lasts: a file that cannot be written */
    char failure[512];  /* shown for good */
    int64_t retried_ns; /* when what could not be written was last tried again */
};

/** Opens everything, or prints one line and returns an exit status; OPTIONS_OK when it is open. */
int session_open(struct session *session, const struct listen_options *options);

/** Until the source ends or the user wants to. */
void session_run(struct session *session);

/** Gives the terminal back, says where the transcript lies, frees; returns the exit status. */
int session_close(struct session *session);

#endif

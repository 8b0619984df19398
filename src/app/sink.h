/* SPDX-License-Identifier: MIT */
/**
 * Where transcripts go: events of a live stream, or whole recordings, written to a file or to
 * standard output as text, JSON or subtitles. All that is written is sanitised (text.h), and lost
 * audio is visible in every format.
 *
 * One thread at a time. Times in files are seconds from the start of the stream.
 */
#ifndef APP_SINK_H
#define APP_SINK_H

#include "app/case.h"
#include "utter.h"

enum sink_format {
    SINK_TEXT,  /**< a line an utterance */
    SINK_JSON,  /**< whole recordings: one object, or an array of them for several files */
    SINK_JSONL, /**< live: an object an event: COMMIT, FINAL, GAP, STATE */
    SINK_SRT,
    SINK_VTT,
};

/** Parses "text", "json", "jsonl", "srt" or "vtt". */
bool sink_format_parse(const char *name, enum sink_format *format);
/** The usual ending of such files: "txt", "json", ... */
const char *sink_format_extension(enum sink_format format);

enum { SINK_SPEAKERS = 2 };

struct sink_options {
    enum sink_format format;
    enum letter_case letter_case;
    int sample_rate; /**< of the positions in events, Hz */
    bool drafts;     /**< SINK_JSONL: DRAFTs too */
    /** Names of speaker 1 and 2, before what they say; NULL: none. SINK_JSONL has numbers. */
    const char *const *speakers;
    bool replace; /**< the file takes its place when it is whole, whatever was there before */
};

struct sink;

/* ---- live ------------------------------------------------------------------------------------ */

/**
 * Opens a transcript that grows. `path` NULL or "-" is standard output. An existing file is
 * appended to; subtitles, whose times begin at 0, refuse one that is not empty.
 */
struct sink *sink_open(const char *path, const struct sink_options *options,
                       struct utter_error *error);

/**
 * Writes what the event adds, said by `speaker` (from 1; 0: there is but one), through to the
 * system before it returns, unless the disk hangs. False when it does, or the system refuses (a
 * full disk): nothing is forgotten, the next event or sink_flush() tries again.
 */
bool sink_event(struct sink *sink, const struct utter_event *event, int speaker,
                struct utter_error *error);

/** Tries again to write what was refused. */
bool sink_flush(struct sink *sink, struct utter_error *error);
/** Whether the system had all when something was written or tried last. */
bool sink_settled(const struct sink *sink);

/**
 * Writes what is held back and closes, also when that fails: gaps, and of utterances that have no
 * FINAL, because the session was left in a hurry, what was committed. Waits for a disk that hangs.
 * NULL is allowed.
 */
bool sink_close(struct sink *sink, struct utter_error *error);

/** Closes; of one that replaces, nothing is left behind. NULL is allowed. */
void sink_abandon(struct sink *sink);

/** For messages: the path, sanitised, or "standard output". */
const char *sink_name(const struct sink *sink);

/* ---- whole recordings ------------------------------------------------------------------------ */

struct sink_recording {
    const char *name; /**< of the file, sanitised */
    int sample_rate;  /**< of the positions, Hz */
    int64_t length;   /**< samples */
    bool prefix;      /**< SINK_TEXT: begin the line with the name */
    const struct utter_transcript *transcript;
    const int *speakers; /**< SINK_JSON: of each word, counted from 1, 0: unknown; or NULL */
};

/**
 * The whole of one recording's transcript in that format: for SINK_SRT and SINK_VTT a whole file,
 * for SINK_JSON an object. The caller frees it; NULL when out of memory.
 */
char *sink_recording(enum sink_format format, enum letter_case letter_case,
                     const struct sink_recording *recording);

#endif

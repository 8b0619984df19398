/* SPDX-License-Identifier: MIT */
/**
 * Every option of every command, once: the command line, the configuration file, --help and `utter
 * config` are made of this table, and the manual pages and completions of shells are held against
 * it by a test. Any thread.
 */
#ifndef APP_OPTION_TABLE_H
#define APP_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum option_command {
    COMMAND_LISTEN,
    COMMAND_TRANSCRIBE,
    COMMAND_DEVICES,
    COMMAND_EVAL,
    COMMAND_DOCTOR,
    COMMAND_HISTORY,
    COMMAND_CONFIG,
    COMMAND_COUNT,
};

enum option_kind {
    OPTION_SWITCH,  /**< yes or no; on the command line --NAME or --no-NAME */
    OPTION_TEXT,    /**< anything */
    OPTION_PATH,    /**< of a file or directory; in the configuration ~/ is the home directory */
    OPTION_CHOICE,  /**< one of `choices` */
    OPTION_INTEGER, /**< minimum..maximum */
    OPTION_SECONDS, /**< minimum..maximum, with decimals; kept in milliseconds */
};

/** An option of its own for each meaning: --format of transcribe is not that of listen. */
enum option_id {
    OPTION_DEVICE,
    OPTION_SOUND_SECONDS,
    OPTION_INPUT,
    OPTION_MIX,
    OPTION_SPLIT,
    OPTION_SPEED,
    OPTION_DEMO,
    OPTION_LISTEN_FORMAT,
    OPTION_LISTEN_OUTPUT,
    OPTION_DRAFTS,
    OPTION_HISTORY,
    OPTION_HISTORY_DAYS,
    OPTION_RECORD,
    OPTION_PLAIN,
    OPTION_THEME,
    OPTION_CONFIDENCE,
    OPTION_LINES,
    OPTION_LARGE,
    OPTION_TIMES,
    OPTION_MOUSE,
    OPTION_TRANSCRIBE_FORMAT,
    OPTION_TRANSCRIBE_OUTPUT,
    OPTION_HISTORY_FORMAT,
    OPTION_HISTORY_OUTPUT,
    OPTION_CASE,
    OPTION_MODEL,
    OPTION_PRECISION,
    OPTION_THREADS,
    OPTION_RAW,
    OPTION_WINDOW,
    OPTION_STRIDE,
    OPTION_STREAM,
    OPTION_JOIN,
    OPTION_LEVEL,
    OPTION_LATENCY,
    OPTION_ENCODER,
    OPTION_LEFT,
    OPTION_HOP,
    OPTION_RIGHT,
    OPTION_SILENCE,
    OPTION_WORDLESS,
    OPTION_LIMIT,
    OPTION_GATE,
    OPTION_SWEEP,
    OPTION_TRN,
    OPTION_JSON,
    OPTION_DEVICES_JSON,
    OPTION_ALL,
    OPTION_OLDER,
    OPTION_CONFIG_PATH,
    OPTION_HELP,
    OPTION_COUNT,
};

struct option_row {
    const char *name; /**< "device": --device, and `device = ...` in the configuration */
    char letter;      /**< 'd': -d; 0: none */
    enum option_kind kind;
    unsigned commands;          /**< 1 << COMMAND_..., all that have it */
    const char *value;          /**< what --help calls it: "NAME"; NULL of a switch */
    const char *const *choices; /**< of OPTION_CHOICE, ended by NULL */
    double minimum, maximum;    /**< of numbers */
    const char *standard;       /**< what counts when nothing else was said; NULL: see `help` */
    const char *variable;       /**< of the environment, or NULL */
    bool once;                  /**< only the command line has it */
    const char *help;           /**< a line or more, as --help shows them; NULL: only the name */
    unsigned brief;             /**< 1 << COMMAND_..., whose --help shows only the name */
};

const struct option_row *option_table_row(enum option_id id);

/** The option of that name of one of `commands` (bits), or OPTION_COUNT. */
enum option_id option_table_find(const char *name, unsigned commands);

/** "listen" */
const char *option_table_command(enum option_command command);

/** The section of the configuration that the command reads beside what stands before the first. */
const char *option_table_section(enum option_command command);

/** The commands (bits) that read a section; all of them for "", none for an unknown one. */
unsigned option_table_readers(const char *section);

#endif

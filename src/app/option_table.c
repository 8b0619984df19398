/* SPDX-License-Identifier: MIT */
#include "app/option_table.h"

#include <string.h>

enum {
    LISTEN = 1 << COMMAND_LISTEN,
    TRANSCRIBE = 1 << COMMAND_TRANSCRIBE,
    EVAL = 1 << COMMAND_EVAL,
    HISTORY = 1 << COMMAND_HISTORY,
    CONFIG = 1 << COMMAND_CONFIG,
    EVERY = (1 << COMMAND_COUNT) - 1,
};

/* Name, and section of the configuration. */
static const struct {
    const char *name;
    const char *section;
} COMMANDS[COMMAND_COUNT] = {
    [COMMAND_LISTEN] = {"listen", "listen"},    [COMMAND_TRANSCRIBE] = {"transcribe", "transcribe"},
    [COMMAND_DEVICES] = {"devices", "devices"}, [COMMAND_EVAL] = {"eval", "eval"},
    [COMMAND_HISTORY] = {"history", "history"}, [COMMAND_CONFIG] = {"config", "config"},
};

static const char *const CASES[] = {"as-is", "lower", "sentence", NULL};
static const char *const ENCODERS[] = {"auto", "window", "cached", NULL};
static const char *const LATENCIES[] = {"low", "normal", "high", NULL};
static const char *const LISTEN_FORMATS[] = {"text", "jsonl", "srt", "vtt", NULL};
static const char *const PRECISIONS[] = {"stored", "fp32", "int8", NULL};
static const char *const HISTORY_FORMATS[] = {"text", "json", "jsonl", "srt", "vtt", NULL};
static const char *const TRANSCRIBE_FORMATS[] = {"text", "json", "srt", "vtt", NULL};

/* In the order in which --help shows them. */
static const struct option_row ROWS[OPTION_COUNT] = {
    [OPTION_DEVICE] = {.name = "device",
                       .letter = 'd',
                       .kind = OPTION_TEXT,
                       .commands = LISTEN,
                       .value = "NAME",
                       .variable = "UTTER_DEVICE",
                       .help = "the microphone: its name, a part of it, or its number"},
    [OPTION_INPUT] = {.name = "input",
                      .letter = 'i',
                      .kind = OPTION_PATH,
                      .commands = LISTEN,
                      .value = "FILE",
                      .help = "a recording instead, at the speed of a microphone"},
    [OPTION_SPEED] = {.name = "speed",
                      .kind = OPTION_INTEGER,
                      .commands = LISTEN,
                      .value = "N",
                      .minimum = 1,
                      .maximum = 100,
                      .standard = "1",
                      .help = "the recording so many times as fast"},
    [OPTION_DEMO] = {.name = "demo",
                     .kind = OPTION_SWITCH,
                     .commands = LISTEN,
                     .standard = "no",
                     .help = "the recording that comes with utter"},
    [OPTION_LISTEN_FORMAT] = {.name = "format",
                              .letter = 'f',
                              .kind = OPTION_CHOICE,
                              .commands = LISTEN,
                              .value = "FORMAT",
                              .choices = LISTEN_FORMATS,
                              .help = "text, jsonl, srt or vtt; default: as -o ends, or text"},
    [OPTION_LISTEN_OUTPUT] = {.name = "output",
                              .letter = 'o',
                              .kind = OPTION_PATH,
                              .commands = LISTEN,
                              .value = "FILE",
                              .help = "the transcript's file; text and jsonl are appended"},
    [OPTION_DRAFTS] = {.name = "drafts",
                       .kind = OPTION_SWITCH,
                       .commands = LISTEN,
                       .standard = "no",
                       .help = "jsonl: also words that may still change"},
    [OPTION_HISTORY] = {.name = "history",
                        .kind = OPTION_SWITCH,
                        .commands = LISTEN,
                        .standard = "yes",
                        .help = "keep nothing of this session"},
    [OPTION_HISTORY_DAYS] = {.name = "history-days",
                             .kind = OPTION_INTEGER,
                             .commands = LISTEN,
                             .value = "N",
                             .maximum = 36500,
                             .standard = "0",
                             .help = "delete kept sessions after N days; default: 0, never"},
    [OPTION_RECORD] = {.name = "record",
                       .kind = OPTION_SWITCH,
                       .commands = LISTEN,
                       .standard = "no",
                       .help = "keep the audio too, as FLAC beside the session"},
    [OPTION_TRANSCRIBE_FORMAT] = {.name = "format",
                                  .letter = 'f',
                                  .kind = OPTION_CHOICE,
                                  .commands = TRANSCRIBE,
                                  .value = "FORMAT",
                                  .choices = TRANSCRIBE_FORMATS,
                                  .help = "text, json, srt or vtt; default: as -o ends, or text"},
    [OPTION_TRANSCRIBE_OUTPUT] = {.name = "output",
                                  .letter = 'o',
                                  .kind = OPTION_PATH,
                                  .commands = TRANSCRIBE,
                                  .value = "FILE",
                                  .help = "write there; into a directory, a file per recording"},
    [OPTION_HISTORY_FORMAT] = {.name = "format",
                               .letter = 'f',
                               .kind = OPTION_CHOICE,
                               .commands = HISTORY,
                               .value = "FORMAT",
                               .choices = HISTORY_FORMATS,
                               .help = "text, json, jsonl, srt or vtt; default: as -o ends"},
    [OPTION_HISTORY_OUTPUT] = {.name = "output",
                               .letter = 'o',
                               .kind = OPTION_PATH,
                               .commands = HISTORY,
                               .value = "FILE",
                               .help = "write there"},
    [OPTION_CASE] = {.name = "case",
                     .kind = OPTION_CHOICE,
                     .commands = LISTEN | TRANSCRIBE | HISTORY,
                     .value = "CASE",
                     .choices = CASES,
                     .standard = "as-is",
                     .help = "as-is, lower or sentence"},
    [OPTION_MODEL] = {.name = "model",
                      .letter = 'm',
                      .kind = OPTION_PATH,
                      .commands = LISTEN | TRANSCRIBE | EVAL,
                      .value = "DIR",
                      .standard = "digits",
                      .variable = "UTTER_MODEL",
                      .help = "a model in Hugging Face layout, or a bundled one's name"},
    [OPTION_PRECISION] = {.name = "precision",
                          .kind = OPTION_CHOICE,
                          .commands = LISTEN | TRANSCRIBE | EVAL,
                          .value = "TYPE",
                          .choices = PRECISIONS,
                          .standard = "stored",
                          .help = "fp32, int8 (a quarter of the memory, and faster), or as\n"
                                  "the model's file has it; default: stored"},
    [OPTION_THREADS] = {.name = "threads",
                        .letter = 'j',
                        .kind = OPTION_INTEGER,
                        .commands = LISTEN | TRANSCRIBE | EVAL,
                        .value = "N",
                        .minimum = 1,
                        .maximum = 1024,
                        .variable = "UTTER_THREADS",
                        .help = "threads that compute; default: one per core"},
    [OPTION_RAW] = {.name = "raw",
                    .kind = OPTION_TEXT,
                    .commands = TRANSCRIBE,
                    .value = "F:RATE:CH",
                    .help = "the files have no header: s16le:16000:1"},
    [OPTION_WINDOW] = {.name = "window",
                       .kind = OPTION_SECONDS,
                       .commands = TRANSCRIBE,
                       .value = "SECONDS",
                       .minimum = 1,
                       .maximum = 3600,
                       .standard = "30",
                       .help = "longer recordings are cut into windows; default: 30"},
    [OPTION_STRIDE] = {.name = "stride",
                       .kind = OPTION_SECONDS,
                       .commands = TRANSCRIBE,
                       .value = "SECONDS",
                       .minimum = 0.02,
                       .maximum = 1800,
                       .help = "overlap at each inner edge; default: a sixth of it"},
    [OPTION_STREAM] = {.name = "stream",
                       .kind = OPTION_SWITCH,
                       .commands = EVAL,
                       .standard = "no",
                       .help = "also caption every recording live, as fast as it goes:\n"
                               "latencies, stability, and what streaming costs in words"},
    [OPTION_JOIN] = {.name = "join",
                     .kind = OPTION_SECONDS,
                     .commands = EVAL,
                     .value = "SECONDS",
                     .maximum = 3600,
                     .help = "as --stream, all recordings as one stream, with pauses"},
    [OPTION_LEVEL] = {.name = "level",
                      .kind = OPTION_INTEGER,
                      .commands = EVAL,
                      .value = "DBFS",
                      .minimum = -120,
                      .maximum = -1,
                      .help = "make the speech of every recording so loud first"},
    [OPTION_LATENCY] = {.name = "latency",
                        .kind = OPTION_CHOICE,
                        .commands = LISTEN | EVAL,
                        .value = "HOW",
                        .choices = LATENCIES,
                        .standard = "normal",
                        .help = "how soon words come: low, normal or high; later words\n"
                                "are surer and cost less"},
    [OPTION_ENCODER] = {.name = "encoder",
                        .kind = OPTION_CHOICE,
                        .commands = LISTEN | EVAL,
                        .value = "MODE",
                        .choices = ENCODERS,
                        .standard = "auto",
                        .help = "window, cached (cheaper; some models then hear worse)\n"
                                "or auto: what was measured to be good for the model"},
    [OPTION_LEFT] = {.name = "left",
                     .kind = OPTION_TEXT,
                     .commands = EVAL,
                     .value = "SECONDS",
                     .help = "of the stream: left context"},
    [OPTION_HOP] = {.name = "hop",
                    .kind = OPTION_TEXT,
                    .commands = EVAL,
                    .value = "SECONDS",
                    .help = "of the stream: from one decode to the next"},
    [OPTION_RIGHT] = {.name = "right",
                      .kind = OPTION_TEXT,
                      .commands = EVAL,
                      .value = "SECONDS",
                      .help = "of the stream: right context"},
    [OPTION_SILENCE] = {.name = "silence",
                        .kind = OPTION_SECONDS,
                        .commands = LISTEN | EVAL,
                        .value = "SEC",
                        .minimum = 0.1,
                        .maximum = 10,
                        .standard = "0.8",
                        .help = "so much silence ends an utterance; default: 0.8"},
    [OPTION_WORDLESS] = {.name = "wordless",
                         .kind = OPTION_SECONDS,
                         .commands = LISTEN | EVAL,
                         .value = "SEC",
                         .minimum = 0.5,
                         .maximum = 300,
                         .standard = "4",
                         .help = "so much sound without a word does, too; default: 4"},
    [OPTION_LIMIT] = {.name = "limit",
                      .kind = OPTION_SECONDS,
                      .commands = LISTEN | EVAL,
                      .value = "SECONDS",
                      .minimum = 1,
                      .maximum = 300,
                      .standard = "20",
                      .help = "longer utterances are cut where quietest; default: 20"},
    [OPTION_GATE] = {.name = "gate",
                     .kind = OPTION_SWITCH,
                     .commands = LISTEN | EVAL,
                     .standard = "yes",
                     .help = "decode silence too"},
    [OPTION_SWEEP] = {.name = "sweep",
                      .kind = OPTION_PATH,
                      .commands = EVAL,
                      .value = "FILE",
                      .help = "stream with every combination of --left, --hop and\n"
                              "--right, which may then be lists (0.2,0.4); the table\n"
                              "goes to FILE (.tsv or .json), for tools/plot"},
    [OPTION_TRN] = {.name = "trn",
                    .kind = OPTION_PATH,
                    .commands = EVAL,
                    .value = "PREFIX",
                    .help = "also write PREFIX.ref.trn and PREFIX.hyp.trn for sclite"},
    [OPTION_JSON] = {.name = "json",
                     .kind = OPTION_SWITCH,
                     .commands = EVAL,
                     .standard = "no",
                     .help = "the report as JSON"},
    [OPTION_ALL] = {.name = "all",
                    .kind = OPTION_SWITCH,
                    .commands = HISTORY,
                    .once = true,
                    .standard = "no",
                    .help = "delete: all sessions"},
    [OPTION_OLDER] = {.name = "older",
                      .kind = OPTION_INTEGER,
                      .commands = HISTORY,
                      .value = "DAYS",
                      .maximum = 36500,
                      .once = true,
                      .help = "delete: what nothing was added to for so long"},
    [OPTION_CONFIG_PATH] = {.name = "path",
                            .kind = OPTION_SWITCH,
                            .commands = CONFIG,
                            .once = true,
                            .standard = "no",
                            .help = "only the name of the configuration file"},
    [OPTION_HELP] = {.name = "help",
                     .letter = 'h',
                     .kind = OPTION_SWITCH,
                     .commands = EVERY,
                     .once = true,
                     .standard = "no",
                     .help = ""},
};

const struct option_row *option_table_row(enum option_id id)
{
    return &ROWS[id];
}

enum option_id option_table_find(const char *name, unsigned commands)
{
    enum option_id id = 0;
    while (id < OPTION_COUNT &&
           ((ROWS[id].commands & commands) == 0 || strcmp(ROWS[id].name, name) != 0))
        id++;
    return id;
}

const char *option_table_command(enum option_command command)
{
    return COMMANDS[command].name;
}

const char *option_table_section(enum option_command command)
{
    return COMMANDS[command].section;
}

unsigned option_table_readers(const char *section)
{
    unsigned readers = 0;
    for (int command = 0; command < COMMAND_COUNT; command++)
        if (section[0] == '\0' || strcmp(section, COMMANDS[command].section) == 0)
            readers |= 1u << command;
    return readers;
}

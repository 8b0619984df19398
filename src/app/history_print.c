/* SPDX-License-Identifier: MIT */
#include "app/history_print.h"

#include "app/fault.h"
#include "app/output.h"
#include "app/speaker_names.h"
#include "app/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LIST_COLUMNS = 42 /* before the first words */ };

static const char *show_time(int64_t position, char *text, size_t size)
{
    int64_t seconds = position / HISTORY_RATE;
    snprintf(text, size, "%" PRId64 ":%02d:%02d", seconds / 3600, (int)(seconds / 60 % 60),
             (int)(seconds % 60));
    return text;
}

static bool flush_output(struct utter_error *error)
{
    if (!ferror(stdout) && fflush(stdout) == 0)
        return true;
    return fault_set(error, UTTER_ERROR_FILE, "standard output: cannot write: %s", strerror(errno));
}

/* ---- the list ---- */

/* Columns for the first words: as the terminal is wide, and all of them into a pipe. */
static int words_columns(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col <= LIST_COLUMNS)
        return isatty(STDOUT_FILENO) ? 80 - LIST_COLUMNS : 1000;
    return size.ws_col - LIST_COLUMNS;
}

static void print_entry(const struct history_entry *entry, int columns)
{
    struct history_summary summary = {0};
    struct utter_error error;
    char length[32];
    FILE *file = fopen(entry->path, "re");
    if (file == NULL || !history_summary_read(&summary, file, entry->path, &error)) {
        printf("%-20s  cannot be read\n", entry->name);
    } else {
        const char *state = entry->live       ? "live"
                            : !summary.ended  ? "cut"
                            : entry->recorded ? "audio"
                                              : "";
        printf("%-20s %8s %5zu %-5s %.*s\n", entry->name,
               show_time(summary.end, length, sizeof length), summary.word_count, state,
               (int)text_fit(summary.first, strlen(summary.first), columns), summary.first);
    }
    if (file != NULL)
        fclose(file);
}

bool history_print_list(const struct history *history, struct utter_error *error)
{
    int columns = words_columns();
    if (history->count == 0)
        printf("no session is kept\n");
    else
        printf("%-20s %8s %5s %-5s %s\n", "session", "length", "words", "", "first words");
    for (size_t i = 0; i < history->count; i++)
        print_entry(&history->entries[i], columns);
    return flush_output(error);
}

/* ---- for people ---- */

static bool print_speech(const struct history_item *item, const char *time,
                         enum letter_case letter_case)
{
    bool sentence_start = true;
    if (item->text[0] == '\0')
        return true;
    char *text = case_apply(letter_case, item->text, &sentence_start);
    if (text != NULL && item->speaker > 0)
        printf("%s  %s: %s\n", time, SPEAKER_NAMES[item->speaker - 1], text);
    else if (text != NULL)
        printf("%s  %s\n", time, text);
    free(text);
    return text != NULL;
}

static void print_gap(const struct history_item *item, const char *time)
{
    double lost = (double)item->lost / HISTORY_RATE;
    if (item->speaker > 0)
        printf("%s  %s: [%.2f s of audio lost]\n", time, SPEAKER_NAMES[item->speaker - 1], lost);
    else
        printf("%s  [%.2f s of audio lost]\n", time, lost);
}

/* A recording that was deleted, or that got no sample, is not spoken of. */
static void print_recording(const struct history_item *item, const struct history_entry *entry,
                            const char *time)
{
    char speaker[16] = "";
    char *path = history_entry_recording(entry, item->number);
    if (item->speaker > 0)
        snprintf(speaker, sizeof speaker, "[%d] ", item->speaker);
    if (path != NULL && access(path, F_OK) == 0)
        printf("%s  %s[recorded: %s]\n", time, speaker, path);
    free(path);
}

bool history_print_session(const struct history_entry *entry, const struct history_session *session,
                           enum letter_case letter_case, struct utter_error *error)
{
    char time[32];
    printf(
        "%s  %s, heard by %s, %s%s\n", entry->name, session->source != NULL ? session->source : "?",
        session->model != NULL ? session->model : "?", show_time(session->end, time, sizeof time),
        entry->live      ? ", going on"
        : session->ended ? ""
                         : ", cut short");
    for (size_t i = 0; i < session->count; i++) {
        const struct history_item *item = &session->items[i];
        double seconds = (double)(item->end - item->start) / HISTORY_RATE;
        show_time(item->start, time, sizeof time);
        if (item->kind == HISTORY_GAP)
            print_gap(item, time);
        else if (item->kind == HISTORY_PAUSE)
            printf("%s  [paused for %.1f s]\n", time, seconds);
        else if (item->kind == HISTORY_RECORDING)
            print_recording(item, entry, time);
        else if (!print_speech(item, time, letter_case))
            return fault_memory(error);
    }
    return flush_output(error);
}

/* ---- for files and programs ---- */

/* A FINAL for each utterance and a GAP for each loss. */
static bool export_events(const struct history_session *session, struct sink *sink,
                          struct utter_error *error)
{
    uint64_t utterance = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < session->count; i++) {
        const struct history_item *item = &session->items[i];
        bool speech = item->kind == HISTORY_SPEECH;
        if (!speech && item->kind != HISTORY_GAP)
            continue;
        utterance += speech;
        struct utter_event event = {
            .type = speech ? UTTER_EVENT_FINAL : UTTER_EVENT_GAP,
            .utterance = utterance,
            .start = item->start,
            .end = item->end,
            .text = item->text,
            .words = item->words,
            .word_count = item->word_count,
            .lost = item->lost,
        };
        ok = sink_event(sink, &event, item->speaker, error);
    }
    return ok;
}

static char *join_texts(const struct history_session *session)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < session->count; i++) {
        const char *own = session->items[i].text;
        if (own != NULL && own[0] != '\0')
            fprintf(out, "%s%s", ftell(out) > 0 ? " " : "", own);
    }
    bool failed = ferror(out);
    if (fclose(out) == 0 && !failed)
        return text;
    free(text);
    return NULL;
}

/* The whole session as one recording, as `utter transcribe` writes it. The caller frees it. */
static char *make_json(const struct history_session *session, const char *name,
                       enum letter_case letter_case)
{
    struct utter_word *words = calloc(session->word_count + 1, sizeof *words);
    int *speakers = calloc(session->word_count + 1, sizeof *speakers);
    char *text = join_texts(session), *json = NULL;
    size_t count = 0;
    for (size_t i = 0; words != NULL && speakers != NULL && i < session->count; i++) {
        for (size_t j = 0; j < session->items[i].word_count; j++) {
            speakers[count] = session->items[i].speaker;
            words[count++] = session->items[i].words[j];
        }
    }
    struct utter_transcript transcript = {.text = text, .words = words, .word_count = count};
    struct sink_recording recording = {
        .name = name,
        .sample_rate = HISTORY_RATE,
        .length = session->end,
        .transcript = &transcript,
        .speakers = speakers,
    };
    if (words != NULL && speakers != NULL && text != NULL)
        json = sink_recording(SINK_JSON, letter_case, &recording);
    free(words);
    free(speakers);
    free(text);
    return json;
}

static bool export_json(const struct history_session *session, const char *name,
                        enum letter_case letter_case, const char *path, struct utter_error *error)
{
    char *json = make_json(session, name, letter_case);
    if (json == NULL)
        return fault_memory(error);
    struct output *output = output_open(path, OUTPUT_REPLACE, error);
    bool ok = output != NULL && output_write(output, json, strlen(json), error);
    if (ok)
        ok = output_close(output, error);
    else
        output_abandon(output);
    free(json);
    return ok;
}

bool history_export(const struct history_session *session, const char *name,
                    enum sink_format format, enum letter_case letter_case, const char *path,
                    struct utter_error *error)
{
    const struct sink_options options = {
        .format = format,
        .letter_case = letter_case,
        .sample_rate = HISTORY_RATE,
        .speakers = SPEAKER_NAMES,
        .replace = true,
    };
    if (format == SINK_JSON)
        return export_json(session, name, letter_case, path, error);
    struct sink *sink = sink_open(path, &options, error);
    if (sink == NULL)
        return false;
    bool ok = export_events(session, sink, error);
    if (!ok) {
        sink_abandon(sink);
        return false;
    }
    return sink_close(sink, error);
}

/* SPDX-License-Identifier: MIT */
#include "app/sink.h"

#include "app/fault.h"
#include "app/output.h"
#include "app/sink_json.h"
#include "app/subtitle.h"
#include "app/text.h"
#include "app/unfinished.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gap {
    uint64_t utterance;
    int speaker;
    int64_t start;
    int64_t end;
    int64_t lost;
};

struct sink {
    struct sink_options options;
    struct output *output;
    /* Gaps that wait for the FINAL of the utterance that they ended, so that order is time's. */
    struct gap *gaps;
    size_t gap_count;
    unsigned cue_count;                     /* subtitles written */
    int64_t earliest_ms[SINK_SPEAKERS + 1]; /* end of the last subtitle of each speaker */
    /* Of the utterance of the last COMMIT: whether a sentence begins after it. */
    uint64_t last_commit;
    bool sentence_start;
    uint64_t last_final; /* utterance of the last FINAL */
    struct unfinished unfinished;
};

static const char *const FORMAT_NAMES[] = {"text", "json", "jsonl", "srt", "vtt"};

bool sink_format_parse(const char *name, enum sink_format *format)
{
    for (size_t i = 0; i < sizeof FORMAT_NAMES / sizeof FORMAT_NAMES[0]; i++) {
        if (strcmp(FORMAT_NAMES[i], name) == 0) {
            *format = (enum sink_format)i;
            return true;
        }
    }
    return false;
}

const char *sink_format_extension(enum sink_format format)
{
    return format == SINK_TEXT ? "txt" : FORMAT_NAMES[format];
}

static int64_t milliseconds(int64_t position, int sample_rate)
{
    return (position * 1000 + sample_rate / 2) / sample_rate;
}

static char *clean_and_case(const char *text, enum letter_case letter_case, bool *sentence_start)
{
    char *clean = text_clean(text);
    char *shown = clean != NULL ? case_apply(letter_case, clean, sentence_start) : NULL;
    free(clean);
    return shown;
}

/* ---- subtitles as text ----------------------------------------------------------------------- */

static void print_time(FILE *out, int64_t ms, char point)
{
    fprintf(out, "%02" PRId64 ":%02d:%02d%c%03d", ms / 3600000, (int)(ms / 60000 % 60),
            (int)(ms / 1000 % 60), point, (int)(ms % 1000));
}

/* Text that players would take for markup, or readers for the arrow of a cue's times. */
static void print_cue_text(FILE *out, const char *text, enum sink_format format)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (format == SINK_VTT && *at == '&')
            fputs("&amp;", out);
        else if (format == SINK_VTT && *at == '<')
            fputs("&lt;", out);
        else if (format == SINK_VTT && *at == '>')
            fputs("&gt;", out);
        else if (strncmp(at, "-->", 3) != 0) /* of an arrow, one dash is left out */
            fputc(*at, out);
    }
}

static void print_cues(FILE *out, const struct subtitle_cues *cues, enum sink_format format,
                       unsigned *cue_count)
{
    char point = format == SINK_SRT ? ',' : '.';
    for (size_t i = 0; i < cues->count; i++) {
        const struct subtitle_cue *cue = &cues->cues[i];
        fprintf(out, "%u\n", ++*cue_count);
        print_time(out, cue->start_ms, point);
        fputs(" --> ", out);
        print_time(out, cue->end_ms, point);
        fputc('\n', out);
        print_cue_text(out, cue->text, format);
        fputs("\n\n", out);
    }
}

/* "speaker: text" in the place of `text`. */
static char *prepend(const char *speaker, char *text)
{
    char *both = NULL;
    if (asprintf(&both, "%s: %s", speaker, text) < 0)
        both = NULL;
    free(text);
    return both;
}

/* Cues of an utterance or a recording; false when out of memory. */
static bool print_words(FILE *out, const struct utter_word *words, size_t count, int sample_rate,
                        enum sink_format format, enum letter_case letter_case, const char *speaker,
                        unsigned *cue_count, int64_t *earliest_ms)
{
    struct subtitle_word *list = calloc(count + 1, sizeof *list);
    char **texts = calloc(count + 1, sizeof *texts);
    struct subtitle_cues cues = {NULL, 0};
    bool ok = list != NULL && texts != NULL;
    bool sentence_start = true;
    for (size_t i = 0; ok && i < count; i++) {
        texts[i] = clean_and_case(words[i].text, letter_case, &sentence_start);
        if (i == 0 && speaker != NULL && texts[i] != NULL)
            texts[i] = prepend(speaker, texts[i]);
        ok = texts[i] != NULL;
        list[i] = (struct subtitle_word){texts[i], milliseconds(words[i].start, sample_rate),
                                         milliseconds(words[i].end, sample_rate)};
    }
    ok = ok && subtitle_cut(list, count, *earliest_ms, &cues);
    if (ok) {
        print_cues(out, &cues, format, cue_count);
        if (cues.count > 0)
            *earliest_ms = cues.cues[cues.count - 1].end_ms;
    }
    subtitle_free(&cues);
    for (size_t i = 0; texts != NULL && i < count; i++)
        free(texts[i]);
    free(texts);
    free(list);
    return ok;
}

/* ---- whole recordings ------------------------------------------------------------------------ */

static bool print_recording(FILE *out, enum sink_format format, enum letter_case letter_case,
                            const struct sink_recording *recording)
{
    const struct utter_transcript *transcript = recording->transcript;
    if (format == SINK_SRT || format == SINK_VTT) {
        unsigned cue_count = 0;
        int64_t earliest_ms = 0;
        if (format == SINK_VTT)
            fputs("WEBVTT\n\n", out);
        return print_words(out, transcript->words, transcript->word_count, recording->sample_rate,
                           format, letter_case, NULL, &cue_count, &earliest_ms);
    }
    bool sentence_start = true;
    char *text = clean_and_case(transcript->text, letter_case, &sentence_start);
    if (text == NULL)
        return false;
    if (recording->prefix)
        fprintf(out, "%s: ", recording->name);
    fprintf(out, "%s\n", text);
    free(text);
    return true;
}

char *sink_recording(enum sink_format format, enum letter_case letter_case,
                     const struct sink_recording *recording)
{
    if (format == SINK_JSON || format == SINK_JSONL)
        return sink_json_recording(recording, letter_case);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    bool ok = print_recording(out, format, letter_case, recording);
    ok = !ferror(out) && ok;
    if (fclose(out) == 0 && ok)
        return text;
    free(text);
    return NULL;
}

/* ---- live ------------------------------------------------------------------------------------ */

struct sink *sink_open(const char *path, const struct sink_options *options,
                       struct utter_error *error)
{
    bool subtitles = options->format == SINK_SRT || options->format == SINK_VTT;
    struct sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL) {
        fault_memory(error);
        return NULL;
    }
    sink->options = *options;
    enum output_mode mode = options->replace ? OUTPUT_REPLACE
                            : subtitles      ? OUTPUT_CREATE
                                             : OUTPUT_APPEND;
    sink->output = output_open(path, mode, error);
    if (sink->output == NULL)
        goto fail;
    if (mode != OUTPUT_REPLACE)
        output_background(sink->output);
    static const char vtt_header[] = "WEBVTT\n\n";
    if (options->format == SINK_VTT &&
        !output_write(sink->output, vtt_header, strlen(vtt_header), error))
        goto fail;
    return sink;
fail:
    sink_abandon(sink);
    return NULL;
}

void sink_abandon(struct sink *sink)
{
    if (sink == NULL)
        return;
    output_abandon(sink->output);
    unfinished_free(&sink->unfinished);
    free(sink->gaps);
    free(sink);
}

const char *sink_name(const struct sink *sink)
{
    return output_name(sink->output);
}

static const char *speaker_name(const struct sink *sink, int speaker)
{
    return sink->options.speakers != NULL && speaker > 0 ? sink->options.speakers[speaker - 1]
                                                         : NULL;
}

/* Microseconds tell every sample, here as in JSON; zeros behind the second digit are left out. */
static void exact_seconds(int64_t count, int sample_rate, char *text, size_t size)
{
    double seconds = round(1e6 * (double)count / sample_rate) / 1e6;
    int length = snprintf(text, size, "%.6f", seconds);
    while (text[length - 1] == '0' && text[length - 3] != '.')
        text[--length] = '\0';
}

static bool print_gap(struct sink *sink, FILE *out, const struct gap *gap)
{
    char notice[120], lost[40];
    const char *name = speaker_name(sink, gap->speaker);
    exact_seconds(gap->lost, sink->options.sample_rate, lost, sizeof lost);
    snprintf(notice, sizeof notice, "%.40s%s[%s s of audio lost]", name != NULL ? name : "",
             name != NULL ? ": " : "", lost);
    if (sink->options.format == SINK_TEXT)
        return fprintf(out, "%s\n", notice) > 0;
    struct utter_word word = {notice, gap->start, gap->end, 1.0f};
    return print_words(out, &word, 1, sink->options.sample_rate, sink->options.format, CASE_AS_IS,
                       NULL, &sink->cue_count, &sink->earliest_ms[0]);
}

static bool hold_gap(struct sink *sink, const struct utter_event *event, int speaker)
{
    struct gap *gaps = realloc(sink->gaps, (sink->gap_count + 1) * sizeof *gaps);
    if (gaps == NULL)
        return false;
    gaps[sink->gap_count++] =
        (struct gap){event->utterance, speaker, event->start, event->end, event->lost};
    sink->gaps = gaps;
    return true;
}

/* Prints the gaps at the head of the list that no FINAL can come before any more. */
static bool release_gaps(struct sink *sink, FILE *out, uint64_t last_final)
{
    size_t done = 0;
    bool ok = true;
    while (ok && done < sink->gap_count && sink->gaps[done].utterance <= last_final)
        ok = print_gap(sink, out, &sink->gaps[done++]);
    sink->gap_count -= done;
    if (done > 0)
        memmove(sink->gaps, sink->gaps + done, sink->gap_count * sizeof *sink->gaps);
    return ok;
}

static bool print_final(struct sink *sink, FILE *out, const struct utter_event *event, int speaker)
{
    const struct sink_options *options = &sink->options;
    const char *name = speaker_name(sink, speaker);
    /* An utterance whose FINAL is skipped would hold its gap for ever. */
    if (event->utterance > 0 && !release_gaps(sink, out, event->utterance - 1))
        return false;
    bool ok = true;
    if (options->format == SINK_TEXT) {
        bool sentence_start = true;
        char *text = clean_and_case(event->text != NULL ? event->text : "", options->letter_case,
                                    &sentence_start);
        if (name != NULL && text != NULL && text[0] != '\0')
            text = prepend(name, text);
        ok = text != NULL && (text[0] == '\0' || fprintf(out, "%s\n", text) > 0);
        free(text);
    } else {
        ok =
            print_words(out, event->words, event->word_count, options->sample_rate, options->format,
                        options->letter_case, name, &sink->cue_count, &sink->earliest_ms[speaker]);
    }
    if (event->utterance > sink->last_final) /* two speakers' may come in any order */
        sink->last_final = event->utterance;
    return ok && release_gaps(sink, out, sink->last_final);
}

static bool print_json(struct sink *sink, FILE *out, const struct utter_event *event, int speaker)
{
    const struct sink_options *options = &sink->options;
    if (event->type == UTTER_EVENT_DRAFT && !options->drafts)
        return true;
    /* A FINAL is a whole utterance; what comes after a COMMIT goes on where it ended. */
    bool goes_on = event->type != UTTER_EVENT_FINAL && event->utterance == sink->last_commit;
    bool sentence_start = !goes_on || sink->sentence_start;
    char *line = sink_json_event(event, speaker, options, &sentence_start);
    bool ok = line != NULL && fputs(line, out) >= 0;
    free(line);
    if (event->type == UTTER_EVENT_COMMIT) {
        sink->last_commit = event->utterance;
        sink->sentence_start = sentence_start;
    }
    return ok;
}

static bool print_event(struct sink *sink, FILE *out, const struct utter_event *event, int speaker)
{
    if (sink->options.format == SINK_JSONL || sink->options.format == SINK_JSON)
        return print_json(sink, out, event, speaker);
    if (!unfinished_event(&sink->unfinished, event, speaker))
        return false;
    if (event->type == UTTER_EVENT_GAP)
        return hold_gap(sink, event, speaker) && release_gaps(sink, out, sink->last_final);
    if (event->type == UTTER_EVENT_FINAL)
        return print_final(sink, out, event, speaker);
    return true;
}

/* What is held back until the end: words without a FINAL, and gaps after them. */
static bool print_end(struct sink *sink, FILE *out)
{
    bool ok = true;
    for (size_t i = 0; ok && i < sink->unfinished.count; i++) {
        const struct unfinished_utterance *utterance = &sink->unfinished.list[i];
        struct utter_event final;
        char *text;
        ok = unfinished_final(utterance, &final, &text);
        if (ok) {
            ok = print_final(sink, out, &final, utterance->speaker);
            free(text);
        }
    }
    return ok && release_gaps(sink, out, UINT64_MAX);
}

/* Prints into memory first: what reaches the file is a whole line or a whole cue. */
static bool write_event(struct sink *sink, const struct utter_event *event, int speaker,
                        struct utter_error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return fault_memory(error);
    bool ok = event != NULL ? print_event(sink, out, event, speaker) : print_end(sink, out);
    ok = !ferror(out) && ok;
    if (fclose(out) != 0 || !ok)
        fault_memory(error);
    else
        ok = output_write(sink->output, text, size, error);
    free(text);
    return ok;
}

bool sink_event(struct sink *sink, const struct utter_event *event, int speaker,
                struct utter_error *error)
{
    return write_event(sink, event, speaker, error);
}

bool sink_flush(struct sink *sink, struct utter_error *error)
{
    return output_write(sink->output, NULL, 0, error);
}

bool sink_settled(const struct sink *sink)
{
    return output_settled(sink->output);
}

bool sink_close(struct sink *sink, struct utter_error *error)
{
    if (sink == NULL)
        return true;
    bool ok = write_event(sink, NULL, 0, error) || !output_settled(sink->output);
    ok = output_close(sink->output, ok ? error : NULL) && ok;
    unfinished_free(&sink->unfinished);
    free(sink->gaps);
    free(sink);
    return ok;
}

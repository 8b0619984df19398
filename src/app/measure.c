/* SPDX-License-Identifier: MIT */
#include "app/measure.h"

#include "app/fault.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FEED_MS = 20 };

/* One word on the screen. */
struct shown {
    char *text;
    struct latency since; /* moment from which on it stood here unchanged */
    struct latency committed;
};

/* The screen of the current utterance: committed words, then the draft's. */
struct screen {
    struct shown *words;
    size_t count;
    size_t capacity;
    size_t committed;
};

struct run {
    struct measure *measure;
    struct measure_heard *heard;
    struct screen screen;
    int rate;
    struct latency now; /* end of the audio fed, and the computing since */
};

static double seconds_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* ---- growing arrays -------------------------------------------------------------------------- */

/* Makes room for one more element of `size` bytes behind `count`. */
static bool make_room(void **array, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity ? 2 * *capacity : 64;
    void *moved = realloc(*array, wanted * size);
    if (moved == NULL)
        return false;
    *array = moved;
    *capacity = wanted;
    return true;
}

static bool add_latency(struct latencies *latencies, struct latency moment, double word_end)
{
    void *values = latencies->values;
    if (!make_room(&values, &latencies->capacity, latencies->count, sizeof *latencies->values))
        return false;
    latencies->values = values;
    moment.audio -= (float)word_end;
    latencies->values[latencies->count++] = moment;
    return true;
}

static bool append_text(char **text, const char *more)
{
    if (more[0] == '\0')
        return true;
    size_t length = *text != NULL ? strlen(*text) : 0;
    char *joined = realloc(*text, length + strlen(more) + 2);
    if (joined == NULL)
        return false;
    if (length > 0)
        joined[length++] = ' ';
    strcpy(joined + length, more);
    *text = joined;
    return true;
}

/* ---- the screen ------------------------------------------------------------------------------ */

static void cut_screen(struct screen *screen, size_t count)
{
    while (screen->count > count)
        free(screen->words[--screen->count].text);
}

static bool push_word(struct screen *screen, const char *text, struct latency now)
{
    void *words = screen->words;
    if (!make_room(&words, &screen->capacity, screen->count, sizeof *screen->words))
        return false;
    screen->words = words;
    struct shown *shown = &screen->words[screen->count];
    *shown = (struct shown){.text = strdup(text), .since = now};
    if (shown->text == NULL)
        return false;
    screen->count++;
    return true;
}

/*
 * Shows `words` from place `first` on. What stood there and differs is unstable from the first
 * difference on. With `keep_rest`, words behind them stay: a commit leaves the rest of the draft.
 */
static bool show(struct run *run, size_t first, const struct utter_word *words, size_t count,
                 bool keep_rest)
{
    struct screen *screen = &run->screen;
    size_t same = 0;
    while (same < count && first + same < screen->count &&
           strcmp(screen->words[first + same].text, words[same].text) == 0)
        same++;
    if (same == count && (keep_rest || first + count == screen->count))
        return true;
    run->measure->screens++;
    run->measure->unstable_words += (long)(screen->count - (first + same));
    run->measure->shown_words += (long)(count - same);
    cut_screen(screen, first + same);
    for (size_t i = same; i < count; i++) {
        if (!push_word(screen, words[i].text, run->now))
            return false;
    }
    return true;
}

static bool see_commit(struct run *run, const struct utter_event *event)
{
    struct screen *screen = &run->screen;
    if (!show(run, screen->committed, event->words, event->word_count, true) ||
        !append_text(&run->heard->commits, event->text))
        return false;
    for (size_t i = 0; i < event->word_count; i++)
        screen->words[screen->committed++].committed = run->now;
    return true;
}

/* ---- the end of an utterance ----------------------------------------------------------------- */

static bool keep_word(struct measure_heard *heard, const struct utter_word *word)
{
    void *words = heard->words;
    if (!make_room(&words, &heard->word_capacity, heard->word_count, sizeof *heard->words))
        return false;
    heard->words = words;
    heard->words[heard->word_count] = *word;
    heard->words[heard->word_count].text = strdup(word->text);
    return heard->words[heard->word_count++].text != NULL;
}

/* Latencies of the final words, each aligned with the word that the screen showed for it. */
static bool see_latencies(struct run *run, const struct utter_event *event, const long *pairs)
{
    struct measure *measure = run->measure;
    for (size_t i = 0; i < event->word_count; i++) {
        double end = (double)event->words[i].end / run->rate;
        if (!add_latency(&measure->final, run->now, end))
            return false;
        if (pairs[i] < 0 || (size_t)pairs[i] >= run->screen.count)
            continue;
        const struct shown *shown = &run->screen.words[pairs[i]];
        bool committed = (size_t)pairs[i] < run->screen.committed;
        if (strcmp(shown->text, event->words[i].text) == 0 &&
            !add_latency(&measure->draft, shown->since, end))
            return false;
        if (committed && !add_latency(&measure->commit, shown->committed, end))
            return false;
    }
    return true;
}

static bool see_final(struct run *run, const struct utter_event *event)
{
    struct screen *screen = &run->screen;
    struct score_units final = {.units = NULL, .count = event->word_count};
    struct score_units seen = {.units = NULL, .count = screen->count};
    struct score score;
    long *pairs = calloc(event->word_count + 1, sizeof *pairs);
    final.units = calloc(final.count + 1, sizeof *final.units);
    seen.units = calloc(seen.count + 1, sizeof *seen.units);
    bool done = pairs != NULL && final.units != NULL && seen.units != NULL;
    if (done) {
        for (size_t i = 0; i < final.count; i++)
            final.units[i] = event->words[i].text;
        for (size_t i = 0; i < seen.count; i++)
            seen.units[i] = screen->words[i].text;
        done = score_align(&final, &seen, &score, pairs) && see_latencies(run, event, pairs);
    }
    for (size_t i = 0; done && i < event->word_count; i++)
        done = keep_word(run->heard, &event->words[i]);
    done = done && show(run, 0, event->words, event->word_count, false) &&
           append_text(&run->heard->finals, event->text);
    if (done)
        score_add(&run->measure->seams, &score);
    run->measure->final_words += (long)event->word_count;
    run->measure->utterances++;
    cut_screen(screen, 0);
    screen->committed = 0;
    free(pairs);
    free(final.units);
    free(seen.units);
    return done;
}

/* ---- the run --------------------------------------------------------------------------------- */

static bool see_event(struct run *run, const struct utter_event *event, struct utter_error *error)
{
    bool done = true;
    switch (event->type) {
    case UTTER_EVENT_DRAFT:
        done = show(run, run->screen.committed, event->words, event->word_count, false);
        break;
    case UTTER_EVENT_COMMIT:
        done = see_commit(run, event);
        break;
    case UTTER_EVENT_FINAL:
        done = see_final(run, event);
        break;
    case UTTER_EVENT_GAP:
        run->measure->gap_samples += event->lost;
        break;
    case UTTER_EVENT_STATE:
        if (event->state == UTTER_STATE_FAILED)
            return fault_set(error, UTTER_ERROR_SYSTEM, "%s", event->text);
        break;
    }
    return done || fault_memory(error);
}

static bool see_events(struct run *run, struct utter_stream *stream, struct utter_error *error)
{
    for (const struct utter_event *event; (event = utter_stream_next(stream)) != NULL;) {
        if (!see_event(run, event, error))
            return false;
    }
    return true;
}

static bool feed_all(struct run *run, struct utter_stream *stream, const float *samples,
                     int64_t count, struct utter_error *error)
{
    int64_t step = (int64_t)run->rate * FEED_MS / 1000;
    for (int64_t position = 0; position < count;) {
        int64_t end = position - position % step + step;
        if (end > count)
            end = count;
        double begin = seconds_now();
        int64_t taken =
            utter_stream_feed(stream, samples + position, end - position, position, error);
        double spent = seconds_now() - begin;
        if (taken < 0)
            return false;
        position += taken;
        run->heard->compute_seconds += spent;
        run->now = (struct latency){(float)((double)position / run->rate), (float)spent};
        if (!see_events(run, stream, error))
            return false;
    }
    double begin = seconds_now();
    if (utter_stream_flush(stream, error) != UTTER_OK)
        return false;
    double spent = seconds_now() - begin;
    run->heard->compute_seconds += spent;
    run->now.compute = (float)spent;
    return see_events(run, stream, error);
}

bool measure_stream(struct utter_model *model, const struct utter_stream_options *options,
                    const float *samples, int64_t count, struct measure *measure,
                    struct measure_heard *heard, struct utter_error *error)
{
    struct run run = {.measure = measure, .heard = heard};
    *heard = (struct measure_heard){.commits = calloc(1, 1), .finals = calloc(1, 1)};
    run.rate = options != NULL && options->sample_rate != 0 ? options->sample_rate
                                                            : utter_model_info(model)->sample_rate;
    if (heard->commits == NULL || heard->finals == NULL) {
        measure_heard_free(heard);
        return fault_memory(error);
    }
    struct utter_stream *stream = utter_stream_open(model, options, error);
    bool done = stream != NULL && feed_all(&run, stream, samples, count, error);
    utter_stream_close(stream);
    cut_screen(&run.screen, 0);
    free(run.screen.words);
    if (!done)
        measure_heard_free(heard);
    return done;
}

void measure_heard_free(struct measure_heard *heard)
{
    for (size_t i = 0; i < heard->word_count; i++)
        free((char *)heard->words[i].text);
    free(heard->words);
    free(heard->commits);
    free(heard->finals);
    *heard = (struct measure_heard){0};
}

void measure_free(struct measure *measure)
{
    free(measure->draft.values);
    free(measure->commit.values);
    free(measure->final.values);
    *measure = (struct measure){0};
}

/* ---- figures --------------------------------------------------------------------------------- */

double measure_unstable_ratio(const struct measure *measure)
{
    return measure->final_words > 0 ? (double)measure->unstable_words / (double)measure->final_words
                                    : 0;
}

double measure_edit_overhead(const struct measure *measure)
{
    long edits = measure->shown_words + measure->unstable_words;
    return edits > 0 ? 1 - (double)measure->final_words / (double)edits : 0;
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

static double quantile(const struct latencies *latencies, double share, float audio, float compute)
{
    if (latencies->count == 0)
        return 0;
    float *sums = malloc(latencies->count * sizeof *sums);
    if (sums == NULL)
        return 0;
    for (size_t i = 0; i < latencies->count; i++)
        sums[i] = audio * latencies->values[i].audio + compute * latencies->values[i].compute;
    qsort(sums, latencies->count, sizeof *sums, compare_floats);
    double value = sums[(size_t)(share * (double)(latencies->count - 1) + 0.5)];
    free(sums);
    return value;
}

double latency_quantile(const struct latencies *latencies, double share)
{
    return quantile(latencies, share, 1, 1);
}

double latency_quantile_audio(const struct latencies *latencies, double share)
{
    return quantile(latencies, share, 1, 0);
}

double latency_quantile_compute(const struct latencies *latencies, double share)
{
    return quantile(latencies, share, 0, 1);
}

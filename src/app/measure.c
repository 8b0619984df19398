/* SPDX-License-Identifier: MIT */
#include "app/measure.h"

#include "app/clock.h"
#include "app/fault.h"

#include <stdlib.h>
#include <string.h>

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
    struct progress *progress; /* or NULL */
    struct screen screen;
    int rate;
    struct latency now;   /* the audio that has come, and how long ago it did */
    int64_t speech_start; /* of the utterance, or of those that go on from one to the next */
    double busy_until;    /* on the audio's clock: when all computing so far is done */
    long unstable_before; /* words, before this utterance */
};

/* ---- the clocks ------------------------------------------------------------------------------ */

struct clocks {
    double wall;
    double cpu;
};

static struct clocks start_clocks(void)
{
    return (struct clocks){clock_seconds(CLOCK_MONOTONIC), clock_seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

/* The stream has worked since `clocks`, on audio that ends at run->now. */
static void stop_clocks(struct run *run, struct clocks clocks)
{
    double spent = clock_seconds(CLOCK_MONOTONIC) - clocks.wall;
    run->heard->wall_seconds += spent;
    run->heard->cpu_seconds += clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - clocks.cpu;
    double begin = run->now.audio > run->busy_until ? run->now.audio : run->busy_until;
    run->busy_until = begin + spent;
    run->now.compute = (float)(run->busy_until - run->now.audio);
}

static void audio_has_come(struct run *run, int64_t end)
{
    run->now = (struct latency){.audio = (float)((double)end / run->rate)};
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

bool shares_add(struct shares *shares, double part, double whole)
{
    void *values = shares->values;
    if (!make_room(&values, &shares->capacity, shares->count, sizeof *shares->values))
        return false;
    shares->values = values;
    shares->values[shares->count++] = (struct share){part, whole};
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

static bool count_utterance(struct run *run, const struct utter_event *event)
{
    struct measure *measure = run->measure;
    struct measure_heard *heard = run->heard;
    void *spans = heard->utterances;
    if (!make_room(&spans, &heard->utterance_capacity, heard->utterance_count,
                   sizeof *heard->utterances))
        return false;
    heard->utterances = spans;
    heard->utterances[heard->utterance_count++] = (struct span){event->start, event->end};
    measure->utterances++;
    measure->final_words += (long)event->word_count;
    long unstable = measure->unstable_words - run->unstable_before;
    run->unstable_before = measure->unstable_words;
    return shares_add(&measure->stability, (double)unstable, (double)event->word_count);
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
    done = done && count_utterance(run, event);
    if (done)
        score_add(&run->measure->seams, &score);
    cut_screen(screen, 0);
    screen->committed = 0;
    free(pairs);
    free(final.units);
    free(seen.units);
    return done;
}

/* ---- the run --------------------------------------------------------------------------------- */

/* FINALs of two utterances overlap, so what lies in utterances is counted from state to state. */
static void see_state(struct run *run, const struct utter_event *event)
{
    if (event->state == UTTER_STATE_SPEECH)
        run->speech_start = event->start;
    else if (event->state == UTTER_STATE_SILENCE)
        run->measure->utterance_seconds += (double)(event->start - run->speech_start) / run->rate;
}

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
        see_state(run, event);
        break;
    }
    return done || fault_memory(error);
}

static bool see_events(struct run *run, struct utter_stream *stream, struct utter_error *error)
{
    for (;;) {
        struct clocks clocks = start_clocks();
        const struct utter_event *event = utter_stream_next(stream);
        stop_clocks(run, clocks);
        if (event == NULL)
            return true;
        if (!see_event(run, event, error))
            return false;
    }
}

static bool feed_all(struct run *run, struct utter_stream *stream, const float *samples,
                     int64_t count, struct utter_error *error)
{
    int64_t step = (int64_t)run->rate * FEED_MS / 1000;
    for (int64_t position = 0; position < count;) {
        int64_t end = position - position % step + step;
        if (end > count)
            end = count;
        audio_has_come(run, end);
        struct clocks clocks = start_clocks();
        int64_t taken =
            utter_stream_feed(stream, samples + position, end - position, position, error);
        stop_clocks(run, clocks);
        if (taken < 0 || !see_events(run, stream, error))
            return false;
        position += taken;
        if (run->progress != NULL && position / run->rate > (position - taken) / run->rate)
            progress_update(run->progress, position, count);
    }
    struct clocks clocks = start_clocks();
    enum utter_code code = utter_stream_flush(stream, error);
    stop_clocks(run, clocks);
    return code == UTTER_OK && see_events(run, stream, error);
}

bool measure_stream(struct utter_model *model, const struct utter_stream_options *options,
                    const float *samples, int64_t count, struct progress *progress,
                    struct measure *measure, struct measure_heard *heard, struct utter_error *error)
{
    struct run run = {.progress = progress,
                      .measure = measure,
                      .heard = heard,
                      .unstable_before = measure->unstable_words};
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
    free(heard->utterances);
    free(heard->commits);
    free(heard->finals);
    *heard = (struct measure_heard){0};
}

void measure_free(struct measure *measure)
{
    free(measure->draft.values);
    free(measure->commit.values);
    free(measure->final.values);
    free(measure->stability.values);
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

/* Puts audio * A + compute * C of each into `sums` and sorts. */
static void sort_sums(const struct latencies *latencies, float audio, float compute, float *sums)
{
    for (size_t i = 0; i < latencies->count; i++)
        sums[i] = audio * latencies->values[i].audio + compute * latencies->values[i].compute;
    qsort(sums, latencies->count, sizeof *sums, compare_floats);
}

struct latency_quantile latency_quantile(const struct latencies *latencies, double share)
{
    struct latency_quantile quantile = {0};
    float *sums = calloc(latencies->count + 1, sizeof *sums);
    if (latencies->count > 0 && sums != NULL) {
        size_t rank = (size_t)(share * (double)(latencies->count - 1) + 0.5);
        sort_sums(latencies, 1, 0, sums);
        quantile.audio = sums[rank];
        sort_sums(latencies, 0, 1, sums);
        quantile.compute = sums[rank];
        sort_sums(latencies, 1, 1, sums);
        quantile.both = sums[rank];
        quantile.interval = interval_of_quantile(sums, latencies->count, share);
    }
    free(sums);
    return quantile;
}

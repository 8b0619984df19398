/* SPDX-License-Identifier: MIT */
#include "app/subtitle.h"

#include "app/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A pause as long as this always begins a new cue. */
static const int64_t LONG_PAUSE_MS = 1500;
/* A cue stays a little after the last word, and long enough to be read. */
static const int64_t LINGER_MS = 300;
static const int64_t READING_MS_PER_COLUMN = 50;

/* A word, or a piece of one that is longer than a line. */
struct piece {
    const char *text;
    size_t bytes;
    int width;
    bool joined; /* to the piece before it, without a space */
    int64_t start_ms;
    int64_t end_ms;
};

struct pieces {
    struct piece *list;
    size_t count;
    size_t capacity;
};

static bool add_piece(struct pieces *pieces, const struct piece *piece)
{
    if (pieces->count == pieces->capacity) {
        size_t capacity = 2 * pieces->capacity + 64;
        struct piece *larger = realloc(pieces->list, capacity * sizeof *larger);
        if (larger == NULL)
            return false;
        pieces->list = larger;
        pieces->capacity = capacity;
    }
    pieces->list[pieces->count++] = *piece;
    return true;
}

/* A word wider than a line becomes pieces that share its time by their bytes. */
static bool add_word(struct pieces *pieces, const struct subtitle_word *word)
{
    size_t length = strlen(word->text);
    if (text_width(word->text, length) <= 0)
        return true;
    /* Times never run backwards, whatever the caller says. */
    int64_t after = pieces->count > 0 ? pieces->list[pieces->count - 1].end_ms : 0;
    int64_t start = word->start_ms > after ? word->start_ms : after;
    int64_t duration = word->end_ms > start ? word->end_ms - start : 0;
    size_t done = 0;
    while (done < length) {
        size_t bytes = text_fit(word->text + done, length - done, SUBTITLE_COLUMNS);
        double per_byte = (double)duration / (double)length;
        struct piece piece = {
            .text = word->text + done,
            .bytes = bytes,
            .width = text_width(word->text + done, bytes),
            .joined = done > 0,
            .start_ms = start + (int64_t)(per_byte * (double)done),
            .end_ms = start + (int64_t)(per_byte * (double)(done + bytes)),
        };
        if (!add_piece(pieces, &piece))
            return false;
        done += bytes;
    }
    return true;
}

/* Columns of pieces first..last on one line. */
static int line_width(const struct piece *pieces, size_t first, size_t last)
{
    int width = pieces[first].width;
    for (size_t i = first + 1; i <= last; i++)
        width += pieces[i].width + (pieces[i].joined ? 0 : 1);
    return width;
}

static int64_t pause_after(const struct piece *pieces, size_t i)
{
    return pieces[i + 1].start_ms - pieces[i].end_ms;
}

/*
 * Where the second line of a cue begins: `last + 1` for a cue of one line, `first` when the pieces
 * do not fit into two. Lines of equal length and a line break at a pause are best.
 */
static size_t second_line(const struct piece *pieces, size_t first, size_t last)
{
    int total = line_width(pieces, first, last);
    if (total <= SUBTITLE_COLUMNS)
        return last + 1;
    size_t best = first;
    double best_cost = INFINITY;
    int upper = 0;
    for (size_t i = first; i < last; i++) {
        upper += pieces[i].width + (i > first && !pieces[i].joined ? 1 : 0);
        int lower = total - upper - (pieces[i + 1].joined ? 0 : 1);
        if (upper > SUBTITLE_COLUMNS)
            break;
        if (lower > SUBTITLE_COLUMNS)
            continue;
        double cost = abs(upper - lower) + (pieces[i + 1].joined ? 20.0 : 0.0) -
                      (double)pause_after(pieces, i) / 40.0;
        if (cost < best_cost) {
            best_cost = cost;
            best = i + 1;
        }
    }
    return best;
}

/* What it costs to end a cue after piece `last`: little at a pause or at the end of a sentence. */
static double break_cost(const struct pieces *pieces, size_t last)
{
    if (last + 1 == pieces->count)
        return 0.0;
    const struct piece *piece = &pieces->list[last];
    if (strchr(".?!", piece->text[piece->bytes - 1]) != NULL)
        return -0.5;
    double cost = pieces->list[last + 1].joined ? 5.0 : 0.0;
    double pause = (double)pause_after(pieces->list, last);
    return pause < 400.0 ? cost + 1.0 - pause / 400.0 : cost;
}

/*
 * The best way to cut the pieces into cues, by dynamic programming from the end: best[n] is the
 * lowest cost of pieces n..count-1, next[n] where the cue that begins with n ends in that way. A
 * cue costs 1, what its end costs, more when it is short, and more for every pause within.
 */
static void find_cuts(const struct pieces *pieces, double *best, size_t *next)
{
    const struct piece *list = pieces->list;
    best[pieces->count] = 0.0;
    for (size_t first = pieces->count; first-- > 0;) {
        double inner = 0.0;
        best[first] = INFINITY;
        for (size_t last = first; last < pieces->count; last++) {
            int64_t duration = list[last].end_ms - list[first].start_ms;
            if (last > first) {
                int64_t pause = pause_after(list, last - 1);
                if (pause >= LONG_PAUSE_MS || duration > SUBTITLE_LONGEST_MS ||
                    second_line(list, first, last) == first)
                    break;
                inner += pow((double)pause / 700.0, 2);
            }
            double haste = duration < SUBTITLE_SHORTEST_MS
                               ? 1.0 - (double)duration / SUBTITLE_SHORTEST_MS
                               : 0.0;
            double cost = best[last + 1] + 1.0 + inner + haste + break_cost(pieces, last);
            if (cost < best[first]) {
                best[first] = cost;
                next[first] = last + 1;
            }
        }
    }
}

static char *cue_text(const struct piece *pieces, size_t first, size_t last)
{
    size_t size = 1;
    for (size_t i = first; i <= last; i++)
        size += pieces[i].bytes + 1;
    char *text = malloc(size);
    if (text == NULL)
        return NULL;
    size_t second = second_line(pieces, first, last);
    char *out = text;
    for (size_t i = first; i <= last; i++) {
        if (i > first && i == second)
            *out++ = '\n';
        else if (i > first && !pieces[i].joined)
            *out++ = ' ';
        out = mempcpy(out, pieces[i].text, pieces[i].bytes);
    }
    *out = '\0';
    return text;
}

/* When the cue of pieces first..last is shown: never before the last cue has gone. */
static void time_cue(const struct pieces *pieces, size_t first, size_t last, int64_t earliest_ms,
                     struct subtitle_cue *cue)
{
    const struct piece *list = pieces->list;
    cue->start_ms = list[first].start_ms > earliest_ms ? list[first].start_ms : earliest_ms;
    int64_t end = list[last].end_ms;
    if (last + 1 < pieces->count) {
        int64_t reading = cue->start_ms + READING_MS_PER_COLUMN * line_width(list, first, last);
        int64_t wanted = end + LINGER_MS > reading ? end + LINGER_MS : reading;
        int64_t next = list[last + 1].start_ms;
        end = wanted < next ? wanted : next;
    }
    if (end < cue->start_ms + SUBTITLE_SHORTEST_MS)
        end = cue->start_ms + SUBTITLE_SHORTEST_MS;
    if (end > cue->start_ms + SUBTITLE_LONGEST_MS)
        end = cue->start_ms + SUBTITLE_LONGEST_MS;
    cue->end_ms = end;
}

static bool make_cues(const struct pieces *pieces, const size_t *next, int64_t earliest_ms,
                      struct subtitle_cues *cues)
{
    size_t count = 0;
    for (size_t first = 0; first < pieces->count; first = next[first])
        count++;
    cues->cues = calloc(count, sizeof *cues->cues);
    if (cues->cues == NULL)
        return false;
    for (size_t first = 0; first < pieces->count; first = next[first]) {
        struct subtitle_cue *cue = &cues->cues[cues->count];
        time_cue(pieces, first, next[first] - 1, earliest_ms, cue);
        cue->text = cue_text(pieces->list, first, next[first] - 1);
        if (cue->text == NULL)
            return false;
        cues->count++;
        earliest_ms = cue->end_ms;
    }
    return true;
}

bool subtitle_cut(const struct subtitle_word *words, size_t count, int64_t earliest_ms,
                  struct subtitle_cues *cues)
{
    *cues = (struct subtitle_cues){NULL, 0};
    struct pieces pieces = {NULL, 0, 0};
    double *best = NULL;
    size_t *next = NULL;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = add_word(&pieces, &words[i]);
    if (ok && pieces.count > 0) {
        best = malloc((pieces.count + 1) * sizeof *best);
        next = malloc((pieces.count + 1) * sizeof *next);
        ok = best != NULL && next != NULL;
        if (ok) {
            find_cuts(&pieces, best, next);
            ok = make_cues(&pieces, next, earliest_ms, cues);
        }
    }
    free(next);
    free(best);
    free(pieces.list);
    if (!ok)
        subtitle_free(cues);
    return ok;
}

void subtitle_free(struct subtitle_cues *cues)
{
    for (size_t i = 0; i < cues->count; i++)
        free(cues->cues[i].text);
    free(cues->cues);
    *cues = (struct subtitle_cues){NULL, 0};
}

/* SPDX-License-Identifier: MIT */
#include "app/history_reader.h"

#include "app/fault.h"
#include "app/history.h"
#include "app/text.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A year: beyond it, a time is no time. */
static const double LONGEST_S = 366.0 * 24 * 60 * 60;

enum {
    SPEAKERS = 2,
    HEAD_LINES = 100,  /* the first words are in them */
    TAIL_BYTES = 4096, /* the line of the end is in them */
};

struct reading {
    struct history_session *session;
    size_t room;              /* of session->items */
    size_t lines;             /* read so far */
    bool pause[SPEAKERS + 1]; /* by speaker: the next gap is one ... */
    bool told;                /* ... as another speaker's was already */
    bool out_of_memory;
};

/* ---- values ---- */

static bool read_time(const json_t *object, const char *key, int64_t *position)
{
    const json_t *value = json_object_get(object, key);
    double seconds = json_is_number(value) ? json_number_value(value) : -1.0;
    if (!(seconds >= 0.0 && seconds <= LONGEST_S))
        return false;
    *position = (int64_t)llround(seconds * HISTORY_RATE);
    return true;
}

/* Clean text of a string; NULL when it is none, or no memory. The caller frees it. */
static char *read_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text_clean(text) : NULL;
}

static int read_speaker(const json_t *object)
{
    json_int_t speaker = json_integer_value(json_object_get(object, "speaker"));
    return speaker > 0 && speaker <= SPEAKERS ? (int)speaker : 0;
}

static bool read_word(const json_t *object, struct utter_word *word)
{
    word->text = read_text(object, "text");
    double confidence = json_number_value(json_object_get(object, "confidence"));
    /* A damaged one must not become an infinity, which JSON cannot write; the word is kept. */
    word->confidence = (float)fmin(fmax(confidence, 0.0), 1.0);
    return word->text != NULL && read_time(object, "start", &word->start) &&
           read_time(object, "end", &word->end);
}

static void free_words(struct utter_word *words, size_t count)
{
    for (size_t i = 0; words != NULL && i < count; i++)
        free((char *)words[i].text);
    free(words);
}

static bool read_words(const json_t *object, struct history_item *item)
{
    const json_t *list = json_object_get(object, "words");
    size_t count = json_array_size(list);
    item->words = calloc(count + 1, sizeof *item->words);
    if (item->words == NULL)
        return false;
    item->word_count = count;
    for (size_t i = 0; i < count; i++)
        if (!read_word(json_array_get(list, i), &item->words[i]))
            return false;
    return true;
}

/* ---- lines ---- */

/* A new item behind the others; NULL when out of memory. */
static struct history_item *append(struct reading *reading, enum history_kind kind)
{
    struct history_session *session = reading->session;
    if (session->count == reading->room) {
        size_t room = 2 * reading->room + 64;
        struct history_item *items = realloc(session->items, room * sizeof *items);
        if (items == NULL) {
            reading->out_of_memory = true;
            return NULL;
        }
        session->items = items;
        reading->room = room;
    }
    struct history_item *item = &session->items[session->count++];
    *item = (struct history_item){.kind = kind};
    return item;
}

/* The utterance's item, which is among the last ones, or a new one. */
static struct history_item *find_speech(struct reading *reading, uint64_t utterance)
{
    const struct history_session *session = reading->session;
    for (size_t i = session->count; i > 0 && i + 64 > session->count; i--) {
        struct history_item *item = &session->items[i - 1];
        if (item->kind == HISTORY_SPEECH && item->utterance == utterance)
            return item;
    }
    struct history_item *item = append(reading, HISTORY_SPEECH);
    if (item != NULL)
        item->utterance = utterance;
    return item;
}

static void free_item(struct history_item *item)
{
    free(item->text);
    free_words(item->words, item->word_count);
}

/* Moves the text and words of `new` behind those of `item`; false when out of memory. */
static bool join(struct history_item *item, struct history_item *new)
{
    size_t count = item->word_count + new->word_count;
    struct utter_word *words = realloc(item->words, (count + 1) * sizeof *words);
    if (words == NULL)
        return false;
    item->words = words;
    char *joined = NULL;
    const char *before = item->text != NULL ? item->text : "";
    const char *space = before[0] != '\0' && new->text[0] != '\0' ? " " : "";
    if (asprintf(&joined, "%s%s%s", before, space, new->text) < 0)
        return false;
    if (item->text == NULL) {
        item->start = new->start;
        item->speaker = new->speaker;
    }
    free(item->text);
    item->text = joined;
    item->end = new->end;
    memcpy(words + item->word_count, new->words, new->word_count * sizeof *words);
    item->word_count = count;
    new->word_count = 0; /* they are the item's now */
    return true;
}

static bool read_speech(const json_t *object, struct history_item *item)
{
    json_int_t utterance = json_integer_value(json_object_get(object, "utterance"));
    item->speaker = read_speaker(object);
    item->utterance = (uint64_t)utterance;
    item->text = read_text(object, "text");
    return utterance > 0 && item->text != NULL && read_time(object, "start", &item->start) &&
           read_time(object, "end", &item->end) && read_words(object, item);
}

/* A COMMIT goes on where the last ended, a FINAL takes the place of them all. */
static bool take_speech(struct reading *reading, const json_t *object, bool final)
{
    struct history_item new = {.kind = HISTORY_SPEECH, .final = final};
    bool good = read_speech(object, &new);
    struct history_item *item = good ? find_speech(reading, new.utterance) : NULL;
    if (item != NULL && final) {
        struct history_item old = *item;
        *item = new;
        new = old;
    } else if (item != NULL && !item->final && !join(item, &new)) {
        reading->out_of_memory = true;
    }
    free_item(&new);
    return good;
}

static void note_pause(struct reading *reading)
{
    for (int i = 0; i <= SPEAKERS; i++)
        reading->pause[i] = true;
    reading->told = false;
}

/* Every speaker's pause ends with a gap of its own; it is one pause. */
static bool take_gap(struct reading *reading, const json_t *object)
{
    int64_t start, end, lost;
    int speaker = read_speaker(object);
    bool pause = reading->pause[speaker], told = pause && reading->told;
    if (!read_time(object, "start", &start) || !read_time(object, "end", &end))
        return false;
    reading->told |= pause;
    reading->pause[speaker] = false;
    if (speaker == 0) /* all of them */
        reading->pause[1] = reading->pause[2] = false;
    struct history_item *item = told ? NULL : append(reading, pause ? HISTORY_PAUSE : HISTORY_GAP);
    if (item == NULL)
        return true;
    item->speaker = pause ? 0 : speaker;
    item->start = start;
    item->end = end;
    item->lost = read_time(object, "lost", &lost) ? lost : end - start;
    return true;
}

static bool take_recording(struct reading *reading, const json_t *object)
{
    int64_t start;
    json_int_t number = json_integer_value(json_object_get(object, "number"));
    if (number < 1 || number > HISTORY_RECORDINGS || !read_time(object, "start", &start))
        return false;
    struct history_item *item = append(reading, HISTORY_RECORDING);
    if (item == NULL)
        return true;
    item->number = (int)number;
    item->speaker = read_speaker(object);
    item->start = item->end = start;
    return true;
}

static void take_head(struct history_session *session, const json_t *object)
{
    if (session->began != NULL || session->source != NULL || session->model != NULL)
        return;
    session->began = read_text(object, "began");
    session->source = read_text(object, "source");
    session->model = read_text(object, "model");
}

/* False: the line is not as it should be. Of types that are not known, nothing is said. */
static bool take_object(struct reading *reading, const json_t *object)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    int64_t end;
    if (type == NULL)
        return false;
    if (read_time(object, "end", &end) && end > reading->session->end)
        reading->session->end = end;
    if (strcmp(type, "commit") == 0 || strcmp(type, "final") == 0)
        return take_speech(reading, object, type[0] == 'f');
    if (strcmp(type, "gap") == 0)
        return take_gap(reading, object);
    if (strcmp(type, "recording") == 0)
        return take_recording(reading, object);
    if (strcmp(type, "session") == 0)
        take_head(reading->session, object);
    if (strcmp(type, "pause") == 0)
        note_pause(reading);
    reading->session->ended |= strcmp(type, "end") == 0;
    return true;
}

static void take_line(struct reading *reading, const char *line, size_t length)
{
    json_t *object = json_loadb(line, length, 0, NULL);
    if (object == NULL || !take_object(reading, object))
        reading->session->damaged++;
    json_decref(object);
}

/* ---- a session ---- */

/* Lines until the end of the file, or until there are `limit`. */
static bool read_lines(struct reading *reading, FILE *file, size_t limit, const char *name,
                       struct utter_error *error)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    while (!reading->out_of_memory && reading->lines < limit &&
           (length = getline(&line, &size, file)) > 0) {
        take_line(reading, line, (size_t)length);
        reading->lines++;
    }
    free(line);
    if (reading->out_of_memory)
        return fault_memory(error);
    if (ferror(file))
        return fault_set(error, UTTER_ERROR_FILE, "%s: cannot read: %s", name, strerror(errno));
    return true;
}

static int compare_items(const void *a, const void *b)
{
    const struct history_item *first = a, *second = b;
    if (first->start != second->start)
        return first->start < second->start ? -1 : 1;
    return (first->end > second->end) - (first->end < second->end);
}

bool history_session_read(struct history_session *session, FILE *file, const char *name,
                          struct utter_error *error)
{
    *session = (struct history_session){0};
    struct reading reading = {.session = session};
    if (!read_lines(&reading, file, SIZE_MAX, name, error))
        return false;
    if (session->began == NULL && session->count == 0)
        return fault_set(error, UTTER_ERROR_FORMAT, "%s: is no session", name);
    /* A FINAL without a COMMIT comes after the gap that ended its utterance. */
    if (session->count > 0)
        qsort(session->items, session->count, sizeof *session->items, compare_items);
    for (size_t i = 0; i < session->count; i++)
        session->word_count += session->items[i].word_count;
    return true;
}

void history_session_free(struct history_session *session)
{
    for (size_t i = 0; i < session->count; i++)
        free_item(&session->items[i]);
    free(session->items);
    free(session->began);
    free(session->source);
    free(session->model);
    *session = (struct history_session){0};
}

/* ---- a summary ---- */

static void note_first_words(struct history_summary *summary, const struct history_session *session)
{
    for (size_t i = 0; i < session->count; i++) {
        size_t length = strlen(summary->first);
        const char *text = session->items[i].text;
        if (text == NULL || text[0] == '\0' || length + 2 >= sizeof summary->first)
            continue;
        if (length > 0)
            summary->first[length++] = ' ';
        text_copy(summary->first + length, sizeof summary->first - length, text);
    }
}

/* The line of the end; false when it is not among the last bytes of the file. */
static bool read_end(struct history_summary *summary, FILE *file)
{
    char tail[TAIL_BYTES + 1];
    if (fseek(file, -TAIL_BYTES, SEEK_END) != 0)
        return false;
    size_t length = fread(tail, 1, TAIL_BYTES, file);
    while (length > 0 && tail[length - 1] == '\n')
        length--;
    tail[length] = '\0';
    const char *line = strrchr(tail, '\n');
    json_t *object = line != NULL ? json_loads(line + 1, 0, NULL) : NULL;
    const char *type = json_string_value(json_object_get(object, "type"));
    json_int_t words = json_integer_value(json_object_get(object, "words"));
    bool found = type != NULL && strcmp(type, "end") == 0 && words >= 0 &&
                 read_time(object, "end", &summary->end);
    summary->word_count = found ? (size_t)words : 0;
    summary->ended = found;
    json_decref(object);
    return found;
}

bool history_summary_read(struct history_summary *summary, FILE *file, const char *name,
                          struct utter_error *error)
{
    struct history_session session = {0};
    struct reading reading = {.session = &session};
    *summary = (struct history_summary){0};
    bool ok = read_lines(&reading, file, HEAD_LINES, name, error);
    bool whole = !ok || feof(file) || !read_end(summary, file);
    if (ok)
        note_first_words(summary, &session);
    history_session_free(&session);
    if (!ok || !whole)
        return ok;
    /* Short, or cut short: all of it. */
    rewind(file);
    if (history_session_read(&session, file, name, error)) {
        summary->end = session.end;
        summary->word_count = session.word_count;
        summary->ended = session.ended;
        history_session_free(&session);
        return true;
    }
    history_session_free(&session);
    return false;
}

/* SPDX-License-Identifier: MIT */
#include "app/sink_json.h"

#include "app/text.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

/* Seconds to the microsecond print without a tail of nines. */
enum { DIGITS = 12 };

static json_t *seconds(int64_t position, int sample_rate)
{
    return json_real(round(1e6 * (double)position / sample_rate) / 1e6);
}

static json_t *cased(const char *text, enum letter_case letter_case, bool *sentence_start)
{
    char *clean = text_clean(text != NULL ? text : "");
    char *shown = clean != NULL ? case_apply(letter_case, clean, sentence_start) : NULL;
    json_t *string = shown != NULL ? json_string(shown) : NULL;
    free(shown);
    free(clean);
    return string;
}

/* `speakers` may be NULL. */
static json_t *word_list(const struct utter_word *words, const int *speakers, size_t count,
                         int sample_rate, enum letter_case letter_case, bool sentence_start)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < count; i++) {
        const struct utter_word *word = &words[i];
        json_t *object = json_pack(
            "{so, so, so, so}", "text", cased(word->text, letter_case, &sentence_start), "start",
            seconds(word->start, sample_rate), "end", seconds(word->end, sample_rate), "confidence",
            json_real(round(1e4 * (double)word->confidence) / 1e4));
        bool named = speakers != NULL && speakers[i] > 0;
        int failed = named ? json_object_set_new(object, "speaker", json_integer(speakers[i])) : 0;
        if (json_array_append_new(list, object) != 0 || failed != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Text with its newline, and the end of `object`. */
static char *dump(json_t *object, size_t flags)
{
    char *text = NULL, *line = NULL;
    if (object != NULL)
        text = json_dumps(object, flags | JSON_REAL_PRECISION(DIGITS));
    json_decref(object);
    if (text != NULL && asprintf(&line, "%s\n", text) < 0)
        line = NULL;
    free(text);
    return line;
}

char *sink_json_recording(const struct sink_recording *recording, enum letter_case letter_case)
{
    const struct utter_transcript *transcript = recording->transcript;
    bool sentence_start = true;
    json_t *object =
        json_pack("{ss, so, so, so}", "file", recording->name, "duration",
                  seconds(recording->length, recording->sample_rate), "text",
                  cased(transcript->text, letter_case, &sentence_start), "words",
                  word_list(transcript->words, recording->speakers, transcript->word_count,
                            recording->sample_rate, letter_case, true));
    return dump(object, JSON_INDENT(2));
}

static const char *type_name(enum utter_event_type type)
{
    switch (type) {
    case UTTER_EVENT_DRAFT:
        return "draft";
    case UTTER_EVENT_COMMIT:
        return "commit";
    case UTTER_EVENT_FINAL:
        return "final";
    case UTTER_EVENT_GAP:
        return "gap";
    case UTTER_EVENT_STATE:
        return "state";
    }
    return "unknown";
}

static const char *state_name(enum utter_state state)
{
    switch (state) {
    case UTTER_STATE_SILENCE:
        return "silence";
    case UTTER_STATE_SPEECH:
        return "speech";
    case UTTER_STATE_BEHIND:
        return "behind";
    case UTTER_STATE_CAUGHT_UP:
        return "caught up";
    case UTTER_STATE_FAILED:
        return "failed";
    }
    return "unknown";
}

/* What this type of event has beyond type, utterance, start and end. */
static int add_fields(json_t *object, const struct utter_event *event,
                      const struct sink_options *options, bool *sentence_start)
{
    bool words_start = *sentence_start;
    if (event->type == UTTER_EVENT_GAP)
        return json_object_set_new(object, "lost", seconds(event->lost, options->sample_rate));
    if (event->type == UTTER_EVENT_STATE) {
        int failed = json_object_set_new(object, "state", json_string(state_name(event->state)));
        if (event->rung > 0)
            failed |= json_object_set_new(object, "rung", json_integer(event->rung));
        if (event->text != NULL && event->text[0] != '\0')
            failed |=
                json_object_set_new(object, "text", cased(event->text, CASE_AS_IS, sentence_start));
        return failed;
    }
    int failed = json_object_set_new(object, "text",
                                     cased(event->text, options->letter_case, sentence_start));
    if (event->type == UTTER_EVENT_DRAFT)
        failed |= json_object_set_new(object, "firm", json_integer((json_int_t)event->firm_count));
    return failed |
           json_object_set_new(object, "words",
                               word_list(event->words, NULL, event->word_count,
                                         options->sample_rate, options->letter_case, words_start));
}

char *sink_json_event(const struct utter_event *event, int speaker,
                      const struct sink_options *options, bool *sentence_start)
{
    json_t *object = json_pack("{ss, sI, so, so}", "type", type_name(event->type), "utterance",
                               (json_int_t)event->utterance, "start",
                               seconds(event->start, options->sample_rate), "end",
                               seconds(event->end, options->sample_rate));
    int failed = 0;
    if (object != NULL && speaker > 0)
        failed = json_object_set_new(object, "speaker", json_integer(speaker));
    if (object != NULL &&
        (failed != 0 || add_fields(object, event, options, sentence_start) != 0)) {
        json_decref(object);
        object = NULL;
    }
    return dump(object, JSON_COMPACT);
}

/* SPDX-License-Identifier: MIT */
#include "app/track.h"

#include <math.h>
#include <stdlib.h>

int64_t track_position(const struct track *track, int64_t position)
{
    if (track->offset == 0.0 && track->sample_rate == track->session_rate)
        return position;
    double seconds = (double)position / track->sample_rate + track->offset;
    return seconds > 0.0 ? llround(seconds * track->session_rate) : 0;
}

int64_t track_end(const struct track *track)
{
    struct utter_live_status status = UTTER_LIVE_STATUS_INIT;
    utter_live_status(track->live, &status);
    return track_position(track, status.pushed);
}

/* The session counts utterances in the order in which they are first heard of. */
static uint64_t session_utterance(struct track *track, uint64_t own, uint64_t *utterances)
{
    if (own == 0)
        return 0;
    struct track_utterance *known = &track->utterances[own % TRACK_UTTERANCES];
    if (known->own != own)
        *known = (struct track_utterance){own, ++*utterances};
    return known->session;
}

static bool translate_words(struct track *track, const struct utter_event *event)
{
    if (event->word_count > track->word_room) {
        size_t room = 2 * event->word_count;
        struct utter_word *words = realloc(track->words, room * sizeof *words);
        if (words == NULL)
            return false;
        track->words = words;
        track->word_room = room;
    }
    for (size_t i = 0; i < event->word_count; i++) {
        track->words[i] = event->words[i];
        track->words[i].start = track_position(track, event->words[i].start);
        track->words[i].end = track_position(track, event->words[i].end);
    }
    return true;
}

const struct utter_event *track_next(struct track *track, uint64_t *utterances)
{
    const struct utter_event *event = utter_live_next(track->live);
    if (event == NULL) {
        track->done = track->done || utter_live_wait(track->live, 0) == UTTER_WAIT_DONE;
        return NULL;
    }
    track->event = *event;
    track->event.utterance = session_utterance(track, event->utterance, utterances);
    track->event.start = track_position(track, event->start);
    track->event.end = track_position(track, event->end);
    if (event->type == UTTER_EVENT_GAP)
        track->event.lost = track->event.end - track->event.start;
    if (event->word_count > 0 && translate_words(track, event))
        track->event.words = track->words;
    return &track->event;
}

void track_close(struct track *track)
{
    if (track->live != NULL)
        utter_live_close(track->live);
    free(track->words);
    track->live = NULL;
    track->words = NULL;
    track->word_room = 0;
}

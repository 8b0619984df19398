/* SPDX-License-Identifier: MIT */
#include "app/session.h"

#include <math.h>

/* A break between two inputs that nobody would notice, in seconds. */
static const double NO_GAP = 0.05;

/* The session's time begins with the first sound that is heard, of whichever input. */
static void settle_origin(struct session *session)
{
    for (int i = 0; i < session->input_count; i++) {
        int64_t origin =
            atomic_load_explicit(&session->inputs[i].source->origin_ns, memory_order_acquire);
        if (origin != 0 && (session->origin_ns == 0 || origin < session->origin_ns))
            session->origin_ns = origin;
    }
}

static void settle_offsets(struct session *session)
{
    if (session->origin_ns == 0)
        settle_origin(session);
    for (int i = 0; i < session->input_count; i++) {
        struct session_input *input = &session->inputs[i];
        int64_t origin = atomic_load_explicit(&input->source->origin_ns, memory_order_acquire);
        if (input->track == NULL || input->track->offset_known ||
            (origin == 0 && !session->finishing))
            continue;
        input->track->offset_known = true;
        if (origin != 0)
            input->track->offset = 1e-9 * (double)(origin - session->origin_ns);
        input->track->offset = fmax(input->track->offset, (double)input->earliest / session->rate);
        if (origin != 0)
            keeper_recorded(&session->keeper, input->outlet->recorder, input->track->speaker,
                            input->track->offset);
    }
}

/* What was missed between the input before and this one; NULL when there is nothing to tell. */
static const struct utter_event *change_gap(struct session *session)
{
    const struct track *track = session->inputs[0].track;
    if (session->left_end < 0 || !track->offset_known)
        return NULL;
    int64_t start = session->left_end, end = track_position(track, 0);
    session->left_end = -1;
    if ((double)(end - start) < NO_GAP * session->rate)
        return NULL;
    session->gap = (struct utter_event){
        .type = UTTER_EVENT_GAP, .start = start, .end = end, .lost = end - start};
    return &session->gap;
}

/* What one input of a mix lost while the other was heard, and which; NULL when there is nothing. */
static const struct utter_event *input_gap(struct session *session, int *speaker)
{
    const struct session_input *input = &session->inputs[0];
    struct source_gap gap;
    if (!input->track->offset_known || !source_next_gap(input->source, &gap))
        return NULL;
    int64_t start = track_position(input->track, gap.start - input->base);
    int64_t end = track_position(input->track, gap.end - input->base);
    session->gap = (struct utter_event){
        .type = UTTER_EVENT_GAP,
        .start = start,
        .end = end,
        .lost = gap.lost * session->rate / input->source->sample_rate,
    };
    *speaker = gap.input + 1;
    return &session->gap;
}

const struct utter_event *session_next_event(struct session *session, int *speaker)
{
    settle_offsets(session);
    session_follow_outlets(session);
    bool all_done = true;
    *speaker = 0;
    const struct utter_event *event = change_gap(session);
    if (event == NULL)
        event = input_gap(session, speaker);
    for (int i = session->track_count; event == NULL && i-- > 0;) {
        struct track *track = session->tracks[i];
        if (!track->done && track->offset_known) {
            *speaker = track->speaker;
            event = track_next(track, &session->utterances);
        }
        all_done = all_done && track->done;
        if (event == NULL && track->done)
            session_drop_track(session, track);
    }
    session->done = event == NULL && all_done && session->track_count > 0;
    return event;
}

/* SPDX-License-Identifier: MIT */
/**
 * Where a source's pump puts its audio: a live stream, which may be exchanged for another while
 * audio flows, or one input of a mixer (mixer.h). push, flush and finish are the pump's, and as
 * those of a utter_live: positions only grow, nothing waits.
 */
#ifndef APP_OUTLET_H
#define APP_OUTLET_H

#include "app/recorder.h"
#include "utter.h"

#include <stdatomic.h>

struct outlet {
    int64_t (*push)(struct outlet *outlet, const float *samples, int64_t count, int64_t position);
    void (*flush)(struct outlet *outlet);
    void (*finish)(struct outlet *outlet, int64_t end);
};

/** An outlet into a live stream. The main thread owns it and calls the functions below. */
struct live_outlet {
    struct outlet outlet;
    int channels;
    struct recorder *recorder; /* gets the same audio; NULL: nobody does */
    atomic_bool muted;
    _Atomic(struct utter_live *) next; /* where the audio is to go from now on; NULL: no change */
    _Atomic int64_t base;              /* position of the source at which `live` began */
    struct utter_live *live;           /* the pump's, once it runs */
};

/** Before the pump starts. `recorder`, NULL or not, must outlive it. */
void live_outlet_open(struct live_outlet *outlet, struct utter_live *live,
                      struct recorder *recorder, int channels);

/**
 * With the next push the audio goes to `next`, whose positions begin at 0 there; the stream that
 * had it until then is finished. One such change at a time.
 */
void live_outlet_redirect(struct live_outlet *outlet, struct utter_live *next);

/** Whether the audio goes to the last stream that it was redirected to. */
bool live_outlet_settled(struct live_outlet *outlet);

/** While muted, silence takes the place of what the source hears. */
void live_outlet_mute(struct live_outlet *outlet, bool muted);

#endif

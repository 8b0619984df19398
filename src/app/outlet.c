/* SPDX-License-Identifier: MIT */
#include "app/outlet.h"

enum { SILENCE_SAMPLES = 4096 };

static const float SILENCE[SILENCE_SAMPLES];

/* The redirection, if there is one; every sample before `position` went to the stream before. */
static void follow(struct live_outlet *outlet, int64_t position)
{
    struct utter_live *next = atomic_load_explicit(&outlet->next, memory_order_acquire);
    if (next == NULL)
        return;
    utter_live_finish(outlet->live, position - atomic_load(&outlet->base));
    outlet->live = next;
    atomic_store(&outlet->base, position);
    atomic_store_explicit(&outlet->next, NULL, memory_order_release);
}

static int64_t push(struct outlet *base, const float *samples, int64_t count, int64_t position)
{
    struct live_outlet *outlet = (struct live_outlet *)base;
    follow(outlet, position);
    int64_t at = position - atomic_load_explicit(&outlet->base, memory_order_relaxed);
    if (atomic_load_explicit(&outlet->muted, memory_order_relaxed)) {
        int64_t most = SILENCE_SAMPLES / outlet->channels;
        samples = SILENCE;
        count = count < most ? count : most;
    }
    int64_t taken = utter_live_push(outlet->live, samples, count, at);
    if (taken > 0 && outlet->recorder != NULL)
        recorder_push(outlet->recorder, samples, taken, position);
    return taken;
}

static void flush(struct outlet *base)
{
    utter_live_flush(((struct live_outlet *)base)->live);
}

static void finish(struct outlet *base, int64_t end)
{
    struct live_outlet *outlet = (struct live_outlet *)base;
    follow(outlet, end);
    utter_live_finish(outlet->live, end - atomic_load(&outlet->base));
    if (outlet->recorder != NULL)
        recorder_finish(outlet->recorder);
}

void live_outlet_open(struct live_outlet *outlet, struct utter_live *live,
                      struct recorder *recorder, int channels)
{
    *outlet = (struct live_outlet){
        .outlet = {push, flush, finish}, .channels = channels, .recorder = recorder, .live = live};
}

void live_outlet_redirect(struct live_outlet *outlet, struct utter_live *next)
{
    atomic_store_explicit(&outlet->next, next, memory_order_release);
}

bool live_outlet_settled(struct live_outlet *outlet)
{
    return atomic_load_explicit(&outlet->next, memory_order_acquire) == NULL;
}

void live_outlet_mute(struct live_outlet *outlet, bool muted)
{
    atomic_store(&outlet->muted, muted);
}

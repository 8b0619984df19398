/* SPDX-License-Identifier: MIT */
#include "stream/finals.h"

#include "base/error.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A quarter of the share of a thread that did not step back, or all that nobody else wants. */
enum { STEP_BACK = 5 };

struct waiting_final {
    struct final_job job;
    float *samples;  /* [finals.samples_max] those in front of the job's, too */
    float *features; /* of a local model, or NULL */
};

struct finals {
    struct acoustic acoustic;
    int64_t samples_max;
    struct final final; /* the thread's, as is `words` */
    struct words words;
    struct queue *queue; /* borrowed */
    pthread_t thread;
    bool started;

    pthread_mutex_t mutex; /* guards what follows, but for what jobs [done, given) */
    pthread_cond_t changed;
    struct waiting_final waiting[FINALS_WAITING_MOST]; /* by number */
    int64_t given;
    int64_t done;
    bool stopped;
};

/* ---- opening and closing --------------------------------------------------------------------- */

static enum utter_code open_parts(struct finals *finals, const struct ctc_labels *labels,
                                  int64_t samples_max, struct utter_error *error)
{
    const struct acoustic *acoustic = &finals->acoustic;
    int64_t frames = acoustic_frames(acoustic, samples_max) + 1;
    size_t values = (size_t)(frames * acoustic->feature_columns);
    finals->samples_max = samples_max + final_apart(acoustic);
    enum utter_code code = final_open(&finals->final, acoustic, labels, samples_max, error);
    if (!code)
        code = words_open(&finals->words, labels, acoustic->frame_samples, frames, error);
    for (int i = 0; !code && i < FINALS_WAITING_MOST; i++) {
        struct waiting_final *waiting = &finals->waiting[i];
        waiting->samples = malloc((size_t)finals->samples_max * sizeof(float));
        waiting->features = acoustic->local ? malloc(values * sizeof(float)) : NULL;
        if (!waiting->samples || (acoustic->local && !waiting->features))
            code = error_memory(error, "utterances to be decoded once more");
    }
    return code;
}

struct finals *finals_open(const struct acoustic *acoustic, const struct ctc_labels *labels,
                           int64_t samples_max, struct utter_error *error)
{
    struct finals *finals = calloc(1, sizeof *finals);
    if (!finals) {
        struct acoustic unused = *acoustic;
        acoustic_close(&unused);
        error_memory(error, "utterances to be decoded once more");
        return NULL;
    }
    finals->acoustic = *acoustic;
    pthread_mutex_init(&finals->mutex, NULL);
    pthread_cond_init(&finals->changed, NULL);
    if (open_parts(finals, labels, samples_max, error)) {
        finals_close(finals);
        return NULL;
    }
    return finals;
}

void finals_close(struct finals *finals)
{
    if (!finals)
        return;
    finals_stop(finals);
    if (finals->started)
        pthread_join(finals->thread, NULL);
    for (int i = 0; i < FINALS_WAITING_MOST; i++) {
        free(finals->waiting[i].samples);
        free(finals->waiting[i].features);
    }
    words_close(&finals->words);
    final_close(&finals->final);
    acoustic_close(&finals->acoustic);
    pthread_cond_destroy(&finals->changed);
    pthread_mutex_destroy(&finals->mutex);
    free(finals);
}

size_t finals_event_bytes_max(const struct finals *finals)
{
    return words_event_bytes_max(&finals->words);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* On Linux a thread has a priority of its own. */
static void step_back(void)
{
#ifdef __linux__
    id_t self = (id_t)gettid();
    setpriority(PRIO_PROCESS, self, getpriority(PRIO_PROCESS, self) + STEP_BACK);
#endif
}

static struct waiting_final *next_waiting(struct finals *finals)
{
    struct waiting_final *next = NULL;
    pthread_mutex_lock(&finals->mutex);
    while (!finals->stopped && finals->done == finals->given)
        pthread_cond_wait(&finals->changed, &finals->mutex);
    if (!finals->stopped)
        next = &finals->waiting[finals->done % FINALS_WAITING_MOST];
    pthread_mutex_unlock(&finals->mutex);
    return next;
}

static bool is_stopped(struct finals *finals)
{
    pthread_mutex_lock(&finals->mutex);
    bool stopped = finals->stopped;
    pthread_mutex_unlock(&finals->mutex);
    return stopped;
}

static void mark_done(struct finals *finals)
{
    pthread_mutex_lock(&finals->mutex);
    finals->done++;
    pthread_cond_broadcast(&finals->changed);
    pthread_mutex_unlock(&finals->mutex);
}

static void *work(void *argument)
{
    struct finals *finals = argument;
    const struct waiting_final *next;
    step_back();
    while ((next = next_waiting(finals))) {
        final_decode(&finals->final, &next->job);
        if (is_stopped(finals)) /* rubbish */
            break;
        const struct utter_event event = final_event(&finals->final, &next->job, &finals->words);
        if (!queue_write(finals->queue, &event))
            finals_stop(finals);
        mark_done(finals);
    }
    return NULL;
}

/* The host's signals are not for it. */
enum utter_code finals_start(struct finals *finals, struct queue *queue, struct utter_error *error)
{
    sigset_t all, before;
    finals->queue = queue;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&finals->thread, NULL, work, finals);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code)
        return error_set(error, UTTER_ERROR_SYSTEM, "cannot start the thread of FINALs: %s",
                         strerror(code));
    finals->started = true;
    return UTTER_OK;
}

/* ---- the worker's side ----------------------------------------------------------------------- */

static void copy_source(struct finals *finals, struct waiting_final *to,
                        const struct final_job *job)
{
    const struct acoustic *acoustic = &finals->acoustic;
    int64_t before = job->before > 0 ? job->before : 0, count = job->end - job->start;
    assert(before + count <= finals->samples_max);
    memcpy(to->samples, job->source.samples - before,
           (size_t)(before + count) * sizeof *to->samples);
    if (acoustic->local)
        memcpy(to->features, job->source.features,
               (size_t)(acoustic_frames(acoustic, count) * acoustic->feature_columns) *
                   sizeof *to->features);
    to->job = *job;
    to->job.source = (struct chunk_source){to->samples + before, to->features};
}

/* Until no more than `most` are left to do. Leaves locked. */
static bool wait_for(struct finals *finals, int64_t most)
{
    pthread_mutex_lock(&finals->mutex);
    while (!finals->stopped && finals->given - finals->done > most)
        pthread_cond_wait(&finals->changed, &finals->mutex);
    return !finals->stopped;
}

bool finals_give(struct finals *finals, const struct final_job *job)
{
    bool going = wait_for(finals, FINALS_WAITING_MOST - 1);
    if (going) {
        copy_source(finals, &finals->waiting[finals->given % FINALS_WAITING_MOST], job);
        finals->given++;
        pthread_cond_broadcast(&finals->changed);
    }
    pthread_mutex_unlock(&finals->mutex);
    return going;
}

bool finals_settle(struct finals *finals)
{
    bool going = wait_for(finals, 0);
    pthread_mutex_unlock(&finals->mutex);
    return going;
}

void finals_stop(struct finals *finals)
{
    pthread_mutex_lock(&finals->mutex);
    finals->stopped = true;
    pthread_cond_broadcast(&finals->changed);
    pthread_mutex_unlock(&finals->mutex);
    if (finals->acoustic.cancel)
        finals->acoustic.cancel(finals->acoustic.self);
}

/* SPDX-License-Identifier: MIT */
/*
 * The capture process: records from one input into the shared ring until it is told to stop, is
 * killed, or its parent dies. Exits without a word; what went wrong stands in the mapping.
 */
#include "app/capture.h"
#include "app/capture_device.h"
#include "app/clock.h"
#include "app/command.h"
#include "app/pulse_watch.h"
#include "app/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* The audio callback's own. */
static uint64_t written; /* frames in the ring since the start */
static uint32_t dropped; /* frames since the last chunk for which the ring had no room */

/* Once the ring is full it stays so until a sixteenth of it is free, 8 s at 16 kHz: a long gap does
 * less harm to words than many short ones. */
enum { ROOM_SHARE = 16 };

/* Copies frames into the ring, behind the last ones, in at most two pieces. */
static void ring_copy(struct capture_shared *shared, const float *samples, size_t frames)
{
    size_t channels = (size_t)shared->channels;
    size_t at = written % capture_capacity(shared);
    size_t room = capture_capacity(shared) - at;
    size_t first = room < frames ? room : frames;
    memcpy(shared->samples + at * channels, samples, first * channels * sizeof(float));
    memcpy(shared->samples, samples + first * channels,
           (frames - first) * channels * sizeof(float));
}

/* Wait-free: neither a lock nor an allocation nor a system call (the clock is read in the vDSO). */
static int audio_callback(const void *input, void *output, unsigned long frames,
                          const PaStreamCallbackTimeInfo *time, PaStreamCallbackFlags flags,
                          void *user)
{
    (void)output, (void)time, (void)flags; /* flags are hints; the listener counts frames */
    struct capture_shared *shared = user;
    int64_t now = now_ns();
    atomic_store_explicit(&shared->heartbeat_ns, now, memory_order_relaxed);
    if (!input || atomic_load_explicit(&shared->paused, memory_order_relaxed))
        return paContinue;

    uint64_t chunk = atomic_load_explicit(&shared->chunks_written, memory_order_relaxed);
    uint64_t chunks_read = atomic_load_explicit(&shared->chunks_read, memory_order_acquire);
    uint64_t frames_read = atomic_load_explicit(&shared->frames_read, memory_order_acquire);
    bool full = dropped > 0;
    uint64_t chunks_kept = full ? CAPTURE_RING_CHUNKS / ROOM_SHARE : 0;
    uint64_t frames_kept = full ? capture_capacity(shared) / ROOM_SHARE : 0;
    if (chunk - chunks_read + 1 + chunks_kept > CAPTURE_RING_CHUNKS ||
        written - frames_read + frames + frames_kept > capture_capacity(shared)) {
        dropped += (uint32_t)frames;
        return paContinue;
    }
    ring_copy(shared, input, frames);
    shared->chunks[chunk % CAPTURE_RING_CHUNKS] =
        (struct capture_chunk){.arrival_ns = now, .frames = (uint32_t)frames, .dropped = dropped};
    dropped = 0;
    written += frames;
    atomic_store_explicit(&shared->chunks_written, chunk + 1, memory_order_release);
    return paContinue;
}

static void publish(struct capture_shared *shared, enum capture_state state)
{
    atomic_store_explicit(&shared->state, state, memory_order_release);
}

static int record(struct capture_shared *shared, const char *wanted, int rate)
{
    PaError error = Pa_Initialize();
    if (error != paNoError) {
        snprintf(shared->message, sizeof(shared->message), "the sound system does not start: %s",
                 Pa_GetErrorText(error));
        publish(shared, CAPTURE_FAILED);
        return EXIT_FAILURE;
    }
    PaDeviceIndex device = capture_device_find(shared, wanted);
    if (device == paNoDevice) {
        publish(shared, CAPTURE_NO_DEVICE);
        return EXIT_FAILURE;
    }
    PaStream *stream = capture_device_open(shared, device, rate, audio_callback);
    if (stream && (error = Pa_StartStream(stream)) != paNoError) {
        snprintf(shared->message, sizeof(shared->message),
                 "the input \"%.120s\" does not start: %s", shared->title, Pa_GetErrorText(error));
        stream = NULL;
    }
    publish(shared, stream ? CAPTURE_OPEN : CAPTURE_FAILED);
    if (!stream)
        return EXIT_FAILURE;
    pulse_watch_start(shared);
    while (!atomic_load_explicit(&shared->stop, memory_order_relaxed) &&
           Pa_IsStreamActive(stream) == 1)
        Pa_Sleep(20);
    Pa_AbortStream(stream);
    Pa_Terminate();
    return EXIT_SUCCESS;
}

/* A hang in PortAudio must not outlive the listener. PR_SET_PDEATHSIG looks after the thread that
   started us, which may be one that ends at once. */
static void *await_end_of_listener(void *user)
{
    const struct capture_shared *shared = user;
    const struct timespec nap = {.tv_nsec = 200000000};
    while (getppid() == shared->listener)
        nanosleep(&nap, NULL);
    _exit(EXIT_FAILURE);
}

int command_capture(int argc, char **argv)
{
    struct capture_shared *shared = MAP_FAILED;
    if (argc == 3)
        shared =
            mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, CAPTURE_DESCRIPTOR, 0);
    if (shared == MAP_FAILED) {
        fprintf(stderr, "utter: capture is a part of `utter listen`, not a command\n");
        return 2;
    }
    close(CAPTURE_DESCRIPTOR);
    pthread_t guard;
    if (thread_start(&guard, await_end_of_listener, shared) != 0)
        return EXIT_FAILURE;
    int status = record(shared, argv[1], atoi(argv[2]));
    _exit(status); /* PortAudio's and ALSA's exit handlers can hang as well */
}

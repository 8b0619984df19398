/* SPDX-License-Identifier: MIT */
/**
 * capture: what passes between the process that listens and the small process that records.
 *
 * Calls into PortAudio can hang for ever when a sound server dies, so they are made in a child
 * process of their own (command_capture.c), which may be killed at any moment. The two share one
 * mapping of `struct capture_shared`, in which the child's audio callback is the only writer of
 * samples and the parent's pump thread (microphone.c) the only reader: a single-producer
 * single-consumer ring in C11 atomics, without a lock or a system call.
 *
 * Units: a frame is one sample of every channel; times are CLOCK_MONOTONIC in nanoseconds.
 */
#ifndef APP_CAPTURE_H
#define APP_CAPTURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** The hidden command that the child runs: `utter capture DEVICE RATE`, the mapping on this fd. */
#define CAPTURE_COMMAND "capture"
#define CAPTURE_DESCRIPTOR 3

enum {
    CAPTURE_RING_SAMPLES = 1 << 21, /* two minutes of 16 kHz mono, 20 s of 48 kHz stereo */
    CAPTURE_RING_CHUNKS = 1 << 13,
    CAPTURE_HEARD = 4,
};

enum capture_state {
    CAPTURE_STARTING = 0,
    CAPTURE_OPEN = 1,      /* sample_rate, channels, device and title are set */
    CAPTURE_NO_DEVICE = 2, /* message says why; so for the other failure */
    CAPTURE_FAILED = 3,
    CAPTURE_MOVED = 4, /* was open; what was asked for is another source now, or none: start anew */
};

/** One callback's worth of audio. */
struct capture_chunk {
    int64_t arrival_ns;
    uint32_t frames;
    uint32_t dropped; /* frames just before this chunk for which the ring had no room */
};

struct capture_shared {
    pid_t listener;    /* the parent, set before the child starts */
    _Atomic int state; /* enum capture_state; the fields below are published by it */
    int sample_rate;
    int channels;
    char device[256]; /* by which it can be found again ... */
    char title[256];  /* ... and what people call it: neither is to be trusted */
    char message[256];

    /* What the sound server says where the sound comes from, the last at [heard_count - 1], modulo
       CAPTURE_HEARD, and not to be trusted either. A server may move a stream while it runs. */
    _Atomic uint32_t heard_count; /* child */
    char heard[CAPTURE_HEARD][256];

    _Atomic int64_t heartbeat_ns; /* of the last callback; 0 before the first */
    _Atomic bool paused;          /* parent: leave samples alone, keep the heart beating */
    _Atomic bool stop;            /* parent: close the device and exit */

    _Atomic uint64_t chunks_written; /* child */
    _Atomic uint64_t chunks_read;    /* parent */
    _Atomic uint64_t frames_read;    /* parent */
    struct capture_chunk chunks[CAPTURE_RING_CHUNKS];
    float samples[CAPTURE_RING_SAMPLES];
};

/** Frames that the ring of samples holds. Frame f begins at sample (f % capacity) * channels. */
static inline uint64_t capture_capacity(const struct capture_shared *shared)
{
    return CAPTURE_RING_SAMPLES / (uint64_t)shared->channels;
}

#endif

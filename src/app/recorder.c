/* SPDX-License-Identifier: MIT */
#include "app/recorder.h"

#include "app/fault.h"
#include "app/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <sndfile.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    RING_SECONDS = 30,
    RING_CHUNKS = 1 << 12, /* a chunk is 10 ms or more */
    SILENCE_SAMPLES = 4096,
    MOST_CHANNELS = 8, /* of FLAC */
};

static const float SILENCE[SILENCE_SAMPLES];
static const struct timespec NAP = {.tv_nsec = 100000000};

struct chunk {
    int64_t position;
    int64_t frames;
};

struct recorder {
    char *path;
    int descriptor;
    SNDFILE *file;
    int sample_rate;
    int channels;
    pthread_t thread;
    atomic_bool finished; /* no samples will come */
    atomic_bool left;     /* and nobody waits for a disk that refuses them */
    atomic_int failure;   /* errno of what the disk refuses just now; 0: nothing */
    atomic_bool broken;   /* the encoder has given up */
    _Atomic int64_t lost; /* frames for which there was no room */
    int64_t written;      /* frames in the file; the thread's, then the closer's */
    bool closed;          /* the same: the encoder has written its end */

    /* A single-producer single-consumer ring, as that of capture.h. */
    uint64_t capacity;     /* frames */
    uint64_t frames_given; /* the pump's */
    _Atomic uint64_t chunks_given;
    _Atomic uint64_t chunks_taken;
    _Atomic uint64_t frames_taken;
    struct chunk *chunks; /* [RING_CHUNKS] */
    float *samples;       /* [capacity, channels], in the same allocation */
};

/* ---- the file, as libsndfile sees it ---- */

static sf_count_t file_length(void *user)
{
    const struct recorder *recorder = user;
    off_t at = lseek(recorder->descriptor, 0, SEEK_CUR);
    off_t length = lseek(recorder->descriptor, 0, SEEK_END);
    lseek(recorder->descriptor, at, SEEK_SET);
    return length;
}

static sf_count_t file_seek(sf_count_t offset, int whence, void *user)
{
    return lseek(((const struct recorder *)user)->descriptor, offset, whence);
}

static sf_count_t file_tell(void *user)
{
    return lseek(((const struct recorder *)user)->descriptor, 0, SEEK_CUR);
}

static sf_count_t file_read(void *bytes, sf_count_t count, void *user)
{
    return read(((const struct recorder *)user)->descriptor, bytes, (size_t)count);
}

/* An encoder forgives no failure, so this goes on until the disk takes all, or nobody waits. */
static sf_count_t file_write(const void *bytes, sf_count_t count, void *user)
{
    struct recorder *recorder = user;
    sf_count_t done = 0;
    while (done < count) {
        ssize_t written =
            write(recorder->descriptor, (const char *)bytes + done, (size_t)(count - done));
        if (written > 0) {
            done += written;
            atomic_store(&recorder->failure, 0);
            continue;
        }
        atomic_store(&recorder->failure, errno);
        if (atomic_load(&recorder->left))
            break;
        nanosleep(&NAP, NULL);
    }
    return done;
}

/* ---- the pump's side ---- */

void recorder_push(struct recorder *recorder, const float *samples, int64_t count, int64_t position)
{
    uint64_t frames = (uint64_t)count;
    uint64_t channels = (uint64_t)recorder->channels;
    uint64_t chunk = atomic_load_explicit(&recorder->chunks_given, memory_order_relaxed);
    uint64_t taken = atomic_load_explicit(&recorder->chunks_taken, memory_order_acquire);
    uint64_t frames_taken = atomic_load_explicit(&recorder->frames_taken, memory_order_acquire);
    if (chunk - taken == RING_CHUNKS ||
        recorder->frames_given - frames_taken + frames > recorder->capacity) {
        atomic_fetch_add_explicit(&recorder->lost, count, memory_order_relaxed);
        return;
    }
    uint64_t at = recorder->frames_given % recorder->capacity;
    uint64_t first = recorder->capacity - at < frames ? recorder->capacity - at : frames;
    memcpy(recorder->samples + at * channels, samples, first * channels * sizeof(float));
    memcpy(recorder->samples, samples + first * channels,
           (frames - first) * channels * sizeof(float));
    recorder->frames_given += frames;
    recorder->chunks[chunk % RING_CHUNKS] = (struct chunk){position, count};
    atomic_store_explicit(&recorder->chunks_given, chunk + 1, memory_order_release);
}

/* ---- the thread ---- */

static void write_frames(struct recorder *recorder, const float *samples, int64_t frames)
{
    if (frames == 0 || atomic_load(&recorder->broken))
        return;
    sf_count_t done = sf_writef_float(recorder->file, samples, frames);
    recorder->written += done;
    if (done < frames)
        atomic_store(&recorder->broken, true);
}

static void write_silence(struct recorder *recorder, int64_t frames)
{
    int64_t most = SILENCE_SAMPLES / recorder->channels;
    for (; frames > 0 && !atomic_load(&recorder->broken); frames -= most)
        write_frames(recorder, SILENCE, frames < most ? frames : most);
}

static void write_chunk(struct recorder *recorder, const struct chunk *chunk)
{
    uint64_t begin = atomic_load_explicit(&recorder->frames_taken, memory_order_relaxed);
    uint64_t at = begin % recorder->capacity;
    int64_t room = (int64_t)(recorder->capacity - at);
    int64_t first = room < chunk->frames ? room : chunk->frames;
    write_silence(recorder, chunk->position - recorder->written);
    write_frames(recorder, recorder->samples + at * (uint64_t)recorder->channels, first);
    write_frames(recorder, recorder->samples, chunk->frames - first);
    atomic_store_explicit(&recorder->frames_taken, begin + (uint64_t)chunk->frames,
                          memory_order_release);
}

/* The file and the ring are let go of while the session goes on with another input. */
static void end(struct recorder *recorder)
{
    recorder->closed = sf_close(recorder->file) == 0;
    close(recorder->descriptor);
    if (recorder->written == 0)
        unlink(recorder->path);
    free(recorder->chunks);
    recorder->chunks = NULL;
    recorder->descriptor = -1;
}

static void *run(void *user)
{
    struct recorder *recorder = user;
    for (;;) {
        bool finished =
            atomic_load(&recorder->finished); /* before the last chunks are looked for */
        uint64_t chunk = atomic_load_explicit(&recorder->chunks_taken, memory_order_relaxed);
        while (chunk < atomic_load_explicit(&recorder->chunks_given, memory_order_acquire)) {
            write_chunk(recorder, &recorder->chunks[chunk % RING_CHUNKS]);
            atomic_store_explicit(&recorder->chunks_taken, ++chunk, memory_order_release);
        }
        if (finished)
            break;
        nanosleep(&NAP, NULL);
    }
    end(recorder);
    return NULL;
}

/* ---- the main thread's side ---- */

static void discard(struct recorder *recorder)
{
    if (recorder->descriptor >= 0)
        close(recorder->descriptor);
    free(recorder->chunks);
    free(recorder->path);
    free(recorder);
}

static bool open_file(struct recorder *recorder, struct utter_error *error)
{
    static SF_VIRTUAL_IO file = {file_length, file_seek, file_read, file_write, file_tell};
    SF_INFO info = {.samplerate = recorder->sample_rate,
                    .channels = recorder->channels,
                    .format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16};
    recorder->descriptor =
        open(recorder->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (recorder->descriptor < 0)
        return fault_set(error, UTTER_ERROR_FILE, "%s: %s", recorder->path, strerror(errno));
    recorder->file = sf_open_virtual(&file, SFM_WRITE, &info, recorder);
    if (recorder->file == NULL)
        return fault_set(error, UTTER_ERROR_UNSUPPORTED, "%s: %s", recorder->path,
                         sf_strerror(NULL));
    sf_command(recorder->file, SFC_SET_CLIPPING, NULL, SF_TRUE);
    return true;
}

struct recorder *recorder_open(const char *path, int sample_rate, int channels,
                               struct utter_error *error)
{
    if (channels > MOST_CHANNELS) {
        fault_set(error, UTTER_ERROR_UNSUPPORTED, "a recording has at most %d channels, not %d",
                  MOST_CHANNELS, channels);
        return NULL;
    }
    size_t capacity = (size_t)sample_rate * RING_SECONDS;
    struct recorder *recorder = calloc(1, sizeof *recorder);
    if (recorder == NULL) {
        fault_memory(error);
        return NULL;
    }
    recorder->descriptor = -1;
    recorder->sample_rate = sample_rate;
    recorder->channels = channels;
    recorder->capacity = capacity;
    recorder->path = strdup(path);
    recorder->chunks = calloc(1, RING_CHUNKS * sizeof *recorder->chunks +
                                     capacity * (size_t)channels * sizeof(float));
    if (recorder->path == NULL || recorder->chunks == NULL) {
        fault_memory(error);
        goto fail;
    }
    recorder->samples = (float *)(recorder->chunks + RING_CHUNKS);
    if (!open_file(recorder, error))
        goto fail;
    int failure = thread_start(&recorder->thread, run, recorder);
    if (failure == 0)
        return recorder;
    fault_set(error, UTTER_ERROR_SYSTEM, "a thread does not start: %s", strerror(failure));
    sf_close(recorder->file);
    unlink(path);
fail:
    discard(recorder);
    return NULL;
}

bool recorder_check(const struct recorder *recorder, struct utter_error *error)
{
    int failure = atomic_load(&recorder->failure);
    return failure == 0 ||
           fault_set(error, UTTER_ERROR_FILE, "the recording: cannot write: %s", strerror(failure));
}

void recorder_finish(struct recorder *recorder)
{
    atomic_store(&recorder->finished, true);
}

bool recorder_close(struct recorder *recorder, bool *kept, struct utter_error *error)
{
    atomic_store(&recorder->left, true);
    recorder_finish(recorder);
    pthread_join(recorder->thread, NULL);
    *kept = recorder->written > 0;
    bool ok = recorder_check(recorder, error);
    double lost = (double)atomic_load(&recorder->lost) / recorder->sample_rate;
    if (ok && (atomic_load(&recorder->broken) || (*kept && !recorder->closed)))
        ok = fault_set(error, UTTER_ERROR_FILE, "the recording: cannot be completed");
    else if (ok && lost > 0)
        ok = fault_set(error, UTTER_ERROR_FILE,
                       "the recording lacks %.1f s, for which the disk was too slow", lost);
    discard(recorder);
    return ok;
}

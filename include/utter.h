/* SPDX-License-Identifier: MIT */
/**
 * utter: speech to text while it is being said, offline.
 *
 * Two tiers share one model:
 *
 *   Tier 1, synchronous and deterministic: utter_transcribe() for a whole recording and
 *   utter_stream_*() for audio that arrives piece by piece. The same samples give the same events,
 *   byte for byte, however they are cut into calls and on any number of threads.
 *
 *   Tier 2, utter_live_*(): a stream with a ring buffer and a worker thread of its own.
 *   utter_live_push() may be called from an audio callback.
 *
 * Units. Audio is 32-bit float, full scale ±1, channels interleaved. A position counts samples per
 * channel at the stream's own rate from the start of the stream; every `start`, `end`, `position`
 * and `lost` below is such a count. Text is UTF-8 without control characters.
 *
 * Threads. An engine and a model are immutable and may be used from any number of threads. A stream
 * or a transcript belongs to one thread at a time. utter_live says which function may be called
 * from where.
 *
 * Options. A struct of options begins with its size, set by its _INIT macro; zero in any other
 * field means the default, and a NULL pointer means defaults throughout. Structs only ever grow at
 * their end.
 *
 * Errors. Every function that can fail takes an optional `struct utter_error *`, filled in only on
 * failure with a message that names the file or argument and the cause. The library never prints,
 * never exits and keeps no global state.
 */
#ifndef UTTER_H
#define UTTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(UTTER_STATIC)
#define UTTER_API
#elif defined(__GNUC__)
#define UTTER_API __attribute__((visibility("default")))
#else
#define UTTER_API
#endif

/** "major.minor.patch" of the library that runs, which may be newer than this header. */
UTTER_API const char *utter_version(void);

#ifdef __cplusplus
#define UTTER_SIZED(type)                                                                          \
    {                                                                                              \
        sizeof(type)                                                                               \
    }
#else
#define UTTER_SIZED(type)                                                                          \
    {                                                                                              \
        .size = sizeof(type)                                                                       \
    }
#endif

/* ---- errors ---------------------------------------------------------------------------------- */

enum utter_code {
    UTTER_OK = 0,
    UTTER_ERROR_ARGUMENT = -1,    /**< the caller's mistake: a NULL, a number out of range */
    UTTER_ERROR_MEMORY = -2,      /**< out of memory */
    UTTER_ERROR_FILE = -3,        /**< a file is missing or cannot be read */
    UTTER_ERROR_FORMAT = -4,      /**< a file was read and is not what it should be */
    UTTER_ERROR_UNSUPPORTED = -5, /**< a sound file of a kind that utter does not handle */
    UTTER_ERROR_SYSTEM = -6,      /**< the operating system refused (threads, descriptors) */
    UTTER_ERROR_CANCELLED = -7,   /**< the progress callback asked to stop */
};

struct utter_error {
    enum utter_code code;
    char message[500]; /**< one line of UTF-8, always terminated */
};

/* ---- engine: threads and the log ------------------------------------------------------------- */

enum utter_log_level {
    UTTER_LOG_ERROR = 1,
    UTTER_LOG_WARNING = 2,
    UTTER_LOG_INFO = 3,
    UTTER_LOG_DEBUG = 4,
};

/** May be called from any thread, one call at a time. `message` is one line without a newline. */
typedef void utter_log_function(void *user, enum utter_log_level level, const char *message);

struct utter_engine_options {
    size_t size;
    int threads; /**< threads that compute together; default: the physical cores this process may
                    use */
    utter_log_function *log; /**< default: silence */
    void *log_user;
};
#define UTTER_ENGINE_OPTIONS_INIT UTTER_SIZED(struct utter_engine_options)

/**
 * The pool of threads that models compute on. Work of several streams on one engine takes turns.
 */
struct utter_engine;

UTTER_API struct utter_engine *utter_engine_open(const struct utter_engine_options *options,
                                                 struct utter_error *error);
/** Models hold on to their engine: it is freed after the last of them. NULL is allowed. */
UTTER_API void utter_engine_close(struct utter_engine *engine);

/* ---- model ----------------------------------------------------------------------------------- */

/** In what a model's weights are held and its products of matrices are computed. */
enum utter_precision {
    UTTER_PRECISION_STORED = 0, /**< as its file has them: 8 bits where it has those, else floats */
    UTTER_PRECISION_FLOAT32 = 1,
    /**
     * 8-bit integers: weights with a scale for each output, activations with one for each row. A
     * quarter of the memory, about half the time or less; the words of few recordings change.
     */
    UTTER_PRECISION_INT8 = 2,
};

struct utter_model_options {
    size_t size;
    enum utter_precision precision; /**< default: UTTER_PRECISION_STORED */
};
#define UTTER_MODEL_OPTIONS_INIT UTTER_SIZED(struct utter_model_options)

struct utter_model;

/** How a stream runs the encoder, the model's dear part, over windows that overlap. */
enum utter_encoder {
    /** Every window is computed afresh: the left context costs as much as what is new. */
    UTTER_ENCODER_WINDOW = 1,
    /**
     * Settled frames are computed once, and their keys and values kept: several times cheaper. What
     * was settled was not seen by what comes after it; whether that costs words depends on the
     * model.
     */
    UTTER_ENCODER_CACHED = 2,
};

/** Left context, hop and right context in one word, in ms: how soon words come, at what price. */
enum utter_latency {
    UTTER_LATENCY_LOW = 1,    /**< 4000, 320, 480: soon, with more errors and more work */
    UTTER_LATENCY_NORMAL = 2, /**< 4000, 400, 800 */
    UTTER_LATENCY_HIGH = 3,   /**< 8000, 800, 1280: later, with fewer errors and less work */
};

/** What a model is. Strings belong to the model. */
struct utter_model_info {
    const char *directory;    /**< as given to utter_model_open() */
    const char *architecture; /**< config.json's model_type: "wav2vec2", "hubert" */
    int sample_rate;          /**< of the audio that the model was trained on, in Hz */
    int frame_samples;        /**< samples from one frame to the next: the product of conv_stride */
    int receptive_field;      /**< samples that one frame of features sees */
    int vocabulary_size;      /**< columns of the emissions */
    int blank;                /**< the CTC blank's column */
    int layer_count;          /**< of the transformer encoder */
    int64_t parameter_count;
    int64_t weight_bytes; /**< memory held by weights, mapped pages included */
    /** What streams run by default: as utter.json says that it was measured, or WINDOW. */
    enum utter_encoder encoder;
    float word_error_rate;          /**< of 100 words, as utter.json says; negative: not known */
    enum utter_precision precision; /**< UTTER_PRECISION_FLOAT32 or UTTER_PRECISION_INT8 */
    enum utter_latency latency;     /**< of streams by default: as utter.json says, or NORMAL */
};

/**
 * Opens a directory in Hugging Face layout (config.json, vocab.json, preprocessor_config.json,
 * model.safetensors) whose architecture is that of Wav2Vec2ForCTC or HubertForCTC. Weights may be
 * F32, F16, BF16, or I8 as utter-quantize writes them. A file utter.json
 * beside them may say what was measured: {"encoder": "cached", "latency": "low",
 * "word_error_rate": 8.5}.
 *
 * The files of weights are read to the end by the first decodes, or by a live stream while it waits
 * for audio. Until then they may be removed or replaced by others of their names, but not cut short
 * or written over.
 */
UTTER_API struct utter_model *utter_model_open(struct utter_engine *engine, const char *directory,
                                               const struct utter_model_options *options,
                                               struct utter_error *error);
/** Streams hold on to their model: it is freed after the last of them. NULL is allowed. */
UTTER_API void utter_model_close(struct utter_model *model);

UTTER_API const struct utter_model_info *utter_model_info(const struct utter_model *model);
/**
 * Column `id` of the emissions as vocab.json spells it, control characters and all; a column that
 * it leaves out is spelt as the unknown token. NULL when out of range.
 */
UTTER_API const char *utter_model_token(const struct utter_model *model, int id);

/* ---- words ----------------------------------------------------------------------------------- */

struct utter_word {
    const char *text;
    int64_t start;    /**< position of the first sample of its first label's frame */
    int64_t end;      /**< position after the last sample of its last label's frame */
    float confidence; /**< 0..1, geometric mean of the posterior over its non-blank frames */
};

/* ---- a whole recording ----------------------------------------------------------------------- */

/** Called between windows with positions; return false to cancel. */
typedef bool utter_progress_function(void *user, int64_t done, int64_t total);

struct utter_transcribe_options {
    size_t size;
    int sample_rate; /**< of `samples`, in Hz; default: the model's */
    int channels;    /**< default 1; more are averaged */
    /**
     * A recording longer than `window_ms` is decoded in windows of that length. Neighbours overlap,
     * and `stride_ms` at each inner edge of a window is context whose emissions are thrown away
     * (chunk_length_s and stride_length_s of Hugging Face's pipeline).
     */
    int window_ms;  /**< default 30000 */
    int stride_ms;  /**< default window_ms / 6 */
    bool emissions; /**< keep the log-probabilities in the transcript */
    utter_progress_function *progress;
    void *progress_user;
};
#define UTTER_TRANSCRIBE_OPTIONS_INIT UTTER_SIZED(struct utter_transcribe_options)

/** Owned by the caller, freed by utter_transcript_free() together with all it points to. */
struct utter_transcript {
    const char *text;               /**< as the reference tokenizer's batch_decode gives it */
    const struct utter_word *words; /**< in time's order */
    size_t word_count;
    const float *emissions; /**< [frame_count, vocabulary_size] log-probabilities, or NULL */
    size_t frame_count;
};

/** `count` is in samples per channel. Audio shorter than one receptive field gives empty text. */
UTTER_API struct utter_transcript *utter_transcribe(const struct utter_model *model,
                                                    const float *samples, int64_t count,
                                                    const struct utter_transcribe_options *options,
                                                    struct utter_error *error);
UTTER_API void utter_transcript_free(struct utter_transcript *transcript);

/* ---- events ---------------------------------------------------------------------------------- */

enum utter_event_type {
    UTTER_EVENT_DRAFT = 1,  /**< words after the committed ones; replaces the last draft */
    UTTER_EVENT_COMMIT = 2, /**< words that will not be taken back, in order, each once */
    UTTER_EVENT_FINAL = 3,  /**< the utterance decoded once more as a whole: what to keep */
    UTTER_EVENT_GAP = 4,    /**< samples start..end never arrived; the utterance before it ended */
    UTTER_EVENT_STATE = 5,  /**< see enum utter_state */
};

enum utter_state {
    UTTER_STATE_SILENCE = 1, /**< nobody speaks; the worker rests */
    UTTER_STATE_SPEECH = 2,  /**< an utterance has begun */
    /** Decoding is slower than the audio; nothing is lost yet. Said again at each `rung`. */
    UTTER_STATE_BEHIND = 3,
    UTTER_STATE_CAUGHT_UP = 4, /**< the end of UTTER_STATE_BEHIND */
    UTTER_STATE_FAILED = 5,    /**< the stream cannot go on; `text` says why */
};

/**
 * Belongs to the stream. Of a utter_stream it is valid until the next call on that stream, of a
 * utter_live until the next utter_live_next().
 *
 * An utterance begins with UTTER_STATE_SPEECH, unless it goes on where another ended without a
 * silence, and has one FINAL, whose text is empty when what opened the gate was no speech. A draft
 * follows the words committed before it; an empty one takes the last away.
 *
 * When a FINAL is empty and the next utterance begins within three seconds, that one's FINAL is of
 * both, if together they are no longer than an utterance may be: its span begins where the first
 * one's did. So a word alone between two pauses, which the model missed, may be heard after all.
 *
 * Order: the COMMITs of an utterance come before its FINAL, FINALs come in the utterances' order,
 * and a GAP comes after the FINAL of what was said before it. In a live stream FINALs are computed
 * beside what comes next: SILENCE, and words of later utterances, may come before a FINAL. A draft
 * that nobody has read yet is replaced by its utterance's next; nothing else is ever dropped.
 */
struct utter_event {
    enum utter_event_type type;
    uint64_t utterance; /**< counts from 1; 0 for a GAP or STATE outside any utterance */
    int64_t start; /**< what the event speaks of: the words', the gap's, the utterance's span */
    int64_t end;
    const char *text; /**< the words joined; of a FINAL, exactly utter_transcribe()'s text */
    const struct utter_word *words;
    size_t word_count;
    size_t firm_count; /**< DRAFT: so many of the first words were in two decodes running */
    int64_t lost;      /**< GAP: end - start */
    enum utter_state state;
    /**
     * STATE_BEHIND: what is done without to catch up. 1: every second draft; 2: three of four, and
     * words are committed later; 3: half of the left context, too. 0 otherwise.
     */
    int rung;
};

/* ---- tier 1: a stream ------------------------------------------------------------------------ */

struct utter_stream_options {
    size_t size;
    int sample_rate; /**< of the samples fed, in Hz; default: the model's */
    int channels;    /**< default 1; more are averaged */
    /**
     * A decode sees left context | newly settled frames | right context. A frame is settled by the
     * first decode that gives it this much right context. Rounded up to whole frames.
     */
    int left_context_ms; /**< default: as `latency` says */
    /**
     * From one decode to the next; default: as `latency` says. Until an utterance's first word is
     * in a draft, 1.5 s at most, drafts come twice as often if this is 320 or more.
     */
    int hop_ms;
    int right_context_ms; /**< default: as `latency` says */
    /**
     * The utterance ends after so much silence, in the middle of it: what comes after may belong to
     * the next one's first word; default 800. So it does after as much sound that is 30 dB fainter
     * than its speech and in which no word was heard: in the middle of that, and the next begins
     * there.
     */
    int endpoint_silence_ms;
    /**
     * An utterance as long as this is ended at the quietest place after its last committed word,
     * and the next begins there; default 20000. From two thirds of it on a shorter silence is
     * enough.
     */
    int utterance_limit_ms;
    /** Decode silence too: silence alone then ends no utterance. */
    bool gate_off;
    bool drafts_off;
    enum utter_encoder encoder; /**< default: utter_model_info's */
    enum utter_latency latency; /**< default: utter_model_info's */
    /**
     * An utterance in which no word was heard for so long, though the gate is open, is ended at the
     * quietest place since, and the next begins there; default 4000. Noise then keeps nobody
     * waiting for a FINAL.
     */
    int endpoint_wordless_ms;
};
#define UTTER_STREAM_OPTIONS_INIT UTTER_SIZED(struct utter_stream_options)

struct utter_stream;

UTTER_API struct utter_stream *utter_stream_open(struct utter_model *model,
                                                 const struct utter_stream_options *options,
                                                 struct utter_error *error);
/**
 * Feeds `count` samples per channel, the first of which is at `position`. A position beyond the end
 * of the last feed is a gap of that many samples, with `count` 0 too; one before it is an error.
 *
 * Returns how many samples were taken, fewer than `count` when events are ready: read them with
 * utter_stream_next(), then feed the rest. Returns an enum utter_code on failure, and then nothing
 * has changed.
 */
UTTER_API int64_t utter_stream_feed(struct utter_stream *stream, const float *samples,
                                    int64_t count, int64_t position, struct utter_error *error);
/**
 * The next event, or NULL when what was fed so far gives none. May decode: an utterance's COMMIT is
 * returned before its FINAL is computed.
 */
UTTER_API const struct utter_event *utter_stream_next(struct utter_stream *stream);
/**
 * Ends the utterance here: everything fed so far becomes COMMIT and FINAL, to be read by
 * utter_stream_next(). The stream goes on.
 */
UTTER_API enum utter_code utter_stream_flush(struct utter_stream *stream,
                                             struct utter_error *error);
/** Forgets everything, unread events included; positions begin at 0 again. */
UTTER_API void utter_stream_reset(struct utter_stream *stream);
UTTER_API void utter_stream_close(struct utter_stream *stream);

/* ---- tier 2: a live stream ------------------------------------------------------------------- */

struct utter_live_options {
    size_t size;
    int ring_ms; /**< audio that waits for the worker at most; default 120000 */
};
#define UTTER_LIVE_OPTIONS_INIT UTTER_SIZED(struct utter_live_options)

/** For a status line. Counts are positions of the stream; levels are of the last 100 ms or so. */
struct utter_live_status {
    size_t size;
    int64_t pushed;   /**< end of the audio that was pushed */
    int64_t decoded;  /**< end of the audio that the worker has dealt with */
    int64_t lost;     /**< samples of all gaps so far */
    float level_dbfs; /**< root mean square; -120 when silent */
    float peak_dbfs;  /**< largest sample */
    float load;       /**< seconds of computing per second of audio, lately, FINALs left out */
    float latency_ms; /**< age of the newest audio in the last DRAFT or COMMIT when it came out */
    bool speech;      /**< the voice gate is open */
    bool behind;      /**< between UTTER_STATE_BEHIND and UTTER_STATE_CAUGHT_UP */
    int rung;         /**< of the last UTTER_STATE_BEHIND; 0: not behind */
};
#define UTTER_LIVE_STATUS_INIT UTTER_SIZED(struct utter_live_status)

enum utter_wait {
    UTTER_WAIT_EVENT = 1,   /**< utter_live_next() has one, unless a draft is just being replaced */
    UTTER_WAIT_TIMEOUT = 0, /**< nothing came in time */
    UTTER_WAIT_DONE = -1,   /**< after utter_live_finish() or a failure: no event will come */
};

struct utter_live;

UTTER_API struct utter_live *utter_live_open(struct utter_model *model,
                                             const struct utter_stream_options *stream_options,
                                             const struct utter_live_options *live_options,
                                             struct utter_error *error);
/**
 * Producer's side, one thread at a time. Wait-free: no lock, no allocation, no system call. Returns
 * how many of `count` samples per channel fitted into the ring; what did not fit is lost, and the
 * jump in position of the next push makes it a GAP. Nothing is taken at a position before the end
 * of what fitted last.
 */
UTTER_API int64_t utter_live_push(struct utter_live *live, const float *samples, int64_t count,
                                  int64_t position);
/** Producer's side: the utterance ends at what was pushed last. Wait-free. */
UTTER_API void utter_live_flush(struct utter_live *live);
/**
 * Producer's side: no audio will follow. The worker flushes what it has and stops. Wait-free.
 * `end` is the position where the audio ended: beyond the last push it makes a last GAP.
 */
UTTER_API void utter_live_finish(struct utter_live *live, int64_t end);

/**
 * Consumer's side, one thread at a time: the next event, or NULL. Never waits for a decode.
 *
 * Events wait in a queue of about a megabyte. When it is full the worker waits until it is read,
 * and audio waits in the ring.
 */
UTTER_API const struct utter_event *utter_live_next(struct utter_live *live);
/** Consumer's side: waits until there is an event. A negative timeout waits for ever. */
UTTER_API enum utter_wait utter_live_wait(struct utter_live *live, int timeout_ms);
/**
 * Consumer's side: a descriptor that polls readable while there are events or all is done; now and
 * then also when there is none, until utter_live_next() has said so.
 */
UTTER_API int utter_live_descriptor(const struct utter_live *live);

/** Any thread. */
UTTER_API void utter_live_status(const struct utter_live *live, struct utter_live_status *status);
/**
 * Stops the worker within one decode of a window, even when audio is left, and abandons a FINAL in
 * the making: words that were COMMITted are all there will be of its utterance. To have everything
 * decoded first, call utter_live_finish() and read events until UTTER_WAIT_DONE. No other call may
 * be running.
 */
UTTER_API void utter_live_close(struct utter_live *live);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/**
 * wav2vec 2.0 with a CTC head (Baevski et al. 2020, arXiv:2006.11477), as Hugging Face's
 * Wav2Vec2ForCTC and HubertForCTC compute it: samples → features → encoder → log-probabilities.
 *
 * A `w2v2` holds the packed weights: any thread. A `w2v2_workspace` holds every
 * buffer that a pass needs and belongs to one thread at a time; passes allocate nothing.
 *
 * Results do not depend on the pool's number of threads, bit for bit.
 */
#ifndef W2V2_W2V2_H
#define W2V2_W2V2_H

#include "base/pool.h"
#include "model/checkpoint.h"
#include "nn/kernels.h"

struct w2v2;
struct w2v2_workspace;

/** In what the products of a pass are computed; all else is in 32-bit floats. */
enum w2v2_precision {
    W2V2_PRECISION_STORED,  /* as the checkpoint has it: bytes where it has bytes, else floats */
    W2V2_PRECISION_FLOAT32, /* whatever the checkpoint has */
    W2V2_PRECISION_INT8,
};

/**
 * Packs the weights, but for the layers' where they are floats: those are packed while the second
 * pass and the next few run, or by w2v2_prepare(), and until then the checkpoint's files stay open.
 * The caller may close the checkpoint at once. `pool` is the one that passes will
 * run on, or has as many threads.
 */
struct w2v2 *w2v2_open(struct checkpoint *checkpoint, struct pool *pool,
                       enum w2v2_precision precision, struct utter_error *error);

/** The same with kernels of the caller's choice, for tests and benchmarks. */
struct w2v2 *w2v2_open_kernels(struct checkpoint *checkpoint, struct pool *pool,
                               enum w2v2_precision precision, const struct kernels *kernels,
                               struct utter_error *error);
void w2v2_close(struct w2v2 *w2v2);

/**
 * A piece, of milliseconds, of what later passes would else have to do; false when nothing is left.
 */
bool w2v2_prepare(const struct w2v2 *w2v2, struct pool *pool);

const struct model_config *w2v2_config(const struct w2v2 *w2v2);
/** W2V2_PRECISION_FLOAT32 or W2V2_PRECISION_INT8: that of the encoder's products. */
enum w2v2_precision w2v2_precision(const struct w2v2 *w2v2);
int64_t w2v2_weight_bytes(const struct w2v2 *w2v2);

/** Room for windows of up to `samples_max` samples. */
struct w2v2_workspace *w2v2_workspace_open(const struct w2v2 *w2v2, int64_t samples_max,
                                           struct utter_error *error);
/** Room for features of up to `samples_max` samples and for encoding up to `frames_max` frames. */
struct w2v2_workspace *w2v2_workspace_open_parts(const struct w2v2 *w2v2, int64_t samples_max,
                                                 int64_t frames_max, struct utter_error *error);
void w2v2_workspace_close(struct w2v2_workspace *workspace);

/** Where a pass can be watched, for the golden tests; all frames wanted. `layer` counts from 0. */
enum w2v2_stage {
    W2V2_STAGE_EXTRACTOR,  /* [frames, conv_dim[last]] */
    W2V2_STAGE_PROJECTION, /* [frames, hidden] */
    W2V2_STAGE_POSITIONAL, /* [frames, hidden] the positional convolution's output alone */
    W2V2_STAGE_LAYER,      /* [frames, hidden] as each encoder layer returns it */
    W2V2_STAGE_LOGITS,     /* [frames, vocab] */
};

/** What a pass spends its time on, for benchmarks. */
enum w2v2_work {
    W2V2_WORK_EXTRACTOR,  /* with do_normalize */
    W2V2_WORK_PROJECTION, /* with its norm */
    W2V2_WORK_POSITIONAL,
    W2V2_WORK_QKV,
    W2V2_WORK_ATTENTION,
    W2V2_WORK_OUT,
    W2V2_WORK_UP, /* intermediate_dense */
    W2V2_WORK_DOWN,
    W2V2_WORK_NORM,
    W2V2_WORK_HEAD, /* with the log-softmax */
    W2V2_WORKS
};

/** Functions are called on the thread that runs the pass; either may be NULL. */
struct w2v2_watcher {
    void (*see)(void *user, enum w2v2_stage stage, int layer, const float *values, int64_t rows,
                int64_t columns);
    void (*done)(void *user, enum w2v2_work work); /* a step of it has just ended */
    void *user;
};

/**
 * Of which frames the log-probabilities are wanted; the others are there to be attended to, and
 * what the last layer would compute of them alone is left out. NULL: of all.
 */
struct w2v2_wanted {
    int64_t first;
    int64_t count;
};

/**
 * One whole pass. `samples` is at the model's rate and not yet normalised: do_normalize is applied
 * here, over these samples, of which there are no more than the workspace has room for. Writes a
 * row of log-probabilities for each wanted frame of config_frames(count): none for less than a
 * receptive field. `watcher` may be NULL.
 */
void w2v2_log_probs(const struct w2v2 *w2v2, struct pool *pool, struct w2v2_workspace *workspace,
                    const float *samples, int64_t count, const struct w2v2_wanted *wanted,
                    float *log_probs /* [wanted, vocab] */, const struct w2v2_watcher *watcher);

/**
 * The two halves of a pass, for streams that keep features. w2v2_log_probs() gives the same bits.
 * With feat_extract_norm "layer" and no do_normalize a frame of features depends on its own
 * receptive field alone: whichever window computed it, the bits are the same.
 */
void w2v2_features(const struct w2v2 *w2v2, struct pool *pool, struct w2v2_workspace *workspace,
                   const float *samples, int64_t count,
                   float *features /* [frames, conv_dim[last]] */);
void w2v2_encode(const struct w2v2 *w2v2, struct pool *pool, struct w2v2_workspace *workspace,
                 const float *features, int64_t frames, const struct w2v2_wanted *wanted,
                 float *log_probs /* [wanted, vocab] */, const struct w2v2_watcher *watcher);

#endif

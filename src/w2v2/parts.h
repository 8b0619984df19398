/* SPDX-License-Identifier: MIT */
/**
 * What the files of this folder share: the packed model and the workspace. Private to w2v2/.
 *
 * Activations are channels-last, [frames, channels], with w2v2_row() floats from a row to the next.
 */
#ifndef W2V2_PARTS_H
#define W2V2_PARTS_H

#include "nn/attention.h"
#include "nn/gemm.h"
#include "nn/int8.h"
#include "nn/moments.h"
#include "w2v2/deferred.h"
#include "w2v2/w2v2.h"

/* Added to the samples' variance: see preprocessor_config.json's do_normalize. */
#define W2V2_VARIANCE_FLOOR 1e-7

/** A matrix in floats or in bytes. */
struct w2v2_product {
    struct gemm_shape shape;
    bool is_int8;
    struct gemm_weights floats; /* one of the two */
    struct int8_weights int8;
    struct w2v2_deferred *deferred; /* NULL: packed. Else of floats, which may not yet be */
};

struct w2v2_conv {
    struct w2v2_product product;
    struct norm norm; /* gain NULL: none here; group norm in layer 0, or layer norm */
};

struct w2v2_layer {
    struct w2v2_product qkv; /* query, key, value side by side; query scaled for attention */
    struct w2v2_product out;
    struct w2v2_product up;
    struct w2v2_product down;
    struct norm attention_norm;
    struct norm final_norm;
};

struct w2v2 {
    struct model_config config;
    const struct kernels *kernels;
    int threads;
    struct w2v2_conv conv[CONFIG_CONV_LAYERS_MAX];
    const float *first_weights; /* [conv_dim[0], conv_kernel[0]] as they were, for group norm */
    struct norm projection_norm;
    struct w2v2_product projection;
    struct w2v2_product position;
    struct norm encoder_norm;
    struct w2v2_product head;
    struct w2v2_layer *layers; /* [num_hidden_layers] */
    float *memory;             /* every weight above, in one piece */
    int64_t memory_floats;
    struct w2v2_deferral *deferral; /* of the layers' products */
};

struct w2v2_workspace {
    int64_t samples_max;
    int64_t frames_max;
    float *samples;     /* [samples_max] normalised */
    float *front;       /* [threads][w2v2_front_floats()] of layer 0's output, a block at a time */
    float *conv[2];     /* outputs of the convolutions, by turns */
    float *first_scale; /* [conv_dim[0]] group norm, folded into the first convolution */
    float *first_bias;  /* [conv_dim[0]] */
    float *first_panels;
    struct conv_moments moments;
    float *features;  /* [frames_max, conv_dim[last]] as the extractor gives them */
    float *normed;    /* [frames_max, conv_dim[last]] */
    float *padded;    /* [kernel / 2 + frames_max + kernel / 2, hidden] projections, zeros around */
    float *hidden[2]; /* [frames_max, hidden] the residual stream, by turns */
    float *layer_in;  /* [frames_max, hidden] */
    float *qkv;       /* [frames_max, 3 × hidden] */
    float *context;   /* [frames_max, hidden] */
    float *inner;     /* [frames_max, intermediate] */
    float *logits;    /* [frames_max, vocab] */
    float *attention; /* scratch */
    float *bytes;     /* [threads][INT8_THREAD_FLOATS] scratch of products in bytes */
    float *watched;   /* [frames_max, the widest stage] without padding */
    void *memory;     /* every buffer above, in one piece */
};

/** Hands out pieces of one allocation; with no memory it only counts. */
struct arena {
    float *memory; /* aligned to 64 bytes, or NULL */
    int64_t used;  /* floats */
};

float *arena_take(struct arena *arena, int64_t floats);

/** Memory for an arena, to be freed by free(); NULL when there is none. */
float *arena_allocate(int64_t floats);

/** Rows are padded so that equal columns of many rows do not fall into one set of the cache. */
int64_t w2v2_row(int64_t columns);

/**
 * Lays out all weights in the arena and, when it has memory, fills them in, but for those that are
 * deferred; what is packed leaves the checkpoint's memory piece by piece.
 */
void w2v2_pack(struct w2v2 *w2v2, const struct checkpoint *checkpoint,
               enum w2v2_precision precision, struct arena *arena, struct pool *pool,
               float *scratch);

/** Floats of scratch that w2v2_pack() and the deferral need for each thread. */
int64_t w2v2_pack_scratch(const struct kernels *kernels, const struct model_config *config);

/** What a model takes from more than a frame's receptive field. */
struct extractor_statistics {
    double mean;                        /* of the samples, when do_normalize */
    double scale;                       /* one over their standard deviation */
    const struct conv_moments *moments; /* of normalised samples, when the norm is over time */
};

/** gemm_run(), at once or deferred, or int8_run(). `bytes` is the workspace's, or of one thread
 * when there is no pool. */
void w2v2_multiply(const struct w2v2_product *product, struct pool *pool,
                   const struct gemm_input *input, const struct gemm_output *output, float *bytes);

/** The activation of what only `next` reads: less exact where that rounds it to bytes. */
enum activation w2v2_activation(enum activation activation, const struct w2v2_product *next);

/** With the window's own statistics. `out` has `stride` floats a row. */
void w2v2_extract(const struct w2v2 *w2v2, struct pool *pool, struct w2v2_workspace *workspace,
                  const float *samples, int64_t count, float *out, int64_t stride);

void w2v2_extract_with(const struct w2v2 *w2v2, struct pool *pool, struct w2v2_workspace *workspace,
                       const struct extractor_statistics *statistics, const float *samples,
                       int64_t count, float *out, int64_t stride);

/** Floats that a thread needs for a block of layer 0's output. */
int64_t w2v2_front_floats(const struct model_config *config);

/** Layer norm of rows. Without a pool the calling thread does it. */
struct row_norm {
    const struct kernels *kernels;
    const struct norm *norm;
    const float *in;
    int64_t in_stride;
    float *out; /* may be in */
    int64_t out_stride;
    int64_t rows;
    int64_t columns;
};
void w2v2_norm(struct pool *pool, const struct row_norm *job);

/**
 * Lays out the buffers from `normed` to `attention` for passes over `frames` frames, which see up
 * to `past` frames before them.
 */
void w2v2_lay_out_encoder(struct w2v2_workspace *workspace, const struct w2v2 *w2v2, int64_t frames,
                          int64_t past, struct arena *arena);

/** Lays out `bytes`, which the extractor and the encoder need. */
void w2v2_lay_out_bytes(struct w2v2_workspace *workspace, const struct w2v2 *w2v2,
                        struct arena *arena);

/** What a pass over a part of an utterance sees of the frames before it. */
struct w2v2_past {
    int64_t frames;
    float *keys;   /* of the first layer: [frames + those of the pass, keys | values of hidden
                      floats each]; the pass fills in its own */
    int64_t row;   /* floats from one of these rows to the next */
    int64_t layer; /* floats from one layer's to the next one's */
};

/**
 * `features` has `stride` floats a row. `past` is NULL for a whole utterance; with one, the
 * workspace's `padded` begins with what the positional convolution sees before the pass.
 */
void w2v2_encode_rows(const struct w2v2 *w2v2, struct pool *pool, struct w2v2_workspace *workspace,
                      const float *features, int64_t stride, int64_t frames,
                      const struct w2v2_past *past, const struct w2v2_wanted *wanted,
                      float *log_probs, const struct w2v2_watcher *watcher);

/** Shows rows of `stride` floats to a watcher, who may be NULL, without their padding. */
void w2v2_show(const struct w2v2_watcher *watcher, struct w2v2_workspace *workspace,
               enum w2v2_stage stage, int layer, const float *values, int64_t stride, int64_t rows,
               int64_t columns);

/** Tells a watcher, who may be NULL, that a step has ended. */
void w2v2_tell(const struct w2v2_watcher *watcher, enum w2v2_work work);

#endif

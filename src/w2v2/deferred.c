/* SPDX-License-Identifier: MIT */
#include "w2v2/deferred.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Beside so many rows, packing takes less than a tenth of the product's time, and few blocks of
 * rows share a panel that is not kept. */
enum { ROWS_MAX = 256 };

struct w2v2_deferred {
    struct w2v2_deferral *all;
    struct gemm_weights weights;
    float *memory; /* where its panels will be */
    struct w2v2_source source;
    int uses;           /* still to come before it is packed */
    atomic_bool packed; /* then nothing here changes any more, nor what is in the memory */
};

struct w2v2_deferral {
    pthread_mutex_t mutex; /* guards what follows; and the products but for what is atomic */
    struct checkpoint *checkpoint;
    float *scratch;
    int count;
    int left; /* to be packed */
    struct w2v2_deferred products[];
};

struct w2v2_deferral *w2v2_deferral_open(struct checkpoint *checkpoint, int products,
                                         float *scratch)
{
    struct w2v2_deferral *deferral =
        calloc(1, sizeof *deferral + (size_t)products * sizeof *deferral->products);
    if (!deferral) {
        free(scratch);
        return NULL;
    }
    pthread_mutex_init(&deferral->mutex, NULL);
    deferral->checkpoint = checkpoint_hold(checkpoint);
    deferral->scratch = scratch;
    return deferral;
}

/* What is only needed while something is left. */
static void let_go(struct w2v2_deferral *deferral)
{
    checkpoint_close(deferral->checkpoint);
    free(deferral->scratch);
    deferral->checkpoint = NULL;
    deferral->scratch = NULL;
}

void w2v2_deferral_close(struct w2v2_deferral *deferral)
{
    if (!deferral)
        return;
    let_go(deferral);
    pthread_mutex_destroy(&deferral->mutex);
    free(deferral);
}

struct w2v2_deferred *w2v2_deferral_add(struct w2v2_deferral *deferral,
                                        const struct gemm_weights *weights, float *memory,
                                        const struct w2v2_source *source, int uses)
{
    struct w2v2_deferred *deferred = &deferral->products[deferral->count++];
    *deferred = (struct w2v2_deferred){deferral, *weights, memory, *source, uses, false};
    deferral->left++;
    return deferred;
}

void w2v2_deferral_seal(struct w2v2_deferral *deferral)
{
    if (!deferral->left)
        let_go(deferral);
}

/* With the mutex held. A pool that is cancelled meanwhile leaves panels out. */
static void pack(struct w2v2_deferred *deferred, struct pool *pool)
{
    struct w2v2_deferral *deferral = deferred->all;
    const struct gemm_weights *weights = &deferred->weights;
    gemm_pack(weights->kernels, &weights->shape, w2v2_source_floats, &deferred->source,
              weights->bias, deferred->memory, deferral->scratch, pool);
    if (pool_is_cancelled(pool))
        return;
    atomic_store_explicit(&deferred->packed, true, memory_order_release);
    checkpoint_release_pages(deferral->checkpoint);
    if (--deferral->left == 0)
        let_go(deferral);
}

static bool is_packed(const struct w2v2_deferred *deferred)
{
    return atomic_load_explicit(&deferred->packed, memory_order_acquire);
}

bool w2v2_deferral_pack(struct w2v2_deferral *deferral, struct pool *pool)
{
    struct w2v2_deferred *next = deferral->products, *end = next + deferral->count;
    pthread_mutex_lock(&deferral->mutex);
    while (next < end && is_packed(next))
        next++;
    if (next < end)
        pack(next, pool);
    bool more = deferral->left > 0;
    pthread_mutex_unlock(&deferral->mutex);
    return more;
}

/* True when it was; else the product is packed now. */
static bool run_unpacked(struct w2v2_deferred *deferred, struct pool *pool,
                         const struct gemm_input *input, const struct gemm_output *output)
{
    struct w2v2_deferral *deferral = deferred->all;
    bool done = false;
    pthread_mutex_lock(&deferral->mutex);
    if (!is_packed(deferred) && deferred->uses > 0 && input->rows <= ROWS_MAX) {
        deferred->uses--;
        gemm_run_unpacked(&deferred->weights, w2v2_source_floats, &deferred->source,
                          deferral->scratch, pool, input, output);
        checkpoint_release_pages(deferral->checkpoint);
        done = true;
    } else if (!is_packed(deferred)) {
        pack(deferred, pool);
    }
    pthread_mutex_unlock(&deferral->mutex);
    return done;
}

void w2v2_deferred_run(struct w2v2_deferred *deferred, struct pool *pool,
                       const struct gemm_input *input, const struct gemm_output *output)
{
    if (is_packed(deferred) || !run_unpacked(deferred, pool, input, output))
        gemm_run(&deferred->weights, pool, input, output);
}

/* SPDX-License-Identifier: MIT */
/**
 * Products whose weights are packed after the model was opened, so that the first result comes
 * sooner: most of what packing costs is memory that the system must clear. Until then the weights
 * are read where the checkpoint has them, panel by panel and at every use; results are the same
 * bits. A product is packed when it has been used a given number of times, when it is used for many
 * rows at once, or when somebody has the time.
 *
 * Any thread: who uses a product that is not packed waits for others who do.
 */
#ifndef W2V2_DEFERRED_H
#define W2V2_DEFERRED_H

#include "model/checkpoint.h"
#include "nn/gemm.h"
#include "w2v2/source.h"

struct w2v2_deferral; /* of a model */
struct w2v2_deferred; /* a product of it */

/**
 * Room for `products` products. Takes over `scratch`, also on failure, which is NULL; it must do
 * for gemm_pack() and gemm_run_unpacked(). Holds the checkpoint until all is packed.
 */
struct w2v2_deferral *w2v2_deferral_open(struct checkpoint *checkpoint, int products,
                                         float *scratch);
void w2v2_deferral_close(struct w2v2_deferral *deferral);

/** A product that is not packed for `uses` uses; it will be in `memory`, as gemm_pack() says. */
struct w2v2_deferred *w2v2_deferral_add(struct w2v2_deferral *deferral,
                                        const struct gemm_weights *weights, float *memory,
                                        const struct w2v2_source *source, int uses);

/** No more are added. */
void w2v2_deferral_seal(struct w2v2_deferral *deferral);

/** Packs one product; false when none is left. */
bool w2v2_deferral_pack(struct w2v2_deferral *deferral, struct pool *pool);

/** gemm_run() */
void w2v2_deferred_run(struct w2v2_deferred *deferred, struct pool *pool,
                       const struct gemm_input *input, const struct gemm_output *output);

#endif

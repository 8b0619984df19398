/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "stream/model.h"
#include "stream/options.h"

#include <stdlib.h>

enum { THREADS_MOST = 1024 };

const char *utter_version(void)
{
    return UTTER_VERSION;
}

struct utter_engine *utter_engine_open(const struct utter_engine_options *given,
                                       struct utter_error *error)
{
    struct utter_engine_options options = {0};
    const struct option_range ranges[] = {
        {"threads", &options.threads, pool_default_threads(), 1, THREADS_MOST},
    };
    if (options_read(&options, sizeof options, given, "utter_engine_options", error) ||
        options_check(ranges, 1, error))
        return NULL;
    struct utter_engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        error_memory(error, "the engine");
        return NULL;
    }
    atomic_init(&engine->users, 1);
    log_init(&engine->log, options.log, options.log_user);
    engine->pool = pool_open(options.threads, error);
    if (!engine->pool) {
        utter_engine_close(engine);
        return NULL;
    }
    log_write(&engine->log, UTTER_LOG_DEBUG, "engine: %d threads", pool_threads(engine->pool));
    return engine;
}

struct utter_engine *engine_hold(struct utter_engine *engine)
{
    atomic_fetch_add(&engine->users, 1);
    return engine;
}

void utter_engine_close(struct utter_engine *engine)
{
    if (!engine || atomic_fetch_sub(&engine->users, 1) > 1)
        return;
    pool_close(engine->pool);
    log_destroy(&engine->log);
    free(engine);
}

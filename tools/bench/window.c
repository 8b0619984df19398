/* SPDX-License-Identifier: MIT */
#include "window.h"

#include "base/error.h"
#include "peak.h"
#include "process.h"
#include "reference.h"
#include "sound.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The golden tests' tolerance: of the greatest expected value, or of 1. */
static const double TOLERANCE = 1e-4;
/* Bytes differ by what rounding to them costs: root mean square, of that of the expected values. */
static const double INT8_TOLERANCE = 0.05;
/* Of a large model, the plain reference takes 5 s for each. */
static const double CHECKED_MOST = 4.0; /* seconds */
static const double IDLE = 0.5;         /* seconds */
enum { SHORT_REPEAT = 7 };

struct session {
    const struct bench_options *options;
    struct window_result result;
    struct pool *pool;
    struct w2v2 *w2v2;
    struct w2v2_workspace *workspace;
    float *samples;      /* [result.samples] */
    float *log_probs;    /* [frames, vocab] */
    float *again;        /* of a later pass, which must be the same */
    float *expected;     /* [frames of the checked samples, vocab], shared with the checker */
    size_t shared_bytes; /* of expected */
    double last;         /* when the last step ended */
    double work[W2V2_WORKS];
};

/* ---- the reference --------------------------------------------------------------------------- */

static int64_t checked_samples(const struct session *session, int rate)
{
    int64_t most = (int64_t)(CHECKED_MOST * rate);
    return session->result.samples < most ? session->result.samples : most;
}

/* In a process of its own, so that its memory is not counted. It also warms the page cache. */
static int compute_expected(void *context)
{
    struct session *session = context;
    struct utter_error error;
    struct checkpoint *checkpoint = checkpoint_open(session->options->model, &error);
    struct pool *pool = pool_open(pool_default_threads(), NULL);
    if (!checkpoint)
        return bench_fail(&error);
    if (!pool)
        return 1;
    int64_t count = checked_samples(session, checkpoint->config.sampling_rate);
    if (reference_log_probs(checkpoint, pool, session->samples, count, session->expected, &error))
        return bench_fail(&error);
    pool_close(pool);
    checkpoint_close(checkpoint);
    return 0;
}

static void pass(struct session *session, int64_t samples, float *log_probs,
                 const struct w2v2_watcher *watcher)
{
    w2v2_log_probs(session->w2v2, session->pool, session->workspace, session->samples, samples,
                   NULL, log_probs, watcher);
}

static double int8_share_of_tolerance(const float *values, const float *expected, int64_t count)
{
    double differences = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) {
        differences += pow((double)values[i] - expected[i], 2);
        squares += pow(expected[i], 2);
    }
    double share = sqrt(differences / squares) / INT8_TOLERANCE;
    return isnan(share) ? INFINITY : share;
}

/* max |difference| / (tolerance × max(1, max |expected|)) */
static double share_of_tolerance(const float *values, const float *expected, int64_t count)
{
    double most = 0, scale = 1;
    for (int64_t i = 0; i < count; i++) {
        double difference = fabs((double)values[i] - expected[i]);
        if (!(difference <= most))
            most = isnan(difference) ? INFINITY : difference;
        scale = fmax(scale, fabs((double)expected[i]));
    }
    return most / (TOLERANCE * scale);
}

static enum utter_code check(struct session *session, struct utter_error *error)
{
    struct window_result *result = &session->result;
    const struct model_config *config = result->config;
    int64_t count = checked_samples(session, config->sampling_rate);
    pass(session, count, session->log_probs, NULL);
    result->checked = (double)count / config->sampling_rate;
    int64_t values = config_frames(config, count) * config->vocab_size;
    bool int8 = w2v2_precision(session->w2v2) == W2V2_PRECISION_INT8;
    result->difference =
        int8 ? int8_share_of_tolerance(session->log_probs, session->expected, values)
             : share_of_tolerance(session->log_probs, session->expected, values);
    if (result->difference <= 1)
        return UTTER_OK;
    return error_set(
        error, UTTER_ERROR_FORMAT,
        "the output is wrong: it differs from the plain reference's by %.3g times what "
        "is allowed; no time is printed",
        result->difference);
}

/* ---- timing ---------------------------------------------------------------------------------- */

static enum utter_code open_workspace(struct session *session, int64_t samples,
                                      struct utter_error *error)
{
    w2v2_workspace_close(session->workspace);
    session->workspace = w2v2_workspace_open(session->w2v2, samples, error);
    return session->workspace ? UTTER_OK : UTTER_ERROR_MEMORY;
}

static enum utter_code open_model(struct session *session, struct utter_error *error)
{
    double begin = clock_wall();
    struct checkpoint *checkpoint = checkpoint_open(session->options->model, error);
    if (!checkpoint)
        return UTTER_ERROR_FILE;
    session->w2v2 = w2v2_open_kernels(checkpoint, session->pool,
                                      (enum w2v2_precision)session->options->precision,
                                      session->options->kernels, error);
    checkpoint_close(checkpoint);
    if (!session->w2v2)
        return UTTER_ERROR_MEMORY;
    session->result.open = clock_wall() - begin;
    session->result.config = w2v2_config(session->w2v2);
    session->result.dtype = w2v2_precision(session->w2v2) == W2V2_PRECISION_INT8 ? "int8" : "fp32";
    session->result.weight_bytes = w2v2_weight_bytes(session->w2v2);
    return UTTER_OK;
}

static double timed_pass(struct session *session, int64_t samples)
{
    double begin = clock_wall();
    pass(session, samples, session->log_probs, NULL);
    return clock_wall() - begin;
}

/* The first decode of one second, and later ones. */
static enum utter_code measure_short(struct session *session, struct utter_error *error)
{
    struct window_result *result = &session->result;
    int64_t second = result->config->sampling_rate;
    double times[SHORT_REPEAT], begin = clock_wall();
    if (second > result->samples)
        second = result->samples;
    enum utter_code code = open_workspace(session, second, error);
    if (code)
        return code;
    pass(session, second, session->log_probs, NULL);
    result->first = clock_wall() - begin;
    for (int i = 0; i < WINDOW_NEXT; i++)
        result->next = fmax(result->next, timed_pass(session, second));
    for (int i = 0; i < SHORT_REPEAT; i++)
        times[i] = timed_pass(session, second);
    result->warm = bench_median(times, SHORT_REPEAT);
    return UTTER_OK;
}

static void step_done(void *user, enum w2v2_work work)
{
    struct session *session = user;
    double now = clock_wall();
    session->work[work] += now - session->last;
    session->last = now;
}

/* One pass, timed; returns false when its output is not the first one's. */
static bool measure_pass(struct session *session, int index)
{
    struct window_result *result = &session->result;
    struct w2v2_watcher watcher = {.done = step_done, .user = session};
    size_t bytes = (size_t)(result->frames * result->config->vocab_size) * sizeof(float);
    memset(session->work, 0, sizeof session->work);
    double cpu = clock_cpu(), begin = session->last = clock_wall();
    pass(session, result->samples, session->again, &watcher);
    result->times->wall[index] = clock_wall() - begin;
    result->times->cpu[index] = clock_cpu() - cpu;
    for (int i = 0; i < W2V2_WORKS; i++)
        result->times->work[i][index] = session->work[i];
    return memcmp(session->again, session->log_probs, bytes) == 0;
}

static enum utter_code measure_passes(struct session *session, struct utter_error *error)
{
    for (int i = 0; i < session->options->repeat; i++) {
        session->result.times->peak[i] =
            peak_gflops(session->pool, session->options->kernels->lanes);
        if (!measure_pass(session, i))
            return error_set(error, UTTER_ERROR_FORMAT,
                             "two passes over the same window differ; no time is printed");
    }
    return UTTER_OK;
}

static void measure_idle(struct session *session)
{
    double cpu = clock_cpu(), begin = clock_wall();
    usleep((useconds_t)(IDLE * 1e6));
    session->result.idle = (clock_cpu() - cpu) / (clock_wall() - begin);
}

/* A pass for each line read, its seconds printed, and those of CPU; the end of input ends it. */
static enum utter_code serve(struct session *session)
{
    char line[64];
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        double cpu = clock_cpu(), begin = clock_wall();
        pass(session, session->result.samples, session->log_probs, NULL);
        printf("%.9f %.9f\n", clock_wall() - begin, clock_cpu() - cpu);
        fflush(stdout);
    }
    return UTTER_OK;
}

/* ---- files ----------------------------------------------------------------------------------- */

static enum utter_code read_samples(struct session *session, struct utter_error *error)
{
    const char *path = session->options->samples;
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set(error, UTTER_ERROR_FILE, "%s: %m", path);
    size_t count = (size_t)session->result.samples;
    size_t found = fread(session->samples, sizeof(float), count, file);
    fclose(file);
    if (found == count)
        return UTTER_OK;
    return error_set(error, UTTER_ERROR_FORMAT, "%s: has %zu samples, fewer than the window's %zu",
                     path, found, count);
}

static enum utter_code write_output(const struct session *session, struct utter_error *error)
{
    const char *path = session->options->output;
    size_t count = (size_t)(session->result.frames * session->result.config->vocab_size);
    FILE *file = fopen(path, "we");
    if (!file)
        return error_set(error, UTTER_ERROR_FILE, "%s: %m", path);
    size_t written = fwrite(session->log_probs, sizeof(float), count, file);
    if (fclose(file) == 0 && written == count)
        return UTTER_OK;
    return error_set(error, UTTER_ERROR_FILE, "%s: cannot be written: %m", path);
}

/* ---- all ------------------------------------------------------------------------------------- */

/* Reads how big the model's output is, so that buffers can be made before it is opened. */
static enum utter_code prepare(struct session *session, struct utter_error *error)
{
    struct window_result *result = &session->result;
    struct model_config config;
    enum utter_code code = config_read(&config, session->options->model, error);
    if (code)
        return code;
    result->samples = (int64_t)(session->options->window * config.sampling_rate);
    result->frames = config_frames(&config, result->samples);
    if (result->frames < 1)
        return error_set(error, UTTER_ERROR_ARGUMENT, "--window %g: too short for one frame",
                         session->options->window);
    size_t floats = (size_t)(result->frames * config.vocab_size);
    session->shared_bytes = floats * sizeof(float);
    session->samples = malloc((size_t)result->samples * sizeof(float));
    session->log_probs = malloc(floats * sizeof(float));
    session->again = malloc(floats * sizeof(float));
    session->expected = process_shared(session->shared_bytes);
    result->times = calloc(1, sizeof *result->times);
    if (!session->samples || !session->log_probs || !session->again || !session->expected ||
        !result->times)
        return error_memory(error, "the benchmark");
    if (session->options->samples)
        return read_samples(session, error);
    sound_make(session->samples, result->samples, config.sampling_rate);
    return UTTER_OK;
}

static enum utter_code measure(struct session *session, struct utter_error *error)
{
    enum utter_code code = open_model(session, error);
    if (!code)
        code = measure_short(session, error);
    if (!code)
        code = open_workspace(session, session->result.samples, error);
    if (!code)
        code = check(session, error);
    if (code)
        return code;
    pass(session, session->result.samples, session->log_probs, NULL);
    if (session->options->output)
        code = write_output(session, error);
    if (code || session->options->on_demand)
        return code ? code : serve(session);
    code = measure_passes(session, error);
    if (code)
        return code;
    session->result.peak_bytes = process_peak_memory();
    measure_idle(session);
    return UTTER_OK;
}

static void session_close(struct session *session)
{
    w2v2_workspace_close(session->workspace);
    w2v2_close(session->w2v2);
    pool_close(session->pool);
    free(session->samples);
    free(session->log_probs);
    free(session->again);
    free(session->result.times);
    process_unshare(session->expected, session->shared_bytes);
}

int bench_window(const struct bench_options *options)
{
    struct session session = {.options = options};
    struct utter_error error;
    int status = 1;
    if (prepare(&session, &error))
        goto fail;
    status = process_run(compute_expected, &session);
    if (status)
        goto done;
    session.pool = pool_open(options->threads, &error);
    if (!session.pool || measure(&session, &error))
        goto fail;
    if (options->json && !options->on_demand)
        status = window_report_json(options, &session.result);
    else if (!options->on_demand)
        window_report(options, &session.result);
    goto done;
fail:
    status = bench_fail(&error);
done:
    session_close(&session);
    return status;
}

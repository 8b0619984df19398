/* SPDX-License-Identifier: MIT */
/* utter-bench: reads the options, makes the random model, and hands over to a measurement. */
#include "bench.h"

#include "base/error.h"
#include "base/pool.h"
#include "process.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char HELP[] =
    "utter-bench: how fast utter is on this machine, and how much memory it takes\n"
    "\n"
    "usage: utter-bench (--random SHAPE | --model DIR) [OPTION...]\n"
    "\n"
    "  --random SHAPE   random weights: base, large, tiny or tiny-stable\n"
    "  --model DIR      a model in Hugging Face layout\n"
    "  --window S       seconds of sound; default 4, with --stream 14\n"
    "  --threads N      default: the physical cores\n"
    "  --repeat N       passes that are timed; default 9, with --stream 3\n"
    "  --dtype TYPE     of the products: fp32 or int8; default: as the file has them\n"
    "  --kernels NAME   portable, avx2, avx_vnni, avx512, avx512_vnni or neon_dot\n"
    "  --stream         listen as live captions do: CPU for each second of speech\n"
    "  --encoder MODE   of --stream: window or cached; default: the model's\n"
    "  --latency NAME   of --stream: low, normal or high; default: the model's\n"
    "  --json           one JSON object instead of lines\n"
    "  --storage KIND   of the random model's file: f32, f16 or bf16; default f32\n"
    "  --keep DIR       write the random model there, where nothing is yet\n"
    "  --samples FILE   decode these 32-bit floats, at the model's rate\n"
    "  --output FILE    write the log-probabilities, 32-bit floats\n"
    "  --on-demand      a pass for each line of standard input (tools/bench/peers.py)\n"
    "  --version, --help\n"
    "\n"
    "exit status: 1 when something failed or the output is wrong, 2 for wrong usage\n";

enum {
    OPTION_RANDOM = 1,
    OPTION_MODEL,
    OPTION_WINDOW,
    OPTION_THREADS,
    OPTION_REPEAT,
    OPTION_DTYPE,
    OPTION_ENCODER,
    OPTION_LATENCY,
    OPTION_KERNELS,
    OPTION_STREAM,
    OPTION_JSON,
    OPTION_STORAGE,
    OPTION_KEEP,
    OPTION_SAMPLES,
    OPTION_OUTPUT,
    OPTION_ON_DEMAND,
    OPTION_VERSION,
    OPTION_HELP,
};

static const struct option OPTIONS[] = {
    {"random", required_argument, NULL, OPTION_RANDOM},
    {"model", required_argument, NULL, OPTION_MODEL},
    {"window", required_argument, NULL, OPTION_WINDOW},
    {"threads", required_argument, NULL, OPTION_THREADS},
    {"repeat", required_argument, NULL, OPTION_REPEAT},
    {"dtype", required_argument, NULL, OPTION_DTYPE},
    {"encoder", required_argument, NULL, OPTION_ENCODER},
    {"latency", required_argument, NULL, OPTION_LATENCY},
    {"kernels", required_argument, NULL, OPTION_KERNELS},
    {"stream", no_argument, NULL, OPTION_STREAM},
    {"json", no_argument, NULL, OPTION_JSON},
    {"storage", required_argument, NULL, OPTION_STORAGE},
    {"keep", required_argument, NULL, OPTION_KEEP},
    {"samples", required_argument, NULL, OPTION_SAMPLES},
    {"output", required_argument, NULL, OPTION_OUTPUT},
    {"on-demand", no_argument, NULL, OPTION_ON_DEMAND},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

double bench_median(double *values, int count)
{
    for (int i = 1; i < count; i++)
        for (int j = i; j > 0 && values[j] < values[j - 1]; j--) {
            double value = values[j];
            values[j] = values[j - 1];
            values[j - 1] = value;
        }
    return (values[count / 2] + values[(count - 1) / 2]) / 2;
}

int bench_fail(const struct utter_error *error)
{
    fprintf(stderr, "utter-bench: %s\n", error->message);
    return 1;
}

int bench_print_json(json_t *object)
{
    int status = json_dumpf(object, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    puts("");
    json_decref(object);
    return status ? 1 : 0;
}

/* ---- options --------------------------------------------------------------------------------- */

static int refuse(const char *option, const char *value, const char *wanted)
{
    fprintf(stderr, "utter-bench: --%s %s: must be %s\n", option, value, wanted);
    return 2;
}

static bool read_number(const char *text, double least, double most, double *number)
{
    char *end;
    errno = 0;
    *number = strtod(text, &end);
    return errno == 0 && end != text && !*end && *number >= least && *number <= most;
}

static bool read_count(const char *text, int most, int *count)
{
    double number;
    if (!read_number(text, 1, most, &number) || number != (int)number)
        return false;
    *count = (int)number;
    return true;
}

/* The place of `text` among names with commas between them, or -1. */
static int place_of(const char *text, const char *names)
{
    size_t length = strlen(text);
    for (int place = 0;; place++) {
        size_t end = strcspn(names, ",");
        if (end == length && strncmp(names, text, end) == 0)
            return place;
        if (!names[end])
            return -1;
        names += end + 1;
    }
}

/* One of some names; *value is the place of the one that is given, counted from `first`. */
static int read_name(const char *option, const char *text, const char *names, int first, int *value)
{
    int place = place_of(text, names);
    if (place < 0)
        return refuse(option, text, names);
    *value = first + place;
    return 0;
}

static int read_kernels(struct bench_options *options, const char *text)
{
    for (int set = 0; set < KERNELS_SETS; set++) {
        const struct kernels *kernels = kernels_find((enum instruction_set)set);
        if (kernels && strcmp(kernels->name, text) == 0) {
            options->kernels = kernels;
            return 0;
        }
    }
    return refuse("kernels", text, "one that --help lists and that this machine has");
}

static int read_shape(struct bench_options *options, const char *text)
{
    options->shape_name = text;
    options->shape = random_shape_find(text);
    return options->shape ? 0 : refuse("random", text, "a shape that --help lists");
}

/* One option; returns an exit status when it is wrong. */
static int read_option(struct bench_options *options, const char **keep, int option,
                       const char *text)
{
    switch (option) {
    case OPTION_RANDOM:
        return read_shape(options, text);
    case OPTION_MODEL:
        options->model = text;
        return 0;
    case OPTION_WINDOW:
        return read_number(text, 0.025, 600, &options->window)
                   ? 0
                   : refuse("window", text, "0.025 to 600");
    case OPTION_THREADS:
        return read_count(text, 1024, &options->threads) ? 0 : refuse("threads", text, "1 to 1024");
    case OPTION_REPEAT:
        return read_count(text, BENCH_REPEAT_MAX, &options->repeat)
                   ? 0
                   : refuse("repeat", text, "1 to 1000");
    case OPTION_DTYPE:
        return read_name("dtype", text, "fp32,int8", UTTER_PRECISION_FLOAT32, &options->precision);
    case OPTION_ENCODER:
        return read_name("encoder", text, "window,cached", UTTER_ENCODER_WINDOW, &options->encoder);
    case OPTION_LATENCY:
        return read_name("latency", text, "low,normal,high", UTTER_LATENCY_LOW, &options->latency);
    case OPTION_KERNELS:
        return read_kernels(options, text);
    case OPTION_STREAM:
        options->stream = true;
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case OPTION_STORAGE:
        return read_name("storage", text, "f32,f16,bf16", RANDOM_F32, &options->storage);
    case OPTION_KEEP:
        *keep = text;
        return 0;
    case OPTION_SAMPLES:
        options->samples = text;
        return 0;
    case OPTION_OUTPUT:
        options->output = text;
        return 0;
    case OPTION_ON_DEMAND:
        options->on_demand = true;
        return 0;
    default:
        fprintf(stderr, "utter-bench --help says how it is used\n");
        return 2;
    }
}

static int complain(const char *what)
{
    fprintf(stderr, "utter-bench: %s\n", what);
    return 2;
}

static int check_options(const struct bench_options *options, const char *keep)
{
    if (!options->shape == !options->model)
        return complain("needs --random SHAPE or --model DIR, one of them; see --help");
    if (keep && !options->shape)
        return complain("--keep is for --random models");
    if (options->stream && (options->samples || options->output))
        return complain("--samples and --output are not for --stream");
    if (options->stream && options->kernels != kernels_best())
        return complain("--stream uses the best kernels of this machine, no others");
    if (!options->stream && (options->encoder || options->latency))
        return complain("--encoder and --latency are for --stream");
    return 0;
}

/* ---- the random model ------------------------------------------------------------------------ */

struct job {
    struct bench_options options;
    const char *keep;
    char folder[PATH_MAX];
};

static enum utter_code make_folder(struct job *job, struct utter_error *error)
{
    const char *parent = getenv("TMPDIR");
    if (job->keep) {
        snprintf(job->folder, sizeof job->folder, "%s", job->keep);
        if (mkdir(job->folder, 0777) != 0)
            return error_set(error, UTTER_ERROR_FILE, "%s: %m", job->folder);
        return UTTER_OK;
    }
    snprintf(job->folder, sizeof job->folder, "%s/utter-bench-XXXXXX",
             parent && *parent ? parent : "/tmp");
    if (!mkdtemp(job->folder))
        return error_set(error, UTTER_ERROR_FILE, "%s: %m", job->folder);
    return UTTER_OK;
}

static int measure(void *context)
{
    struct job *job = context;
    struct utter_error error;
    const struct bench_options *options = &job->options;
    if (options->shape &&
        random_model_write(options->shape, options->storage, options->model, &error))
        return bench_fail(&error);
    return options->stream ? bench_stream(options) : bench_window(options);
}

/* Whatever becomes of the measuring process, this one removes the files. */
static int run(struct job *job)
{
    struct utter_error error;
    if (!job->options.shape)
        return process_run(measure, job);
    if (make_folder(job, &error))
        return bench_fail(&error);
    job->options.model = job->folder;
    int status = process_run(measure, job);
    if (!job->keep)
        random_model_remove(job->folder);
    return status;
}

int main(int argc, char **argv)
{
    struct job job = {.options = {.kernels = kernels_best(), .threads = pool_default_threads()}};
    struct bench_options *options = &job.options;
    int option, status = 0;
    while (!status && (option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        if (option == OPTION_HELP) {
            fputs(HELP, stdout);
            return 0;
        }
        if (option == OPTION_VERSION) {
            printf("utter-bench %s\n", utter_version());
            return 0;
        }
        status = read_option(options, &job.keep, option, optarg);
    }
    if (!status && optind < argc)
        status = complain("takes options alone; see --help");
    if (!status)
        status = check_options(options, job.keep);
    if (status)
        return status;
    if (options->window <= 0)
        options->window = options->stream ? 14 : 4;
    if (options->repeat < 1)
        options->repeat = options->stream ? 3 : 9;
    return run(&job);
}

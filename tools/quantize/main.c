/* SPDX-License-Identifier: MIT */
/* utter-quantize: a model with its weights in 8 bits. */
#include "files.h"
#include "writer.h"

#include "base/error.h"
#include "model/file.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char HELP[] =
    "utter-quantize: a model with its weights in 8 bits\n"
    "\n"
    "usage: utter-quantize DIR OUT\n"
    "\n"
    "Reads the model in DIR (config.json, vocab.json, model.safetensors; weights in\n"
    "F32, F16 or BF16) and writes one to the new directory OUT that is a quarter as\n"
    "big, or half as big as one in half floats. utter opens it as it opens any other,\n"
    "computes with 8-bit integers, and needs a quarter of the memory.\n"
    "\n"
    "Weights are rounded to 255 steps for each output of a layer, which changes a few\n"
    "words; utter eval says how many. The first convolution, the last layer, norms\n"
    "and biases stay as they are. Other programs do not read such files.\n"
    "\n"
    "  --version, --help\n"
    "\n"
    "examples:\n"
    "  utter-quantize ~/models/wav2vec2 ~/models/wav2vec2-int8\n"
    "  utter transcribe --model ~/models/wav2vec2-int8 talk.flac\n"
    "\n"
    "exit status: 0, or 1 when something failed, or 2 for wrong usage\n";

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* Shows whole per cents where a person looks. */
static bool show_progress(void *user, double share)
{
    int *shown = user, percent = (int)(100 * share);
    if (*shown >= 0 && percent > *shown)
        fprintf(stderr, "\rutter-quantize: %d %%", *shown = percent);
    return !interrupted;
}

static enum utter_code write_model(struct checkpoint *checkpoint, const char *from, const char *to,
                                   struct writer_result *result, struct utter_error *error)
{
    struct file_path path;
    int shown = isatty(STDERR_FILENO) ? 0 : -1;
    enum utter_code code = file_path_set(&path, to, "model.safetensors", error);
    if (code == UTTER_OK)
        code = writer_write(path.text, checkpoint, show_progress, &shown, result, error);
    if (shown >= 0)
        fputs("\r\033[K", stderr);
    if (code == UTTER_OK)
        code = files_copy(from, to, error);
    return code;
}

/* What was written must open; that also checks every tensor once more. */
static enum utter_code check(const char *directory, struct utter_error *error)
{
    struct checkpoint *checkpoint = checkpoint_open(directory, error);
    enum utter_code code = checkpoint ? UTTER_OK : UTTER_ERROR_FORMAT;
    checkpoint_close(checkpoint);
    return code;
}

static int fail(const struct utter_error *error)
{
    fprintf(stderr, "utter-quantize: %s\n", error->message);
    return 1;
}

static int quantize(const char *from, const char *to)
{
    struct utter_error error;
    struct writer_result result = {0};
    struct checkpoint *checkpoint = checkpoint_open(from, &error);
    if (!checkpoint)
        return fail(&error);
    int64_t before = checkpoint->mapped_bytes;
    bool made = mkdir(to, 0777) == 0;
    enum utter_code code = UTTER_OK;
    if (!made)
        code = error_set(&error, UTTER_ERROR_FILE, "%s: %m", error_path(to));
    if (code == UTTER_OK)
        code = write_model(checkpoint, from, to, &result, &error);
    checkpoint_close(checkpoint);
    if (code == UTTER_OK)
        code = check(to, &error);
    if (code != UTTER_OK && made)
        files_remove(to);
    if (code != UTTER_OK)
        return fail(&error);
    printf("%s: %.1f MB, %.0f %% of what it was; %d tensors in 8 bits\n", to,
           (double)result.bytes * 1e-6, 100 * (double)result.bytes / (double)before,
           result.tensors);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'v'}, {0}};
    int option = getopt_long(argc, argv, "", options, NULL);
    if (option == 'h')
        return fputs(HELP, stdout) < 0;
    if (option == 'v')
        return printf("utter-quantize %s\n", utter_version()) < 0;
    if (option != -1 || argc - optind != 2) {
        fputs("usage: utter-quantize DIR OUT; utter-quantize --help says more\n", stderr);
        return 2;
    }
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return quantize(argv[optind], argv[optind + 1]);
}

/* SPDX-License-Identifier: MIT */
#include "app/model_path.h"

#include "app/fault.h"
#include "app/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const float MOST_WRONG = 30.0f; /* of 100 words, in captions that one may rely on */

/* The directory that the running program lies in; false when the system does not say. */
static bool program_directory(char *directory, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", directory, size - 1);
    if (length <= 0)
        return false;
    directory[length] = '\0';
    char *slash = strrchr(directory, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return true;
}

char *model_path_data(const char *relative)
{
    char directory[PATH_MAX];
    bool known = program_directory(directory, sizeof directory);
    /* Not installed: build/utter beside models/. Installed, perhaps moved: bin/ beside share/. */
    const char *const beside[] = {"..", "../share/utter"};
    for (size_t i = 0; known && i < sizeof beside / sizeof beside[0]; i++) {
        char *path = NULL;
        if (asprintf(&path, "%s/%s/%s", directory, beside[i], relative) < 0)
            return NULL;
        char *real = realpath(path, NULL);
        free(path);
        if (real != NULL)
            return real;
    }
    char *path = NULL;
    if (asprintf(&path, "%s/%s", UTTER_DATA_DIRECTORY, relative) < 0)
        return NULL;
    char *real = realpath(path, NULL);
    free(path);
    return real;
}

char *model_path_name(const char *directory)
{
    char *path = strdup(directory);
    if (path == NULL)
        return NULL;
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        path[--length] = '\0';
    const char *slash = strrchr(path, '/');
    char *name = text_clean(slash != NULL && slash[1] ? slash + 1 : path);
    free(path);
    return name;
}

static char *bundled_model(const char *name)
{
    char *relative = NULL;
    if (asprintf(&relative, "models/%s", name) < 0)
        return NULL;
    char *path = model_path_data(relative);
    free(relative);
    return path;
}

/* `origin` says where the name comes from, for the error. */
static char *named_model(const char *name, const char *origin, struct utter_error *error)
{
    struct stat status;
    if (stat(name, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            return strdup(name);
        fault_set(error, UTTER_ERROR_FILE,
                  "%s: is a file; a model is a directory with config.json, vocab.json and "
                  "model.safetensors (from %s)",
                  name, origin);
        return NULL;
    }
    int number = errno;
    char *path = strchr(name, '/') == NULL ? bundled_model(name) : NULL;
    if (path == NULL)
        fault_set(error, UTTER_ERROR_FILE, "%s: no such model: %s (from %s)", name,
                  strerror(number), origin);
    return path;
}

char *model_path_find(const struct option_values *values, struct utter_error *error)
{
    const char *name = option_values_text(values, OPTION_MODEL);
    if (name != NULL) {
        char origin[256];
        option_values_label(values, OPTION_MODEL, origin, sizeof origin);
        return named_model(name, origin, error);
    }
    char *path = bundled_model(option_table_row(OPTION_MODEL)->standard);
    if (path == NULL)
        fault_set(error, UTTER_ERROR_FILE,
                  "no model found: the bundled one is missing; name a directory with --model or "
                  "in UTTER_MODEL");
    return path;
}

int model_path_experimental(const struct utter_model *model)
{
    float wrong = utter_model_info(model)->word_error_rate;
    return wrong > MOST_WRONG ? (int)(wrong + 0.5f) : 0;
}

struct utter_model *model_path_open(struct utter_engine *engine, const char *directory,
                                    const struct option_values *values, struct utter_error *error)
{
    /* In the order of the table's choices. */
    static const enum utter_precision precisions[] = {
        UTTER_PRECISION_STORED, UTTER_PRECISION_FLOAT32, UTTER_PRECISION_INT8};
    struct utter_model_options options = UTTER_MODEL_OPTIONS_INIT;
    options.precision = precisions[option_values_number(values, OPTION_PRECISION)];
    return utter_model_open(engine, directory, &options, error);
}

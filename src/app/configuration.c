/* SPDX-License-Identifier: MIT */
#include "app/configuration.h"

#include "app/fault.h"
#include "app/text.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct configuration {
    char *path;
    bool exists;
    struct configuration_entry *entries;
    size_t count;
    size_t capacity;
};

/* ---- reading ---- */

/* What inih's reader and handler share. inih knows a line's number only when it is wrong. */
struct reading {
    struct configuration *configuration;
    FILE *file;
    int line;
    int limit; /* bytes of a line that inih takes */
    bool long_line;
    bool out_of_memory;
};

/* A line for inih, like fgets(). Spaces at its start would mean a continued value to inih. */
static char *read_line(char *buffer, int size, void *user)
{
    struct reading *reading = user;
    int byte, length = 0;
    while ((byte = getc(reading->file)) == ' ' || byte == '\t')
        continue;
    if (byte == EOF)
        return NULL;
    reading->line++;
    reading->limit = size - 1;
    for (; byte != EOF && byte != '\n'; byte = getc(reading->file)) {
        if (length == size - 1) {
            reading->long_line = true;
            return NULL;
        }
        buffer[length++] = byte != '\0' ? (char)byte : '?';
    }
    buffer[length] = '\0';
    return buffer;
}

static bool grow(struct configuration *configuration)
{
    if (configuration->count < configuration->capacity)
        return true;
    size_t capacity = 2 * configuration->capacity + 16;
    struct configuration_entry *entries =
        realloc(configuration->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return false;
    configuration->entries = entries;
    configuration->capacity = capacity;
    return true;
}

/* inih's handler: 0 makes the line a wrong one. */
static int add_entry(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    struct configuration *configuration = reading->configuration;
    if (name[0] == '\0')
        return 0;
    char *spelt = strdup(name);
    struct configuration_entry entry = {strdup(section), spelt, strdup(value), reading->line};
    if (spelt == NULL || entry.section == NULL || entry.value == NULL || !grow(configuration)) {
        free((char *)entry.section);
        free(spelt);
        free((char *)entry.value);
        reading->out_of_memory = true;
        return 0;
    }
    for (char *at = spelt; *at != '\0'; at++)
        *at = *at == '_' ? '-' : *at;
    configuration->entries[configuration->count++] = entry;
    return 1;
}

static bool parse(struct configuration *configuration, FILE *file, struct utter_error *error)
{
    struct reading reading = {.configuration = configuration, .file = file};
    int wrong = ini_parse_stream(read_line, &reading, add_entry, &reading);
    if (ferror(file))
        return fault_set(error, UTTER_ERROR_FILE, "%s: %s", configuration->path, strerror(errno));
    if (reading.out_of_memory || wrong < 0)
        return fault_memory(error);
    if (wrong > 0)
        return fault_set(error, UTTER_ERROR_FORMAT,
                         "%s:%d: is neither [section] nor name = value (see man utter-config)",
                         configuration->path, wrong);
    if (reading.long_line)
        return fault_set(error, UTTER_ERROR_FORMAT, "%s:%d: is longer than %d bytes",
                         configuration->path, reading.line, reading.limit);
    return true;
}

struct configuration *configuration_read(FILE *file, const char *path, struct utter_error *error)
{
    struct configuration *configuration = calloc(1, sizeof *configuration);
    if (configuration != NULL)
        configuration->path = text_clean(path);
    if (configuration == NULL || configuration->path == NULL) {
        fault_memory(error);
        goto fail;
    }
    configuration->exists = file != NULL;
    if (file == NULL || parse(configuration, file, error))
        return configuration;
fail:
    configuration_free(configuration);
    return NULL;
}

char *configuration_locate(struct utter_error *error)
{
    const char *named = getenv("UTTER_CONFIG");
    const char *folder = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    char *path = NULL;
    int length = -1;
    if (named != NULL && named[0] != '\0')
        length = asprintf(&path, "%s", named);
    else if (folder != NULL && folder[0] == '/')
        length = asprintf(&path, "%s/utter/config", folder);
    else
        length = asprintf(&path, "%s/.config/utter/config", home != NULL ? home : "");
    if (length >= 0)
        return path;
    fault_memory(error);
    return NULL;
}

struct configuration *configuration_open(struct utter_error *error)
{
    char *path = configuration_locate(error);
    if (path == NULL)
        return NULL;
    struct configuration *configuration = NULL;
    FILE *file = fopen(path, "re");
    if (file == NULL && errno != ENOENT && errno != ENOTDIR)
        fault_set(error, UTTER_ERROR_FILE, "%s: %s", path, strerror(errno));
    else
        configuration = configuration_read(file, path, error);
    if (file != NULL)
        fclose(file);
    free(path);
    return configuration;
}

void configuration_free(struct configuration *configuration)
{
    if (configuration == NULL)
        return;
    for (size_t i = 0; i < configuration->count; i++) {
        free((char *)configuration->entries[i].section);
        free((char *)configuration->entries[i].name);
        free((char *)configuration->entries[i].value);
    }
    free(configuration->entries);
    free(configuration->path);
    free(configuration);
}

/* ---- asking ---- */

const char *configuration_path(const struct configuration *configuration)
{
    return configuration->path;
}

bool configuration_exists(const struct configuration *configuration)
{
    return configuration->exists;
}

size_t configuration_count(const struct configuration *configuration)
{
    return configuration->count;
}

const struct configuration_entry *configuration_at(const struct configuration *configuration,
                                                   size_t index)
{
    return &configuration->entries[index];
}

const struct configuration_entry *configuration_get(const struct configuration *configuration,
                                                    const char *section, const char *name)
{
    for (size_t i = configuration->count; i > 0; i--) {
        const struct configuration_entry *entry = &configuration->entries[i - 1];
        if (strcmp(entry->section, section) == 0 && strcmp(entry->name, name) == 0)
            return entry;
    }
    return NULL;
}

bool configuration_refuse(const struct configuration *configuration,
                          const struct configuration_entry *entry, struct utter_error *error,
                          const char *format, ...)
{
    char message[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return fault_set(error, UTTER_ERROR_FORMAT, "%s:%d: %s", configuration->path, entry->line,
                     message);
}

/* SPDX-License-Identifier: MIT */
#include "app/dataset.h"

#include "app/fault.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char TRANSCRIPTS[] = ".trans.txt"; /* LibriSpeech's */
static const char *const SOUND_ENDINGS[] = {".flac", ".wav",  ".opus", ".ogg", ".mp3",
                                            ".aiff", ".aifc", ".au",   ".caf", ".w64"};

static void free_item(struct dataset_item *item)
{
    free(item->audio);
    free(item->text);
    free(item->source);
}

/* Takes over the item's strings; any of them NULL is out of memory. */
static bool add_item(struct dataset *dataset, struct dataset_item item, struct utter_error *error)
{
    if (dataset->count == dataset->capacity) {
        size_t capacity = dataset->capacity ? 2 * dataset->capacity : 256;
        struct dataset_item *items = realloc(dataset->items, capacity * sizeof *items);
        if (items != NULL) {
            dataset->items = items;
            dataset->capacity = capacity;
        }
    }
    if (item.audio == NULL || item.text == NULL || item.source == NULL ||
        dataset->count == dataset->capacity) {
        free_item(&item);
        return fault_memory(error);
    }
    dataset->items[dataset->count++] = item;
    return true;
}

static void cut_line_end(char *line)
{
    line[strcspn(line, "\r\n")] = '\0';
}

static char *join_path(const char *directory, size_t directory_length, const char *name,
                       const char *ending)
{
    char *path = NULL;
    if (name[0] == '/')
        directory_length = 0;
    if (asprintf(&path, "%.*s%s%s", (int)directory_length, directory, name, ending) < 0)
        return NULL;
    return path;
}

/* Length of the directory's part of `path`, its slash included. */
static size_t directory_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (size_t)(slash - path) + 1 : 0;
}

static FILE *open_text(const char *path, struct utter_error *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        fault_set(error, UTTER_ERROR_FILE, "%s: %s", path, strerror(errno));
    return file;
}

/* ---- a table --------------------------------------------------------------------------------- */

enum column { COLUMN_FILE, COLUMN_TEXT, COLUMN_SOURCE, COLUMN_COUNT };

static void find_columns(char *line, int places[COLUMN_COUNT])
{
    static const char *const names[COLUMN_COUNT] = {"file", "text", "source"};
    for (int c = 0; c < COLUMN_COUNT; c++)
        places[c] = -1;
    cut_line_end(line);
    int place = 0;
    for (char *field; (field = strsep(&line, "\t")) != NULL; place++) {
        for (int c = 0; c < COLUMN_COUNT; c++) {
            if (strcmp(field, names[c]) == 0)
                places[c] = place;
        }
    }
}

static bool read_row(struct dataset *dataset, char *line, const int places[COLUMN_COUNT],
                     const char *path, int number, struct utter_error *error)
{
    const char *fields[COLUMN_COUNT] = {NULL, NULL, ""};
    cut_line_end(line);
    if (line[0] == '\0')
        return true;
    int place = 0;
    for (char *field; (field = strsep(&line, "\t")) != NULL; place++) {
        for (int c = 0; c < COLUMN_COUNT; c++) {
            if (places[c] == place)
                fields[c] = field;
        }
    }
    if (fields[COLUMN_FILE] == NULL || fields[COLUMN_TEXT] == NULL)
        return fault_set(error, UTTER_ERROR_FORMAT, "%s:%d: the line has too few columns", path,
                         number);
    struct dataset_item item = {
        .audio = join_path(path, directory_length(path), fields[COLUMN_FILE], ""),
        .text = strdup(fields[COLUMN_TEXT]),
        .source = strdup(fields[COLUMN_SOURCE]),
    };
    return add_item(dataset, item, error);
}

static bool read_table(struct dataset *dataset, const char *path, struct utter_error *error)
{
    char *line = NULL;
    size_t size = 0;
    int places[COLUMN_COUNT];
    bool done = false;
    FILE *file = open_text(path, error);
    if (file == NULL)
        return false;
    if (getline(&line, &size, file) < 0) {
        fault_set(error, UTTER_ERROR_FORMAT, "%s: the table is empty", path);
        goto end;
    }
    find_columns(line, places);
    if (places[COLUMN_FILE] < 0 || places[COLUMN_TEXT] < 0) {
        fault_set(
            error, UTTER_ERROR_FORMAT,
            "%s: the first line must name tab-separated columns, `file` and `text` among them",
            path);
        goto end;
    }
    for (int number = 2; getline(&line, &size, file) >= 0; number++) {
        if (!read_row(dataset, line, places, path, number, error))
            goto end;
    }
    done = true;
end:
    free(line);
    fclose(file);
    return done;
}

/* ---- a directory ----------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name);
    size_t tail = strlen(ending);
    return length > tail && strcmp(name + length - tail, ending) == 0;
}

static bool read_transcripts(struct dataset *dataset, const char *path, struct utter_error *error)
{
    char *line = NULL;
    size_t size = 0;
    bool done = true;
    FILE *file = open_text(path, error);
    if (file == NULL)
        return false;
    while (done && getline(&line, &size, file) >= 0) {
        cut_line_end(line);
        char *text = strchr(line, ' ');
        if (text == NULL)
            continue;
        *text++ = '\0';
        struct dataset_item item = {
            .audio = join_path(path, directory_length(path), line, ".flac"),
            .text = strdup(text),
            .source = strdup(""),
        };
        done = add_item(dataset, item, error);
    }
    free(line);
    fclose(file);
    return done;
}

/* The whole file as one line. */
static char *read_text(const char *path, struct utter_error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_text(path, error);
    if (file == NULL)
        return NULL;
    ssize_t length = getdelim(&text, &size, '\0', file);
    fclose(file);
    if (length < 0) {
        free(text);
        text = strdup("");
    }
    if (text == NULL) {
        fault_memory(error);
        return NULL;
    }
    for (char *p = text; *p; p++) {
        if (*p == '\n' || *p == '\r' || *p == '\t')
            *p = ' ';
    }
    return text;
}

/* A text beside a recording of the same name; a text alone is not ours and is passed over. */
static bool read_pair(struct dataset *dataset, const char *path, struct utter_error *error)
{
    size_t stem = strlen(path) - strlen(".txt");
    char *audio = NULL;
    for (size_t i = 0; i < sizeof SOUND_ENDINGS / sizeof SOUND_ENDINGS[0]; i++) {
        if (asprintf(&audio, "%.*s%s", (int)stem, path, SOUND_ENDINGS[i]) < 0)
            return fault_memory(error);
        if (access(audio, F_OK) == 0)
            break;
        free(audio);
        audio = NULL;
    }
    if (audio == NULL)
        return true;
    char *text = read_text(path, error);
    if (text == NULL) {
        free(audio);
        return false;
    }
    return add_item(dataset, (struct dataset_item){audio, text, strdup("")}, error);
}

static int compare_entries(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool read_directory(struct dataset *dataset, const char *path, struct utter_error *error)
{
    char *root = strdup(path);
    char *roots[] = {root, NULL};
    if (root == NULL)
        return fault_memory(error);
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, compare_entries);
    bool done = tree != NULL || fault_set(error, UTTER_ERROR_FILE, "%s: %s", path, strerror(errno));
    for (FTSENT *entry; done && (entry = fts_read(tree)) != NULL;) {
        if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR)
            done = fault_set(error, UTTER_ERROR_FILE, "%s: %s", entry->fts_path,
                             strerror(entry->fts_errno));
        else if (entry->fts_info != FTS_F && entry->fts_info != FTS_SL)
            continue;
        else if (ends_with(entry->fts_name, TRANSCRIPTS))
            done = read_transcripts(dataset, entry->fts_path, error);
        else if (ends_with(entry->fts_name, ".txt"))
            done = read_pair(dataset, entry->fts_path, error);
    }
    if (tree != NULL)
        fts_close(tree);
    free(root);
    return done;
}

bool dataset_open(struct dataset *dataset, const char *path, struct utter_error *error)
{
    struct stat status;
    *dataset = (struct dataset){0};
    if (stat(path, &status) != 0)
        return fault_set(error, UTTER_ERROR_FILE, "%s: %s", path, strerror(errno));
    bool done = S_ISDIR(status.st_mode) ? read_directory(dataset, path, error)
                                        : read_table(dataset, path, error);
    if (done && dataset->count == 0)
        done = fault_set(error, UTTER_ERROR_FORMAT,
                         "%s: no recording with a text in it (see utter eval --help)", path);
    if (!done)
        dataset_close(dataset);
    return done;
}

void dataset_close(struct dataset *dataset)
{
    for (size_t i = 0; i < dataset->count; i++)
        free_item(&dataset->items[i]);
    free(dataset->items);
    *dataset = (struct dataset){0};
}

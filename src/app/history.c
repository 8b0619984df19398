/* SPDX-License-Identifier: MIT */
#include "app/history.h"

#include "app/fault.h"
#include "app/state_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char EXTENSION[] = "jsonl";

char *history_directory(struct utter_error *error)
{
    char *state = state_directory_open(error);
    char *path = NULL;
    struct stat status;
    if (state == NULL)
        return NULL;
    if (asprintf(&path, "%s/sessions", state) < 0) {
        path = NULL;
        fault_memory(error);
    } else if ((mkdir(path, 0700) != 0 && errno != EEXIST) || stat(path, &status) != 0) {
        fault_set(error, UTTER_ERROR_FILE, "%s: %s", path, strerror(errno));
        free(path);
        path = NULL;
    } else if ((status.st_mode & 077) != 0) {
        chmod(path, 0700);
    }
    free(state);
    return path;
}

char *history_path(const char *directory, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s.%s", directory, name, EXTENSION) < 0 ? NULL : path;
}

char *history_recording_path(const char *directory, const char *name, int number)
{
    char *path = NULL, count[16] = "";
    if (number > 1)
        snprintf(count, sizeof count, ".%d", number);
    return asprintf(&path, "%s/%s%s.flac", directory, name, count) < 0 ? NULL : path;
}

char *history_entry_recording(const struct history_entry *entry, int number)
{
    char *directory = strndup(entry->path, (size_t)(strrchr(entry->path, '/') - entry->path));
    char *path = directory != NULL ? history_recording_path(directory, entry->name, number) : NULL;
    free(directory);
    return path;
}

/* ---- listing ---- */

/* Whether a writer holds its lock, which goes with its process. Readers share theirs. */
static bool is_live(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0)
        return false;
    bool live = flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(file);
    return live;
}

static bool has_recording(const struct history *history, const char *name)
{
    char *path = history_recording_path(history->directory, name, 1);
    bool there = path != NULL && access(path, F_OK) == 0;
    free(path);
    return there;
}

/* `file` is a directory's entry; what is no session is passed over. */
static bool add_entry(struct history *history, const char *file)
{
    const char *dot = strrchr(file, '.');
    if (file[0] == '.' || dot == NULL || strcmp(dot + 1, EXTENSION) != 0)
        return true;
    struct history_entry *entries =
        realloc(history->entries, (history->count + 1) * sizeof *entries);
    if (entries == NULL)
        return false;
    history->entries = entries;
    struct history_entry *entry = &entries[history->count];
    *entry = (struct history_entry){.name = strndup(file, (size_t)(dot - file))};
    if (entry->name != NULL)
        entry->path = history_path(history->directory, entry->name);
    struct stat status;
    if (entry->path == NULL || lstat(entry->path, &status) != 0 || !S_ISREG(status.st_mode)) {
        bool memory = entry->path != NULL;
        free(entry->name);
        free(entry->path);
        return memory;
    }
    entry->written = status.st_mtime;
    entry->live = is_live(entry->path);
    entry->recorded = has_recording(history, entry->name);
    history->count++;
    return true;
}

static int compare_entries(const void *a, const void *b)
{
    return strverscmp(((const struct history_entry *)a)->name,
                      ((const struct history_entry *)b)->name);
}

bool history_open(struct history *history, struct utter_error *error)
{
    *history = (struct history){.directory = history_directory(error)};
    if (history->directory == NULL)
        return false;
    DIR *directory = opendir(history->directory);
    if (directory == NULL)
        return fault_set(error, UTTER_ERROR_FILE, "%s: %s", history->directory, strerror(errno));
    bool ok = true;
    for (struct dirent *file; ok && (file = readdir(directory)) != NULL;)
        ok = add_entry(history, file->d_name);
    closedir(directory);
    if (!ok)
        return fault_memory(error);
    if (history->count > 0)
        qsort(history->entries, history->count, sizeof *history->entries, compare_entries);
    return true;
}

void history_close(struct history *history)
{
    for (size_t i = 0; i < history->count; i++) {
        free(history->entries[i].name);
        free(history->entries[i].path);
    }
    free(history->entries);
    free(history->directory);
    *history = (struct history){0};
}

const struct history_entry *history_find(const struct history *history, const char *wanted,
                                         struct utter_error *error)
{
    const struct history_entry *found = NULL;
    size_t matches = 0;
    if (strcmp(wanted, "last") == 0 && history->count > 0)
        return &history->entries[history->count - 1];
    for (size_t i = 0; i < history->count; i++) {
        const struct history_entry *entry = &history->entries[i];
        if (strcmp(entry->name, wanted) == 0)
            return entry;
        if (strstr(entry->name, wanted) != NULL) {
            found = entry;
            matches++;
        }
    }
    if (matches == 1)
        return found;
    if (history->count == 0)
        fault_set(error, UTTER_ERROR_FILE, "no session is kept");
    else if (matches == 0)
        fault_set(error, UTTER_ERROR_FILE, "%s: no session is called so (see utter history)",
                  wanted);
    else
        fault_set(error, UTTER_ERROR_FILE, "%s: could be any of %zu sessions (see utter history)",
                  wanted, matches);
    return NULL;
}

/* ---- deleting ---- */

static bool remove_file(const char *path, struct utter_error *error)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return true;
    return fault_set(error, UTTER_ERROR_FILE, "%s: cannot delete: %s", path, strerror(errno));
}

/* That the names are gone must be on the disk too. */
static void sync_directory(const char *path)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return;
    fsync(directory);
    close(directory);
}

bool history_delete(const struct history *history, const struct history_entry *entry,
                    struct utter_error *error)
{
    if (is_live(entry->path))
        return fault_set(error, UTTER_ERROR_FILE, "%s: is being written just now; end it first",
                         entry->name);
    /* The sound first: while the text is there, the session can be named again. */
    bool ok = true;
    for (int number = 1; ok && number <= HISTORY_RECORDINGS; number++) {
        char *path = history_recording_path(history->directory, entry->name, number);
        ok = path != NULL ? remove_file(path, error) : fault_memory(error);
        free(path);
    }
    ok = ok && remove_file(entry->path, error);
    sync_directory(history->directory);
    return ok;
}

bool history_prune(int days, struct utter_error *error)
{
    struct history history;
    time_t oldest = time(NULL) - (time_t)days * 24 * 60 * 60;
    if (days == 0)
        return true;
    bool ok = history_open(&history, error);
    for (size_t i = 0; ok && i < history.count; i++)
        if (history.entries[i].written < oldest && !history.entries[i].live)
            ok = history_delete(&history, &history.entries[i], error);
    history_close(&history);
    return ok;
}

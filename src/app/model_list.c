/* SPDX-License-Identifier: MIT */
#include "app/model_list.h"
#include "app/model_path.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_model(const char *directory)
{
    char *path = NULL;
    bool is = asprintf(&path, "%s/config.json", directory) >= 0 && access(path, R_OK) == 0;
    free(path);
    return is;
}

static bool has(const struct model_list *list, const char *directory)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->directories[i], directory) == 0)
            return true;
    return false;
}

/* Takes `directory` over. */
static void add(struct model_list *list, char *directory)
{
    char **names = realloc(list->names, (list->count + 1) * sizeof *names);
    if (names != NULL)
        list->names = names;
    char **directories = realloc(list->directories, (list->count + 1) * sizeof *directories);
    if (directories != NULL)
        list->directories = directories;
    char *name = names != NULL && directories != NULL ? model_path_name(directory) : NULL;
    if (name == NULL) {
        free(directory);
        return;
    }
    list->names[list->count] = name;
    list->directories[list->count++] = directory;
}

/* The models in that directory, by name. */
static void add_all(struct model_list *list, const char *parent)
{
    struct dirent **entries = NULL;
    int count = parent != NULL ? scandir(parent, &entries, NULL, alphasort) : 0;
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (entries[i]->d_name[0] != '.' &&
            asprintf(&path, "%s/%s", parent, entries[i]->d_name) < 0)
            path = NULL;
        char *real = path != NULL ? realpath(path, NULL) : NULL;
        if (real != NULL && is_model(real) && !has(list, real))
            add(list, real);
        else
            free(real);
        free(path);
        free(entries[i]);
    }
    free(entries);
}

void model_list_open(struct model_list *list, const char *directory)
{
    char *bundled = model_path_data("models");
    char *own = realpath(directory, NULL);
    char *slash = own != NULL ? strrchr(own, '/') : NULL;
    *list = (struct model_list){NULL, NULL, 0};
    add_all(list, bundled);
    if (slash != NULL && slash > own) {
        *slash = '\0';
        add_all(list, own);
    }
    free(own);
    free(bundled);
}

void model_list_close(struct model_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->names[i]);
        free(list->directories[i]);
    }
    free(list->names);
    free(list->directories);
    *list = (struct model_list){NULL, NULL, 0};
}

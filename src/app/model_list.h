/* SPDX-License-Identifier: MIT */
/**
 * The models that are at hand: those that come with the program, and the neighbours of the one in
 * use. Any thread.
 */
#ifndef APP_MODEL_LIST_H
#define APP_MODEL_LIST_H

#include <stddef.h>

struct model_list {
    char **names;       /**< for people, clean */
    char **directories; /**< in the same order */
    size_t count;
};

/** `directory` is that of the model in use. An empty list when there are none, or no memory. */
void model_list_open(struct model_list *list, const char *directory);
void model_list_close(struct model_list *list);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * The inputs of this machine, asked for by a process of its own (`utter devices --json`), because
 * calls into sound systems can hang for ever. Nothing here waits. Main thread.
 */
#ifndef APP_DEVICE_LIST_H
#define APP_DEVICE_LIST_H

#include "utter.h"

struct device_list;

/** Starts the question. NULL when the process does not start. */
struct device_list *device_list_open(struct utter_error *error);

/** Polls readable when device_list_follow() has something to do; -1 once the answer is there. */
int device_list_descriptor(const struct device_list *list);

/** Reads what has come; true once the answer is whole, or there will be none. */
bool device_list_follow(struct device_list *list);

/** How many inputs there are, so far as is known. */
size_t device_list_count(const struct device_list *list);
/** What to show (clean), and what to open it by. Valid until the list is closed. */
const char *const *device_list_titles(const struct device_list *list);
const char *device_list_name(const struct device_list *list, size_t index);

/** Ends the process too. NULL is allowed. */
void device_list_close(struct device_list *list);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * The input that was chosen on the screen last, by name, in the state directory: what the program
 * listens to when nobody says otherwise. Any thread.
 */
#ifndef APP_REMEMBERED_DEVICE_H
#define APP_REMEMBERED_DEVICE_H

#include <stddef.h>

/** Empty when none was, or when it was the default. */
void remembered_device_read(char *device, size_t size);
/** Does what it can. */
void remembered_device_write(const char *device);

#endif

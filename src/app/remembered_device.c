/* SPDX-License-Identifier: MIT */
#include "app/remembered_device.h"
#include "app/state_directory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_file(int flags)
{
    char *directory = state_directory_open(NULL);
    char *path = NULL;
    int file = -1;
    if (directory != NULL && asprintf(&path, "%s/device", directory) >= 0)
        file = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    free(path);
    free(directory);
    return file;
}

void remembered_device_read(char *device, size_t size)
{
    int file = open_file(O_RDONLY);
    ssize_t length = file >= 0 ? read(file, device, size - 1) : 0;
    device[length > 0 ? length : 0] = '\0';
    device[strcspn(device, "\n")] = '\0';
    if (file >= 0)
        close(file);
}

void remembered_device_write(const char *device)
{
    int file = open_file(O_WRONLY | O_CREAT | O_TRUNC);
    if (file < 0)
        return;
    dprintf(file, "%s\n", device);
    close(file);
}

/* SPDX-License-Identifier: MIT */
#include "app/state_directory.h"
#include "app/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG_LIMIT = 1 << 20 };

static char *state_path(struct utter_error *error)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    char *path = NULL;
    int length = -1;
    if (state != NULL && state[0] == '/')
        length = asprintf(&path, "%s/utter", state);
    else if (home != NULL && home[0] == '/')
        length = asprintf(&path, "%s/.local/state/utter", home);
    else
        fault_set(error, UTTER_ERROR_FILE, "neither XDG_STATE_HOME nor HOME names a directory");
    return length >= 0 ? path : NULL;
}

char *state_directory_open(struct utter_error *error)
{
    char *path = state_path(error);
    if (path == NULL)
        return NULL;
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    struct stat status;
    if ((mkdir(path, 0700) != 0 && errno != EEXIST) || stat(path, &status) != 0) {
        fault_set(error, UTTER_ERROR_FILE, "%s: %s", path, strerror(errno));
    } else if (!S_ISDIR(status.st_mode)) {
        fault_set(error, UTTER_ERROR_FILE, "%s: is not a directory", path);
    } else {
        if ((status.st_mode & 077) != 0)
            chmod(path, 0700);
        return path;
    }
    free(path);
    return NULL;
}

int state_directory_log(void)
{
    char *name = NULL;
    struct stat status;
    char *directory = state_directory_open(NULL);
    int log = -1;
    if (directory != NULL && asprintf(&name, "%s/log", directory) >= 0)
        log = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log >= 0 && fstat(log, &status) == 0 && status.st_size > LOG_LIMIT &&
        ftruncate(log, 0) != 0)
        lseek(log, 0, SEEK_END); /* it stays long */
    free(name);
    free(directory);
    return log;
}

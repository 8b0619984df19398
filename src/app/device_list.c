/* SPDX-License-Identifier: MIT */
#include "app/device_list.h"
#include "app/fault.h"
#include "app/text.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_LIMIT = 1 << 20 };

struct device_list {
    pid_t pid;
    int pipe; /* -1: the answer is whole */
    char *answer;
    size_t length;
    json_t *json;
    char **titles;
    size_t count;
};

/* Between fork and exec in a process with threads: async-signal-safe calls alone. */
_Noreturn static void run_child(int out, const char *self)
{
    char program[] = "utter", command[] = "devices", option[] = "--json";
    char *const arguments[] = {program, command, option, NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0); /* the terminal's signals are for the listener */
    int null = open("/dev/null", O_RDWR);
    out = fcntl(out, F_DUPFD, 10);
    if (null < 0 || out < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(null, 2) < 0)
        _exit(EXIT_FAILURE);
    close_range(3, ~0U, 0);
    execv("/proc/self/exe", arguments);
    execv(self, arguments); /* without /proc */
    _exit(EXIT_FAILURE);
}

struct device_list *device_list_open(struct utter_error *error)
{
    int ends[2] = {-1, -1};
    struct device_list *list = calloc(1, sizeof *list);
    if (list == NULL || pipe2(ends, O_CLOEXEC) != 0)
        goto fail;
    list->pipe = ends[0];
    fcntl(list->pipe, F_SETFL, O_NONBLOCK);
    list->pid = fork();
    if (list->pid == 0)
        run_child(ends[1], (const char *)getauxval(AT_EXECFN));
    close(ends[1]);
    if (list->pid > 0)
        return list;
    close(ends[0]);
fail:
    fault_set(error, UTTER_ERROR_SYSTEM, "the inputs cannot be asked for: %s", strerror(errno));
    free(list);
    return NULL;
}

int device_list_descriptor(const struct device_list *list)
{
    return list->pipe;
}

/* Makes titles of the answer; what cannot be understood is an empty list. */
static void parse(struct device_list *list)
{
    list->json = json_loadb(list->answer != NULL ? list->answer : "", list->length, 0, NULL);
    size_t count = json_array_size(list->json);
    list->titles = calloc(count + 1, sizeof *list->titles);
    for (size_t i = 0; list->titles != NULL && i < count; i++) {
        const char *title = NULL, *name = NULL;
        json_t *object = json_array_get(list->json, i);
        if (json_unpack(object, "{ss, ss}", "title", &title, "name", &name) != 0)
            break;
        list->titles[i] = text_clean(title);
        if (list->titles[i] == NULL)
            break;
        list->count++;
    }
}

static void end_child(struct device_list *list)
{
    if (list->pid > 0) {
        kill(list->pid, SIGKILL);
        waitpid(list->pid, NULL, 0);
    }
    list->pid = 0;
    if (list->pipe >= 0)
        close(list->pipe);
    list->pipe = -1;
}

bool device_list_follow(struct device_list *list)
{
    char block[4096];
    while (list->pipe >= 0) {
        ssize_t got = read(list->pipe, block, sizeof block);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        char *answer = got > 0 && list->length < ANSWER_LIMIT
                           ? realloc(list->answer, list->length + (size_t)got)
                           : NULL;
        if (answer == NULL) { /* the end, or too much of it */
            end_child(list);
            parse(list);
            break;
        }
        memcpy(answer + list->length, block, (size_t)got);
        list->answer = answer;
        list->length += (size_t)got;
    }
    return true;
}

size_t device_list_count(const struct device_list *list)
{
    return list->count;
}

const char *const *device_list_titles(const struct device_list *list)
{
    return (const char *const *)list->titles;
}

const char *device_list_name(const struct device_list *list, size_t index)
{
    return json_string_value(json_object_get(json_array_get(list->json, index), "name"));
}

void device_list_close(struct device_list *list)
{
    if (list == NULL)
        return;
    end_child(list);
    for (size_t i = 0; i < list->count; i++)
        free(list->titles[i]);
    free(list->titles);
    free(list->answer);
    json_decref(list->json);
    free(list);
}

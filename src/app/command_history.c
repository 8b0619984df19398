/* SPDX-License-Identifier: MIT */
/* `utter history`: lists, shows, exports and deletes the sessions that were kept. */
#include "app/command.h"
#include "app/fault.h"
#include "app/history.h"
#include "app/history_print.h"
#include "app/option_values.h"
#include "app/options.h"

#include <stdio.h>
#include <string.h>

static const struct option_help HELP = {
    "usage: utter history                           the sessions that are kept\n"
    "       utter history show [SESSION]            what was said, and when\n"
    "       utter history export [OPTION...] [SESSION]\n"
    "       utter history delete SESSION...\n"
    "       utter history delete --all | --older DAYS\n"
    "\n"
    "SESSION is a name from the list, a part that only one has, or last, the default.\n"
    "Sessions lie in ~/.local/state/utter/sessions, where only you can read them.\n"
    "\n",
    "\n"
    "examples:\n"
    "  utter history export -o lecture.srt\n"
    "  utter history export --format json 2026-11-25_0317 | jq .text\n"
    "  utter history delete --older 30\n"
    "\n"
    "exit status: 1 when something failed, 2 for a wrong command line\n",
};

struct request {
    struct option_values values;
    const char *action;
    char **sessions;
    int count;
};

/* ---- one session ---- */

static bool read_entry(const struct history_entry *entry, struct history_session *session,
                       struct utter_error *error)
{
    FILE *file = fopen(entry->path, "re");
    if (file == NULL)
        return fault_set(error, UTTER_ERROR_FILE, "%s: cannot read", entry->path);
    bool ok = history_session_read(session, file, entry->path, error);
    fclose(file);
    if (ok && session->damaged > 0)
        fault_print("%s: %zu lines are damaged and left out", entry->name, session->damaged);
    return ok;
}

static enum sink_format choose_format(const struct option_values *values)
{
    /* In the order of the table's choices. */
    static const enum sink_format formats[] = {SINK_TEXT, SINK_JSON, SINK_JSONL, SINK_SRT,
                                               SINK_VTT};
    const char *output = option_values_text(values, OPTION_HISTORY_OUTPUT);
    const char *dot = output != NULL ? strrchr(output, '.') : NULL;
    enum sink_format format;
    if (option_values_text(values, OPTION_HISTORY_FORMAT) != NULL)
        return formats[option_values_number(values, OPTION_HISTORY_FORMAT)];
    return dot != NULL && sink_format_parse(dot + 1, &format) ? format : SINK_TEXT;
}

static bool give(const struct request *request, const struct history_entry *entry,
                 struct utter_error *error)
{
    struct history_session session;
    const struct option_values *values = &request->values;
    enum letter_case letter_case = (enum letter_case)option_values_number(values, OPTION_CASE);
    bool ok = read_entry(entry, &session, error);
    if (ok && strcmp(request->action, "show") == 0)
        ok = history_print_session(entry, &session, letter_case, error);
    else if (ok)
        ok = history_export(&session, entry->name, choose_format(values), letter_case,
                            option_values_text(values, OPTION_HISTORY_OUTPUT), error);
    history_session_free(&session);
    return ok;
}

/* ---- deleting ---- */

static int report_deleted(int count)
{
    printf("deleted %d session%s\n", count, count == 1 ? "" : "s");
    return options_help("");
}

/* Those that are named; all names are looked up before anything is deleted. */
static bool delete_named(const struct request *request, const struct history *history,
                         struct utter_error *error)
{
    for (int i = 0; i < request->count; i++)
        if (history_find(history, request->sessions[i], error) == NULL)
            return false;
    for (int i = 0; i < request->count; i++)
        if (!history_delete(history, history_find(history, request->sessions[i], error), error))
            return false;
    return true;
}

static bool delete_all(const struct history *history, time_t before, int *count,
                       struct utter_error *error)
{
    for (size_t i = 0; i < history->count; i++) {
        if (history->entries[i].written > before)
            continue;
        if (!history_delete(history, &history->entries[i], error))
            return false;
        ++*count;
    }
    return true;
}

static int delete (const struct request *request, const struct history *history)
{
    const struct option_values *values = &request->values;
    struct utter_error error;
    bool all = option_values_number(values, OPTION_ALL);
    bool older = option_values_text(values, OPTION_OLDER) != NULL;
    int count = request->count;
    if ((count > 0) + all + older != 1) {
        fault_print("delete: name sessions, or --all, or --older DAYS (see utter history --help)");
        return OPTIONS_USAGE;
    }
    time_t days = older ? option_values_number(values, OPTION_OLDER) : 0;
    bool ok = count > 0 ? delete_named(request, history, &error)
                        : delete_all(history, time(NULL) - days * 24 * 60 * 60, &count, &error);
    if (ok)
        return report_deleted(count);
    fault_print("%s", error.message);
    return OPTIONS_FAILURE;
}

/* ---- the command ---- */

static int act(const struct request *request, const struct history *history)
{
    struct utter_error error;
    const char *wanted = request->count > 0 ? request->sessions[0] : "last";
    if (strcmp(request->action, "delete") == 0)
        return delete (request, history);
    bool ok;
    if (strcmp(request->action, "list") == 0) {
        ok = history_print_list(history, &error);
    } else {
        const struct history_entry *entry = history_find(history, wanted, &error);
        ok = entry != NULL && give(request, entry, &error);
    }
    if (ok)
        return OPTIONS_OK;
    fault_print("%s", error.message);
    return OPTIONS_FAILURE;
}

/* OPTIONS_END: go on. */
static int parse(int argc, char **argv, struct request *request)
{
    static const char *const actions[] = {"list", "show", "export", "delete", NULL};
    int status = option_values_read(&request->values, COMMAND_HISTORY, argc, argv, &HELP);
    if (status != OPTIONS_END)
        return status;
    request->action = optind < argc ? argv[optind++] : "list";
    request->sessions = argv + optind;
    request->count = argc - optind;
    int index = 0;
    while (actions[index] != NULL && strcmp(actions[index], request->action) != 0)
        index++;
    const char *meant = options_suggest(request->action, actions);
    if (actions[index] == NULL && meant != NULL)
        fault_print("history %s: did you mean %s? (see utter history --help)", request->action,
                    meant);
    else if (actions[index] == NULL)
        fault_print("history %s: must be list, show, export or delete", request->action);
    else if (index == 0 && request->count > 0)
        fault_print("history list: takes no session: did you mean `utter history show %s`?",
                    request->sessions[0]);
    else if (index < 3 && request->count > 1)
        fault_print("history %s: one session at a time", request->action);
    else
        return OPTIONS_END;
    return OPTIONS_USAGE;
}

int command_history(int argc, char **argv)
{
    struct request request = {.action = NULL};
    struct history history;
    struct utter_error error;
    int status = parse(argc, argv, &request);
    if (status == OPTIONS_END) {
        status = OPTIONS_FAILURE;
        if (history_open(&history, &error))
            status = act(&request, &history);
        else
            fault_print("%s", error.message);
        history_close(&history);
    }
    option_values_free(&request.values);
    return status;
}

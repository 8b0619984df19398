/* SPDX-License-Identifier: MIT */
/* The program: sets up the process and hands over to a command. */
#include "app/capture.h"
#include "app/command.h"
#include "app/fault.h"
#include "app/option_table.h"
#include "app/options.h"

#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char HELP[] =
    "utter: captions of what is being said, while it is being said, offline\n"
    "\n"
    "usage: utter [listen] [OPTION...]              live captions of a microphone\n"
    "       utter transcribe [OPTION...] FILE...    text or subtitles of recordings\n"
    "       utter devices                           the microphones that can be used\n"
    "       utter eval [OPTION...] DATASET          how many words a model gets wrong\n"
    "       utter doctor [OPTION...]                what keeps captions from working\n"
    "       utter history [ACTION] [OPTION...]      what was said before\n"
    "       utter config [COMMAND [OPTION...]]      what is set, and by whom\n"
    "       utter --version | --help\n"
    "\n"
    "utter COMMAND --help says more about each of them.\n"
    "\n"
    "examples:\n"
    "  utter --device 3 -o meeting.txt        another microphone; keep the text\n"
    "  utter --demo                           no microphone? a recording instead\n"
    "  utter transcribe talk.flac             the text of a recording\n"
    "  utter transcribe -o talk.srt talk.mp3  subtitles\n"
    "  utter listen --format jsonl | jq .     events for other programs\n"
    "\n"
    "environment:\n"
    "  UTTER_MODEL, UTTER_DEVICE, UTTER_THREADS  as the options say\n"
    "  UTTER_CONFIG  another configuration than ~/.config/utter/config\n";

static int (*const COMMANDS[COMMAND_COUNT])(int argc, char **argv) = {
    [COMMAND_LISTEN] = command_listen,   [COMMAND_TRANSCRIBE] = command_transcribe,
    [COMMAND_DEVICES] = command_devices, [COMMAND_EVAL] = command_eval,
    [COMMAND_DOCTOR] = command_doctor,   [COMMAND_HISTORY] = command_history,
    [COMMAND_CONFIG] = command_config,
};

/* Text is UTF-8 whatever the locale says; numbers in files have a point in every language. */
static void set_up_locale(void)
{
    setlocale(LC_ALL, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
    setlocale(LC_NUMERIC, "C");
}

static int run_command(enum option_command command, int argc, char **argv)
{
    /* getopt takes [0] for the name; `utter -x` means `utter listen -x`. */
    argv[0] = (char *)option_table_command(command);
    return COMMANDS[command](argc, argv);
}

static int refuse_command(const char *given)
{
    const char *names[COMMAND_COUNT + 1] = {NULL};
    for (enum option_command command = 0; command < COMMAND_COUNT; command++)
        names[command] = option_table_command(command);
    const char *meant = options_suggest(given, names);
    if (meant == NULL && access(given, F_OK) == 0)
        fault_print("%s: is no command: did you mean `utter transcribe %s`? (see utter --help)",
                    given, given);
    else if (meant != NULL)
        fault_print("%s: is no command: did you mean `utter %s`? (see utter --help)", given, meant);
    else
        fault_print("%s: is no command (see utter --help)", given);
    return OPTIONS_USAGE;
}

static int print_version(void)
{
    char line[64];
    snprintf(line, sizeof line, "utter %s\n", utter_version());
    return options_help(line);
}

int main(int argc, char **argv)
{
    set_up_locale();
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
    if (argc < 2) {
        char listen[] = "listen";
        char *none[] = {listen, NULL};
        return run_command(COMMAND_LISTEN, 1, none);
    }
    const char *first = argv[1];
    if (strcmp(first, CAPTURE_COMMAND) == 0)
        return command_capture(argc - 1, argv + 1);
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0)
        return print_version();
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 ||
        (strcmp(first, "help") == 0 && argc == 2))
        return options_help(HELP);
    if (first[0] == '-')
        return run_command(COMMAND_LISTEN, argc, argv);

    /* `utter help COMMAND` is `utter COMMAND --help`. */
    bool help = strcmp(first, "help") == 0;
    for (enum option_command command = 0; command < COMMAND_COUNT; command++) {
        if (strcmp(option_table_command(command), help ? argv[2] : first) != 0)
            continue;
        if (!help)
            return run_command(command, argc - 1, argv + 1);
        char name[] = "help", option[] = "--help";
        char *arguments[] = {name, option, NULL};
        return run_command(command, 2, arguments);
    }
    return refuse_command(help ? argv[2] : first);
}

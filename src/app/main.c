/* SPDX-License-Identifier: MIT */
/* The program: sets up the process and hands over to a command. */
#include "app/capture.h"
#include "app/command.h"
#include "app/fault.h"
#include "app/options.h"

#include <langinfo.h>
#include <locale.h>
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
    "       utter --version | --help\n"
    "\n"
    "utter COMMAND --help says more about each of them.\n"
    "\n"
    "examples:\n"
    "  utter                                  captions of the default microphone\n"
    "  utter --device 3 -o meeting.txt        of another one, and keep the text\n"
    "  utter --demo                           no microphone? a recording instead\n"
    "  utter transcribe talk.flac             the text of a recording\n"
    "  utter transcribe -o talk.srt talk.mp3  subtitles\n"
    "  utter listen --format jsonl | jq .     events for other programs\n"
    "\n"
    "environment:\n"
    "  UTTER_MODEL  the model's directory, unless --model says it\n";

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
} COMMANDS[] = {
    {"listen", command_listen},
    {"transcribe", command_transcribe},
    {"devices", command_devices},
    {"eval", command_eval},
};
enum { COMMAND_COUNT = sizeof COMMANDS / sizeof COMMANDS[0] };

/* Text is UTF-8 whatever the locale says; numbers in files have a point in every language. */
static void set_up_locale(void)
{
    setlocale(LC_ALL, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
    setlocale(LC_NUMERIC, "C");
}

static int run_command(const struct command *command, int argc, char **argv)
{
    /* getopt takes [0] for the name; `utter -x` means `utter listen -x`. */
    argv[0] = (char *)command->name;
    return command->run(argc, argv);
}

static int refuse_command(const char *given)
{
    const char *names[COMMAND_COUNT + 1] = {NULL};
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = COMMANDS[i].name;
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
    if (argc < 2) {
        char listen[] = "listen";
        char *none[] = {listen, NULL};
        return run_command(&COMMANDS[0], 1, none);
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
        return run_command(&COMMANDS[0], argc, argv);

    /* `utter help COMMAND` is `utter COMMAND --help`. */
    bool help = strcmp(first, "help") == 0;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(COMMANDS[i].name, help ? argv[2] : first) != 0)
            continue;
        if (!help)
            return run_command(&COMMANDS[i], argc - 1, argv + 1);
        char name[] = "help", option[] = "--help";
        char *arguments[] = {name, option, NULL};
        return run_command(&COMMANDS[i], 2, arguments);
    }
    return refuse_command(help ? argv[2] : first);
}

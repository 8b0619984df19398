/* SPDX-License-Identifier: MIT */
/* `utter doctor`: what would keep live captions from working here, and what to do about it. */
#include "app/command.h"
#include "app/doctor.h"
#include "app/fault.h"
#include "app/options.h"
#include "app/state_directory.h"
#include "app/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct option_help HELP = {
    "usage: utter doctor [OPTION...]\n"
    "\n"
    "Looks for what would keep live captions from working: the configuration, the\n"
    "history, the terminal, the model, this machine's speed with it, the microphone,\n"
    "and what it hears. One line each, with what to do. Speak while it listens.\n"
    "\n",
    "\n"
    "examples:\n"
    "  utter doctor\n"
    "  utter doctor --device webcam --seconds 10\n"
    "\n"
    "exit status: 0 when captions would work, 1 when not, 2 for a wrong command line\n",
};

void doctor_say(struct doctor *doctor, enum doctor_verdict verdict, const char *what,
                const char *format, ...)
{
    static const char *const words[] = {"ok", "warn", "FAIL"};
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    char *clean = text_clean(line);
    printf("%-4s  %-13s  %s\n", words[verdict], what, clean != NULL ? clean : "out of memory");
    fflush(stdout); /* the next one may take a while */
    free(clean);
    doctor->worst = verdict > doctor->worst ? verdict : doctor->worst;
}

/* What this command reads is right already. */
static void check_configuration(struct doctor *doctor)
{
    struct utter_error error;
    const struct configuration *configuration = doctor->values->configuration;
    if (!option_values_check(configuration, &error))
        doctor_say(doctor, DOCTOR_WARNING, "configuration", "%s", error.message);
    else
        doctor_say(doctor, DOCTOR_WELL, "configuration", "%s%s", configuration_path(configuration),
                   configuration_exists(configuration) ? "" : " (none, so defaults)");
}

static int examine(const struct option_values *values)
{
    struct doctor doctor = {.values = values, .log = state_directory_log()};
    check_configuration(&doctor);
    doctor_check_history(&doctor);
    doctor_check_terminal(&doctor);
    doctor_check_sound(&doctor, doctor_check_model(&doctor));
    if (doctor.log >= 0)
        close(doctor.log);
    int status = options_help("");
    return status == OPTIONS_OK && doctor.worst == DOCTOR_FAILURE ? OPTIONS_FAILURE : status;
}

int command_doctor(int argc, char **argv)
{
    struct option_values values;
    int status = option_values_read(&values, COMMAND_DOCTOR, argc, argv, &HELP);
    if (status == OPTIONS_END && optind < argc) {
        fault_print("%s: utter doctor takes no operand", argv[optind]);
        status = OPTIONS_USAGE;
    }
    if (status == OPTIONS_END)
        status = examine(&values);
    option_values_free(&values);
    return status;
}

/* SPDX-License-Identifier: MIT */
/**
 * What `utter doctor` looks at, each with one line on standard output: whether it is well, what it
 * is, and what to do when it is not. Main thread.
 */
#ifndef APP_DOCTOR_H
#define APP_DOCTOR_H

#include "app/option_values.h"

enum doctor_verdict { DOCTOR_WELL, DOCTOR_WARNING, DOCTOR_FAILURE };

struct doctor {
    const struct option_values *values;
    enum doctor_verdict worst;
    int log; /**< descriptor for what sound libraries print; -1: nowhere */
};

/** Prints a line about `what`, and remembers the worst verdict. */
void doctor_say(struct doctor *doctor, enum doctor_verdict verdict, const char *what,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

void doctor_check_history(struct doctor *doctor);
void doctor_check_terminal(struct doctor *doctor);
/** The model, and how fast this machine is with it. Returns its rate, or that of most models. */
int doctor_check_model(struct doctor *doctor);
/** The microphone: listens for a few seconds at `rate` Hz if it can. */
void doctor_check_sound(struct doctor *doctor, int rate);

#endif

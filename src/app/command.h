/* SPDX-License-Identifier: MIT */
/**
 * The program's commands. `argv[0]` is the command's own name; the exit status is returned.
 * Called once, from main().
 */
#ifndef APP_COMMAND_H
#define APP_COMMAND_H

int command_listen(int argc, char **argv);
int command_transcribe(int argc, char **argv);
int command_devices(int argc, char **argv);
int command_eval(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_history(int argc, char **argv);
int command_config(int argc, char **argv);

/** Hidden: what the program starts for itself to record in (capture.h). */
int command_capture(int argc, char **argv);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * A file that a transcript is written to, or standard output.
 *
 * A whole transcript (OUTPUT_REPLACE) goes to a temporary name and takes its real name only when
 * all of it is on the disk: nothing half-written is ever seen. A live one (OUTPUT_APPEND) is
 * written through at once; what a full disk refuses is kept and tried again with the next write.
 * Devices and pipes are written directly in both modes.
 *
 * One thread at a time.
 */
#ifndef APP_OUTPUT_H
#define APP_OUTPUT_H

#include "utter.h"

enum output_mode {
    OUTPUT_REPLACE,
    OUTPUT_APPEND,
    OUTPUT_CREATE, /**< as OUTPUT_APPEND, but a file that holds something already is refused */
};

struct output;

/** `path` NULL or "-" is standard output. */
struct output *output_open(const char *path, enum output_mode mode, struct utter_error *error);

/**
 * A file that is open for appending already, called `name`; it is the output's from here on, also
 * when this fails.
 */
struct output *output_adopt(int descriptor, const char *name, struct utter_error *error);

/**
 * From here on a thread writes (disk_writer.h), and a disk that hangs holds nobody up but who
 * drains or closes. Without one, everything stays as it was.
 */
void output_background(struct output *output);

/**
 * False when the system refuses (UTTER_ERROR_FILE), or with a thread has not answered for a second
 * (UTTER_ERROR_SYSTEM): what it did not take is written by the next call that can.
 */
bool output_write(struct output *output, const char *bytes, size_t count,
                  struct utter_error *error);

/** Whether the system had all when output_write() returned last. */
bool output_settled(const struct output *output);

/** Waits until the system has all, or refuses it; the thread is gone after that. */
bool output_drain(struct output *output, struct utter_error *error);

/** Writes what is left, gives the file its name and closes it, also when that fails. */
bool output_close(struct output *output, struct utter_error *error);

/** Closes; of OUTPUT_REPLACE, nothing is left behind. NULL is allowed. */
void output_abandon(struct output *output);

/** Whether output_open() could replace `path`, so that this is said before the work, not after. */
bool output_check(const char *path, struct utter_error *error);

/** For messages: the path, sanitised, or "standard output". Belongs to the output. */
const char *output_name(const struct output *output);

#endif

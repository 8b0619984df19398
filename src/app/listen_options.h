/* SPDX-License-Identifier: MIT */
/**
 * The command line of `utter listen`. Main thread.
 */
#ifndef APP_LISTEN_OPTIONS_H
#define APP_LISTEN_OPTIONS_H

#include "app/sink.h"

struct listen_options {
    const char *device; /**< NULL: the default microphone */
    const char *input;  /**< a file instead; NULL: none */
    bool demo;          /**< the recording that comes with the program */
    const char *output; /**< -o; NULL: none was given */
    bool format_given;
    struct sink_options sink; /**< but for the sample rate */
    const char *model;        /**< NULL: the default */
    int threads;              /**< 0: the default */
};

/** OPTIONS_END: go on. Otherwise the command is over, and this is its exit status. */
int listen_options_parse(int argc, char **argv, struct listen_options *options);

#endif

/* SPDX-License-Identifier: MIT */
/**
 * What `utter listen` was told on the command line, by the environment and in the configuration.
 * Main thread.
 */
#ifndef APP_LISTEN_OPTIONS_H
#define APP_LISTEN_OPTIONS_H

#include "app/option_values.h"
#include "app/screen.h"
#include "app/sink.h"

struct listen_options {
    struct option_values values; /**< owns the strings below; its configuration has [keys] */
    const char *device;          /**< NULL: the default microphone */
    const char *input;           /**< a file instead; NULL: none */
    int speed;                   /**< of that file, times a microphone's */
    bool demo;                   /**< the recording that comes with the program */
    const char *output;          /**< -o; NULL: none was given */
    bool format_given;
    struct sink_options sink; /**< but for the sample rate */
    int threads;              /**< 0: the default */
    bool mix;                 /**< the microphone and the desktop as one ... */
    bool split;               /**< ... or as two speakers */
    bool plain;               /**< no screen, whatever the terminal can do */
    struct screen_options screen;
};

/** OPTIONS_END: go on. Otherwise the command is over, and this is its exit status. */
int listen_options_read(int argc, char **argv, struct listen_options *options);

/** In either case. */
void listen_options_free(struct listen_options *options);

#endif

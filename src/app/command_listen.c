/* SPDX-License-Identifier: MIT */
/* `utter listen`, which is also `utter` alone: live captions. */
#include "app/command.h"
#include "app/listen_options.h"
#include "app/options.h"
#include "app/session.h"

int command_listen(int argc, char **argv)
{
    struct listen_options options;
    struct session session;
    int status = listen_options_read(argc, argv, &options);
    if (status == OPTIONS_END) {
        status = session_open(&session, &options);
        if (status == OPTIONS_OK) {
            session_run(&session);
            status = session_close(&session);
        }
    }
    listen_options_free(&options);
    return status;
}

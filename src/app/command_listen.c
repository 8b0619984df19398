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
    int status = listen_options_parse(argc, argv, &options);
    if (status != OPTIONS_END)
        return status;
    status = session_open(&session, &options);
    if (status != OPTIONS_OK)
        return status;
    session_run(&session);
    return session_close(&session);
}

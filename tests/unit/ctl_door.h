/* SPDX-License-Identifier: Apache-2.0
 * An administrators' door whose qseald is played by a test of qsealctl. */
#ifndef QSEAL_TESTS_UNIT_CTL_DOOR_H
#define QSEAL_TESTS_UNIT_CTL_DOOR_H

#include "base/fd.h"
#include "base/log.h"
#include "check.h"
#include "custody/custody.h"
#include "wire/serve.h"

/* Ended by serve_stop(). */
static inline struct serve *ctl_door(const char *socket, const struct serve_row *rows,
                                     size_t n_rows, void *room)
{
    struct reason why = {0};
    const struct serve_options options = {
        .name = "admin door",
        .listener = fd_listen_unix(socket, 0600, 4),
        .workers = 1,
        .max_connections = 4,
        .max_payload = CUSTODY_ARGUMENTS_MAX + 4,
        .rows = rows,
        .n_rows = n_rows,
        .room = room,
    };
    log_set_level(LOG_LEVEL_ERROR);
    struct serve *serve = serve_start(&options, &why);
    assert_non_null(serve);
    return serve;
}

#endif

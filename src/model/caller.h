/* SPDX-License-Identifier: Apache-2.0
 * Who is at the other end of a unix socket, as the kernel says (SO_PEERCRED: the state at connect).
 */
#ifndef QSEAL_MODEL_CALLER_H
#define QSEAL_MODEL_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Beside the primary one; Linux allows 65536, people have a handful. */
enum { CALLER_GROUPS_MAX = 256 };

/* Supplementary groups (SO_PEERGROUPS), as they were at connect. */
struct caller_groups {
    gid_t list[CALLER_GROUPS_MAX];
    size_t n;
    bool too_many; /* more than the list holds: none of them is in it */
};

struct caller {
    uid_t uid;
    gid_t gid;                          /* primary */
    pid_t pid;                          /* for the log only: it may be stale */
    const struct caller_groups *groups; /* borrowed from the connection; NULL at doors that do not
                                           ask for them */
};

/* Nobody knows who: no user has this uid, and root must not be named for it. */
#define CALLER_UNKNOWN ((struct caller){.uid = (uid_t)-1})

#endif

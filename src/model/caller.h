/* SPDX-License-Identifier: Apache-2.0
 * Who is at the other end of a unix socket, as the kernel says (SO_PEERCRED: the state at connect).
 */
#ifndef QSEAL_MODEL_CALLER_H
#define QSEAL_MODEL_CALLER_H

#include <sys/types.h>

struct caller {
    uid_t uid;
    gid_t gid;
    pid_t pid; /* for the log only: it may be stale */
};

#endif

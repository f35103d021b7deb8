/* SPDX-License-Identifier: Apache-2.0
 * Who is at the other end, as the kernel knows it (unix(7), SO_PEERCRED; SO_PEERGROUPS). */
#include "wire/serve.h"

#include <errno.h>
#include <sys/socket.h>

bool serve_peer_of(int fd, struct caller *out)
{
    struct ucred cred;
    socklen_t len = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 || len != sizeof cred) {
        return false;
    }
    *out = (struct caller){.uid = cred.uid, .gid = cred.gid, .pid = cred.pid};
    return true;
}

bool serve_groups_of(int fd, struct caller_groups *out)
{
    socklen_t len = sizeof out->list;
    out->n = 0;
    out->too_many = false;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, out->list, &len) == 0) {
        out->n = len / sizeof out->list[0];
        return true;
    }
    out->too_many = errno == ERANGE;
    return out->too_many;
}

/* SPDX-License-Identifier: Apache-2.0
 * Who is at the other end, as the kernel knows it (unix(7), SO_PEERCRED; SO_PEERGROUPS). */
#include "wire/serve.h"

#include "base/log.h"

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

static bool is_allowed(const struct serve_options *options, uid_t uid)
{
    for (size_t i = 0; i < options->n_allowed; i++) {
        if (options->allowed[i] == uid) {
            return true;
        }
    }
    return options->n_allowed == 0;
}

bool serve_peer_is_welcome(const struct serve_options *options, int fd, struct caller *peer)
{
    if (!serve_peer_of(fd, peer)) {
        log_warning("%s: a peer without credentials was turned away", options->name);
        return false;
    }
    if (!is_allowed(options, peer->uid)) {
        log_warning("%s: uid %u (pid %d) may not connect here", options->name, peer->uid,
                    peer->pid);
        return false;
    }
    return true;
}

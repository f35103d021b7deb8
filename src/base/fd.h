/* SPDX-License-Identifier: Apache-2.0
 * File descriptors that close themselves, and unix socket addresses. Every descriptor made here is
 * CLOEXEC. */
#ifndef QSEAL_BASE_FD_H
#define QSEAL_BASE_FD_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

/* Closes and sets to -1; accepts -1. */
void fd_close(int *fd);
/* Hands the descriptor out of a cleanup variable. */
int fd_steal(int *fd) MUST_USE;

#define FD_CLEANUP CLEANUP(fd_close)

/* False when the path is empty or over 107 bytes (unix(7)); abstract sockets do not exist here. */
bool fd_unix_address(const char *path, struct sockaddr_un *address) MUST_USE;
/* A listening SOCK_STREAM unix socket at `path` with this mode; a socket file that nobody
 * listens at is replaced; one that is served (EADDRINUSE) or any other file (EEXIST) is not. -1
 * with errno on failure. The folder decides who may reach it: make it 0750. */
int fd_listen_unix(const char *path, unsigned int mode, int backlog) MUST_USE;

/* Whether peers may pass descriptors over this unix socket (SO_PASSRIGHTS; what is accepted has
 * what its listener has). A descriptor that nobody wants is closed by whoever reads past it, and
 * its sender decides how long that takes. False where the kernel, before 6.16, does not know this.
 */
bool fd_take_rights(int fd, bool may);

#endif

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

#endif

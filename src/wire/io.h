/* SPDX-License-Identifier: Apache-2.0
 * Whole reads and writes on a stream socket, each with a deadline. No SIGPIPE. */
#ifndef QSEAL_WIRE_IO_H
#define QSEAL_WIRE_IO_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/clock.h"

#include <stdbool.h>

/* Waits for poll(2) events; false with errno, ETIMEDOUT at the deadline. */
bool io_wait(int fd, short events, struct deadline deadline) MUST_USE;
/* Sends all of it; false with errno. */
bool io_send(int fd, struct span bytes, struct deadline deadline) MUST_USE;
/* The same, with the descriptor `passed` beside the first byte (SCM_RIGHTS), unless it is -1. */
bool io_send_with(int fd, struct span bytes, int passed, struct deadline deadline) MUST_USE;
/* Reads until the buffer holds at least `want` bytes, and takes more when more is there. False with
 * errno, 0 when the peer has closed. */
bool io_receive(int fd, struct buffer *in, size_t want, struct deadline deadline) MUST_USE;
/* The same, and keeps the descriptor that came beside them: *passed, -1 before, is the caller's
 * then, also when it fails. More than one is EPROTO. */
bool io_receive_with(int fd, struct buffer *in, size_t want, int *passed,
                     struct deadline deadline) MUST_USE;

/* Bytes a buffer may need beyond the largest frame, because io_receive() reads in chunks. */
enum { IO_CHUNK = 16 * 1024 };

#endif

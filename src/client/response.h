/* SPDX-License-Identifier: Apache-2.0
 * One HTTP/1.1 answer (RFC 9112), read strictly: Content-Length exactly once, no transfer codings,
 * no interim answers, no folded lines, bounded head and body. */
#ifndef QSEAL_CLIENT_RESPONSE_H
#define QSEAL_CLIENT_RESPONSE_H

#include "base/attributes.h"
#include "qseal/client.h"

#include <stdbool.h>

enum { RESPONSE_MAX_HEAD = 16 * 1024, RESPONSE_MAX_HEADERS = 64 };

struct response {
    unsigned int status;
    size_t head_len; /* with the empty line */
    size_t body_len; /* as announced */
    size_t header_count;
    struct qseal_header headers[RESPONSE_MAX_HEADERS];
};

/* Position behind the empty line that ends the head, 0 when it is not there yet. */
size_t response_head_end(const char *text, size_t len);
/* Reads a head of `len` bytes, its empty line included. Names and values are terminated inside
 * `text`, and the headers point there. False with a fixed text in `why`. */
bool response_read(char *text, size_t len, struct response *out, const char **why) MUST_USE;

#endif

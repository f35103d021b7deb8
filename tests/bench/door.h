/* SPDX-License-Identifier: Apache-2.0
 * Just enough HTTP/1.1 to load the callers' door: one POST sent again and again over a kept-alive
 * unix socket, and an answer read to its end. It trusts the server: it is a load generator, not a
 * client to copy. */
#ifndef QSEAL_BENCH_DOOR_H
#define QSEAL_BENCH_DOOR_H

#include <stdbool.h>
#include <stddef.h>

enum { DOOR_ANSWER_MAX = 64 * 1024 };

struct door_request {
    char *bytes;
    size_t len;
};

struct door {
    int fd;
    size_t filled;
    char answer[DOOR_ANSWER_MAX];
};

enum door_progress { DOOR_MORE, DOOR_OK, DOOR_REFUSED, DOOR_BROKEN };

/* POST `path` with the content of the file `body`; with a NULL body, GET. To be freed by
 * door_request_free. */
bool door_request_init(struct door_request *request, const char *path, const char *body,
                       const char *content_type);
void door_request_free(struct door_request *request);

bool door_open(struct door *door, const char *socket_path);
bool door_send(struct door *door, const struct door_request *request);
/* Reads once (waiting, if nothing is there). DOOR_OK: a whole answer of status 200;
 * DOOR_REFUSED: a whole answer of another status, which is in `answer` as text. */
enum door_progress door_receive(struct door *door);

#endif

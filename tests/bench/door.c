/* SPDX-License-Identifier: Apache-2.0
 * A request prepared once, an answer measured by its Content-Length. */
#include "door.h"

#include "base/fd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BODY_MAX = 1024 * 1024, HEAD_MAX = 1024 };

static bool read_body(const char *path, char *out, size_t *len)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        perror(path);
        return false;
    }
    *len = fread(out, 1, BODY_MAX, file);
    bool good = ferror(file) == 0;
    (void)fclose(file);
    return good;
}

bool door_request_init(struct door_request *request, const char *path, const char *body,
                       const char *content_type)
{
    char *content = calloc(1, BODY_MAX);
    request->bytes = calloc(1, HEAD_MAX + BODY_MAX);
    size_t len = 0;
    if (content == NULL || request->bytes == NULL ||
        (body != NULL && !read_body(body, content, &len))) {
        free(content);
        return false;
    }
    int head = body == NULL ? snprintf(request->bytes, HEAD_MAX,
                                       "GET %s HTTP/1.1\r\nHost: qseal\r\n\r\n", path)
                            : snprintf(request->bytes, HEAD_MAX,
                                       "POST %s HTTP/1.1\r\nHost: qseal\r\nContent-Type: %s\r\n"
                                       "Content-Length: %zu\r\n\r\n",
                                       path, content_type, len);
    bool good = head > 0 && head < HEAD_MAX;
    if (good) {
        memcpy(request->bytes + head, content, len);
        request->len = (size_t)head + len;
    }
    free(content);
    return good;
}

void door_request_free(struct door_request *request)
{
    free(request->bytes);
    *request = (struct door_request){0};
}

bool door_open(struct door *door, const char *socket_path)
{
    struct sockaddr_un address;
    if (!fd_unix_address(socket_path, &address)) {
        return false;
    }
    door->filled = 0;
    door->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return door->fd >= 0 &&
           connect(door->fd, (const struct sockaddr *)&address, sizeof address) == 0;
}

bool door_send(struct door *door, const struct door_request *request)
{
    door->filled = 0;
    size_t sent = 0;
    while (sent < request->len) {
        ssize_t n = send(door->fd, request->bytes + sent, request->len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        sent += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* The length of the whole answer, 0 while its head is not complete. */
static size_t whole_length(const struct door *door)
{
    const char *end = memmem(door->answer, door->filled, "\r\n\r\n", 4);
    if (end == NULL) {
        return 0;
    }
    size_t head = (size_t)(end - door->answer) + 4;
    for (const char *line = door->answer; line < end;) {
        static const char name[] = "Content-Length:";
        if (strncasecmp(line, name, sizeof name - 1) == 0) {
            return head + strtoul(line + sizeof name - 1, NULL, 10);
        }
        const char *next = memchr(line, '\n', (size_t)(end + 2 - line));
        line = next == NULL ? end : next + 1;
    }
    return head;
}

enum door_progress door_receive(struct door *door)
{
    size_t room = sizeof door->answer - 1 - door->filled;
    ssize_t n = recv(door->fd, door->answer + door->filled, room, 0);
    if (n <= 0) {
        return n < 0 && errno == EINTR ? DOOR_MORE : DOOR_BROKEN;
    }
    door->filled += (size_t)n;
    door->answer[door->filled] = '\0';
    size_t whole = whole_length(door);
    if (whole == 0 || door->filled < whole) {
        return door->filled < sizeof door->answer - 1 ? DOOR_MORE : DOOR_BROKEN;
    }
    return strncmp(door->answer, "HTTP/1.1 200", 12) == 0 ? DOOR_OK : DOOR_REFUSED;
}

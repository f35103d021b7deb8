/* SPDX-License-Identifier: Apache-2.0
 * A front: what is said between qseald and one httpd on the callers' door. */
#include "roles/qseald/front.h"

#include "base/fd.h"
#include "base/log.h"
#include "signing/signing.h"
#include "wire/frame.h"
#include "wire/io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    IN_MAX = 64 * 1024,
    SEND_DEADLINE_MS = 2000, /* httpd takes a descriptor within this time, or is given up */
};

bool front_init(struct front *front, uint32_t connections)
{
    *front = (struct front){.fd = -1, .max = connections, .in = BUFFER_INIT(IN_MAX)};
    front->numbers = calloc(connections, sizeof *front->numbers);
    return front->numbers != NULL;
}

void front_fini(struct front *front)
{
    fd_close(&front->fd);
    free(front->numbers);
    buffer_fini(&front->in);
}

void front_drop(struct front *front, struct callers *callers, const char *why)
{
    if (front->fd < 0) {
        return;
    }
    log_info("httpd left: %s", why);
    fd_close(&front->fd);
    buffer_reset(&front->in);
    while (front->n_numbers > 0) {
        callers_disconnect(callers, front->numbers[--front->n_numbers]);
    }
}

bool front_keep(struct front *front, uint64_t number)
{
    if (front->n_numbers == front->max) {
        return false;
    }
    front->numbers[front->n_numbers++] = number;
    return true;
}

/* Only what was given to this front is its own to give back; other numbers are ignored. */
static void free_number(struct front *front, struct callers *callers, uint64_t number)
{
    for (size_t i = front->n_numbers; i > 0; i--) {
        if (front->numbers[i - 1] == number) {
            front->numbers[i - 1] = front->numbers[--front->n_numbers];
            callers_disconnect(callers, number);
            return;
        }
    }
}

bool front_send(const struct front *front, struct buffer *out, int passed)
{
    return frame_end(out) &&
           io_send_with(front->fd, buffer_span(out), passed, deadline_in_ms(SEND_DEADLINE_MS));
}

static bool take_frame(struct front *front, struct callers *callers, uint8_t kind,
                       struct reader *body, bool *drains)
{
    if (kind == DOOR_KIND_DRAIN) {
        *drains = true;
        return reader_done(body);
    }
    uint64_t number = reader_u64(body);
    if (kind != DOOR_KIND_CLOSED || !reader_done(body)) {
        return false;
    }
    free_number(front, callers, number);
    return true;
}

/* Takes whole frames off the front's bytes; false when one is not ours. */
static bool read_frames(struct front *front, struct callers *callers, bool *drains)
{
    struct buffer *in = &front->in;
    size_t at = 0;
    while (in->len - at >= FRAME_HEADER_LEN) {
        struct frame_header header;
        if (!frame_parse_header(in->data + at, FRONT_FRAME_MAX, &header)) {
            return false;
        }
        struct span rest = span_part(buffer_span(in), at + FRAME_HEADER_LEN, SIZE_MAX);
        if (rest.len < header.length) {
            break;
        }
        struct reader body = reader_of(span_part(rest, 0, header.length));
        if (!take_frame(front, callers, header.kind, &body, drains)) {
            return false;
        }
        at += FRAME_HEADER_LEN + (size_t)header.length;
    }
    memmove(in->data, in->data + at, in->len - at);
    buffer_cut(in, in->len - at);
    return true;
}

const char *front_hear(struct front *front, struct callers *callers, bool *drains)
{
    enum { CHUNK = 4096 };
    size_t had = front->in.len;
    uint8_t *room = buffer_extend(&front->in, CHUNK);
    ssize_t got = room == NULL ? -1 : recv(front->fd, room, CHUNK, MSG_DONTWAIT);
    buffer_cut(&front->in, had + (got > 0 ? (size_t)got : 0));
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return NULL;
    }
    if (got <= 0) {
        return "it closed the door";
    }
    return read_frames(front, callers, drains) ? NULL : "it sent no frame of ours";
}

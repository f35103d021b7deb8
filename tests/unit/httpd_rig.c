/* SPDX-License-Identifier: Apache-2.0
 * The bench for qseal-httpd. */
#include "httpd_rig.h"

#include "base/clock.h"
#include "base/fd.h"
#include "wire/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool wait_for(int fd, short events, int within_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    struct deadline deadline = deadline_in_ms(within_ms);
    int found = 0;
    do {
        found = poll(&poll_fd, 1, deadline_left_ms(deadline));
    } while (found < 0 && errno == EINTR);
    return found > 0;
}

void rig_listen(struct rig *rig)
{
    rig->listener = fd_listen_unix(rig->path, 0600, 64);
    assert_true(rig->listener >= 0);
}

int rig_accept(struct rig *rig)
{
    assert_true(wait_for(rig->listener, POLLIN, RIG_WAIT_MS));
    int fd = accept4(rig->listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void read_all(int fd, void *out, size_t len)
{
    uint8_t *at = out;
    while (len > 0) {
        assert_true(wait_for(fd, POLLIN, RIG_WAIT_MS));
        ssize_t got = read(fd, at, len);
        assert_true(got > 0);
        at += got;
        len -= (size_t)got;
    }
}

static void write_all(int fd, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    while (len > 0) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) {
            assert_true(wait_for(fd, POLLOUT, RIG_WAIT_MS));
            continue;
        }
        if (sent < 0) {
            return; /* closed by the other side: the test sees it when it reads */
        }
        at += sent;
        len -= (size_t)sent;
    }
}

/* Reads a frame; its payload is left in `frame`. */
static uint8_t read_frame(int fd, struct buffer *frame)
{
    uint8_t bytes[FRAME_HEADER_LEN];
    struct frame_header header = {0};
    read_all(fd, bytes, sizeof bytes);
    assert_true(frame_parse_header(bytes, FRAME_PAYLOAD_MAX, &header));
    buffer_reset(frame);
    if (header.length > 0) {
        read_all(fd, buffer_extend(frame, header.length), header.length);
    }
    return header.kind;
}

void rig_open_door(struct rig *rig)
{
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(1024);
    rig->door = rig_accept(rig);
    assert_int_equal(read_frame(rig->door, &frame), SIGNING_KIND_DOOR);
    struct reader reader = reader_of(buffer_span(&frame));
    struct door_front front;
    assert_true(door_get_front(&reader, &front));
    rig_send_settings(rig);
}

void rig_send_settings(struct rig *rig)
{
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(1024);
    frame_begin(&frame, DOOR_KIND_SETTINGS);
    door_put_settings(&frame, &rig->settings);
    assert_true(frame_end(&frame));
    write_all(rig->door, frame.data, frame.len);
}

void rig_start_logged(struct rig *rig, const struct door_settings *settings, int *log)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    FD_CLEANUP int kept = dup(STDERR_FILENO);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    rig_start(rig, settings);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    fd_close(&ends[1]);
    *log = ends[0];
}

void rig_read_log(int log, char *text, size_t size, const char *until)
{
    size_t len = 0;
    text[0] = '\0';
    while (strstr(text, until) == NULL) {
        assert_true(wait_for(log, POLLIN, RIG_WAIT_MS));
        ssize_t got = read(log, text + len, size - 1 - len);
        assert_true(got > 0);
        len += (size_t)got;
        text[len] = '\0';
    }
}

void rig_start(struct rig *rig, const struct door_settings *settings)
{
    *rig = (struct rig){.door = -1, .settings = *settings};
    (void)snprintf(rig->folder, sizeof rig->folder, "/tmp/qseal-httpd-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    (void)snprintf(rig->path, sizeof rig->path, "%s/signing.sock", rig->folder);
    rig_listen(rig);
    rig->pid = fork();
    assert_true(rig->pid >= 0);
    if (rig->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing behind */
        (void)execl(QSEAL_HTTPD, QSEAL_HTTPD, "--qseald", rig->path, (char *)NULL);
        _exit(127);
    }
    rig_open_door(rig);
}

void rig_expect_drain(struct rig *rig)
{
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(1024);
    uint8_t kind = 0;
    do {
        kind = read_frame(rig->door, &frame);
    } while (kind == DOOR_KIND_CLOSED);
    assert_int_equal(kind, DOOR_KIND_DRAIN);
    assert_int_equal(frame.len, 0);
}

void rig_end_door(struct rig *rig)
{
    assert_int_equal(shutdown(rig->door, SHUT_WR), 0);
}

void rig_stop(struct rig *rig)
{
    assert_int_equal(kill(rig->pid, SIGTERM), 0);
    rig_expect_drain(rig);
    rig_end_door(rig);
    rig_expect_exit(rig);
}

void rig_expect_exit(struct rig *rig)
{
    int status = -1;
    assert_int_equal(waitpid(rig->pid, &status, 0), rig->pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    fd_close(&rig->door);
    fd_close(&rig->listener);
    (void)unlink(rig->path);
    (void)rmdir(rig->folder);
}

void rig_say(struct rig *rig, uint8_t kind)
{
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(64);
    frame_begin(&frame, kind);
    assert_true(frame_end(&frame));
    write_all(rig->door, frame.data, frame.len);
}

struct client rig_caller(struct rig *rig, uint32_t uid, uint32_t in_flight)
{
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(64);
    struct door_caller caller = {.connection = ++rig->numbers, .uid = uid, .in_flight = in_flight};
    int ends[2] = {-1, -1};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    frame_begin(&frame, DOOR_KIND_CALLER);
    door_put_caller(&frame, &caller);
    assert_true(frame_end(&frame));

    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec part = {.iov_base = frame.data, .iov_len = frame.len};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &ends[1], sizeof(int));
    assert_int_equal(sendmsg(rig->door, &message, MSG_NOSIGNAL), frame.len);
    fd_close(&ends[1]);
    return (struct client){.fd = ends[0], .number = caller.connection};
}

void rig_expect_closed(struct rig *rig, uint64_t number)
{
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(1024);
    assert_int_equal(read_frame(rig->door, &frame), DOOR_KIND_CLOSED);
    struct reader reader = reader_of(buffer_span(&frame));
    assert_int_equal(reader_u64(&reader), number);
    assert_true(reader_done(&reader));
}

void rig_read(int lane, struct asked *asked)
{
    *asked = (struct asked){.lane = lane, .frame = BUFFER_INIT(FRAME_PAYLOAD_MAX)};
    assert_int_equal(read_frame(lane, &asked->frame), SIGNING_KIND_ASK);
    struct reader reader = reader_of(buffer_span(&asked->frame));
    assert_true(signing_get_request(&reader, &asked->request));
}

void asked_fini(struct asked *asked)
{
    buffer_fini(&asked->frame);
}

void rig_answer(const struct asked *asked, const struct signing_answer *answer)
{
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(FRAME_PAYLOAD_MAX);
    frame_begin(&frame, SIGNING_KIND_ASK | FRAME_ANSWER);
    signing_put_answer(&frame, answer);
    assert_true(frame_end(&frame));
    write_all(asked->lane, frame.data, frame.len);
}

void rig_answer_json(const struct asked *asked, const char *json)
{
    struct signing_answer answer = {.outcome = OUTCOME_OK,
                                    .media = MEDIA_JSON,
                                    .request_id = "11111111-2222-4333-8444-555555555555",
                                    .body = span_of_text(json)};
    rig_answer(asked, &answer);
}

void rig_answer_next(int lane, uint64_t number, const char *json)
{
    struct asked asked;
    rig_read(lane, &asked);
    if (number != 0) {
        assert_int_equal(asked.request.connection, number);
    }
    rig_answer_json(&asked, json);
    asked_fini(&asked);
}

void client_expect_json(const struct client *client, const char *json)
{
    char text[RIG_TEXT_SIZE];
    assert_int_equal(client_read(client, text), 200);
    assert_string_equal(strstr(text, "\r\n\r\n") + 4, json);
}

void client_send_bytes(const struct client *client, const void *bytes, size_t len)
{
    write_all(client->fd, bytes, len);
}

void client_send(const struct client *client, const char *text)
{
    write_all(client->fd, text, strlen(text));
}

int client_read(const struct client *client, char text[RIG_TEXT_SIZE])
{
    size_t len = 0;
    const char *end = NULL;
    while (end == NULL) { /* byte by byte, so that nothing of a next answer is taken */
        assert_true(len < RIG_TEXT_SIZE - 1);
        read_all(client->fd, text + len++, 1);
        text[len] = '\0';
        end = strstr(text, "\r\n\r\n");
    }
    const char *field = strcasestr(text, "\r\nContent-Length: ");
    assert_non_null(field);
    size_t body = strtoul(field + strlen("\r\nContent-Length: "), NULL, 10);
    assert_true(len + body < RIG_TEXT_SIZE);
    read_all(client->fd, text + len, body);
    text[len + body] = '\0';
    assert_memory_equal(text, "HTTP/1.1 ", 9);
    return atoi(text + 9);
}

void client_expect_end(const struct client *client)
{
    char byte;
    assert_true(wait_for(client->fd, POLLIN, RIG_WAIT_MS));
    ssize_t got = read(client->fd, &byte, sizeof byte);
    assert_true(got == 0 || (got < 0 && errno == ECONNRESET));
}

bool client_hears(const struct client *client, int within_ms)
{
    return wait_for(client->fd, POLLIN, within_ms);
}

/* SPDX-License-Identifier: Apache-2.0
 * A bench for qseal-httpd: the real program in a process of its own, a qseald that is played by the
 * test, and callers that speak raw HTTP. Every wait has a deadline and fails the test when it is
 * over. */
#ifndef QSEAL_TESTS_UNIT_HTTPD_RIG_H
#define QSEAL_TESTS_UNIT_HTTPD_RIG_H

#include "base/buffer.h"
#include "signing/signing.h"

#include <sys/types.h>

enum { RIG_WAIT_MS = 5000, RIG_TEXT_SIZE = 8192 };

struct rig {
    char folder[64];
    char path[96]; /* of the socket */
    int listener;
    int door; /* -1: none */
    pid_t pid;
    uint64_t numbers;
    struct door_settings settings;
};

/* Settings that stand in nobody's way, but for how many connections there may be. */
#define RIG_USUAL                                                                                  \
    .channels = 2, .body_max = 64 * 1024, .head_ms = 2000, .body_ms = 5000, .idle_ms = 20000,      \
    .deadline_ms = 4000

/* A request without a body. */
static const char get[] = "GET /v1/keys HTTP/1.1\r\nHost: x\r\n\r\n";

#define assert_has(text, part) assert_non_null(strstr(text, part))
#define assert_lacks(text, part) assert_null(strstr(text, part))

/* A caller's end. */
struct client {
    int fd;
    uint64_t number;
};

/* A question as qseald gets it, on the lane that carries it. */
struct asked {
    int lane;
    struct buffer frame;
    struct signing_request request;
};

/* Starts the program and opens the door with these settings. */
void rig_start(struct rig *rig, const struct door_settings *settings);
/* The same; its log can be read from *log. */
void rig_start_logged(struct rig *rig, const struct door_settings *settings, int *log);
/* Reads on into `text` until it has this part. */
void rig_read_log(int log, char *text, size_t size, const char *until);
/* Sends rig->settings as they are now. */
void rig_send_settings(struct rig *rig);
/* SIGTERM; the program must exit with 0. The door is let go as qseald does it. */
void rig_stop(struct rig *rig);
/* The same in parts: waits for httpd's own drain; says that nobody else will come; waits for its
 * end. */
void rig_expect_drain(struct rig *rig);
void rig_end_door(struct rig *rig);
void rig_expect_exit(struct rig *rig);
void rig_listen(struct rig *rig);
void rig_open_door(struct rig *rig);
void rig_say(struct rig *rig, uint8_t kind);
struct client rig_caller(struct rig *rig, uint32_t uid, uint32_t in_flight);
/* Waits until httpd gives the number back. */
void rig_expect_closed(struct rig *rig, uint64_t number);
/* A new connection of httpd. */
int rig_accept(struct rig *rig);
/* The next question on this lane. */
void rig_read(int lane, struct asked *asked);
void rig_answer(const struct asked *asked, const struct signing_answer *answer);
/* 200 with this JSON. */
void rig_answer_json(const struct asked *asked, const char *json);
/* The next question on this lane, which must be of this connection (0: any), gets 200 with JSON. */
void rig_answer_next(int lane, uint64_t number, const char *json);
void asked_fini(struct asked *asked);

void client_send(const struct client *client, const char *text);
void client_send_bytes(const struct client *client, const void *bytes, size_t len);
/* One whole answer, by its Content-Length, into `text`; returns the status. */
int client_read(const struct client *client, char text[RIG_TEXT_SIZE]);
/* The answer is 200 with this JSON. */
void client_expect_json(const struct client *client, const char *json);
/* Nothing more may come but the end. */
void client_expect_end(const struct client *client);
/* Whether something can be read within this time. */
bool client_hears(const struct client *client, int within_ms);

#endif

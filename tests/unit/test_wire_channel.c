/* SPDX-License-Identifier: Apache-2.0
 * The asking side, against a peer that is absent, silent, restarted or speaks nonsense. */
#include "wire/channel.h"

#include "base/fd.h"
#include "check.h"
#include "wire/frame.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KIND = 5, PATIENCE_MS = 10000 };

/* What the peer does with one connection after the other. */
enum peer_act {
    ACT_ANSWER,
    ACT_CLOSE,
    ACT_NONSENSE,
    ACT_WRONG_KIND,
    ACT_BAD_OUTCOME,
    ACT_SILENCE,
    ACT_ANSWER_AND_CLOSE
};

struct peer {
    char folder[64];
    char path[96];
    int listener;
    pthread_t thread;
    const enum peer_act *acts;
    size_t n_acts;
};

static void put_answer(int fd, uint8_t kind, uint8_t outcome)
{
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(1024);
    frame_begin(&frame, kind | FRAME_ANSWER);
    buffer_put_u8(&frame, outcome);
    buffer_put_u32(&frame, 0);
    buffer_put_u32(&frame, 0);
    buffer_put_u32(&frame, 42);
    assert_true(frame_end(&frame));
    assert_int_equal(send(fd, frame.data, frame.len, MSG_NOSIGNAL), frame.len);
}

static bool read_question(int fd)
{
    uint8_t header[FRAME_HEADER_LEN + 4];
    return recv(fd, header, sizeof header, MSG_WAITALL) == sizeof header;
}

static void act_once(int fd, enum peer_act act)
{
    switch (act) {
    case ACT_ANSWER:
        while (read_question(fd)) {
            put_answer(fd, KIND, OUTCOME_OK);
        }
        return;
    case ACT_ANSWER_AND_CLOSE:
        assert_true(read_question(fd));
        put_answer(fd, KIND, OUTCOME_OK);
        return;
    case ACT_CLOSE:
        return;
    case ACT_NONSENSE:
        assert_true(read_question(fd));
        (void)send(fd, "HTTP/1.1 200 OK\r\n", 17, MSG_NOSIGNAL);
        return;
    case ACT_WRONG_KIND:
        assert_true(read_question(fd));
        put_answer(fd, KIND + 1, OUTCOME_OK);
        return;
    case ACT_BAD_OUTCOME:
        assert_true(read_question(fd));
        put_answer(fd, KIND, OUTCOME_COUNT);
        return;
    case ACT_SILENCE:
        while (read_question(fd)) {
        }
        return;
    }
}

static void *run(void *argument)
{
    struct peer *peer = argument;
    for (size_t i = 0; i < peer->n_acts; i++) {
        FD_CLEANUP int fd = accept(peer->listener, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        act_once(fd, peer->acts[i]);
    }
    return NULL;
}

static void peer_start(struct peer *peer, const enum peer_act *acts, size_t n_acts)
{
    *peer = (struct peer){.acts = acts, .n_acts = n_acts};
    (void)snprintf(peer->folder, sizeof peer->folder, "/tmp/qseal-channel-XXXXXX");
    assert_non_null(mkdtemp(peer->folder));
    (void)snprintf(peer->path, sizeof peer->path, "%s/door", peer->folder);
    struct sockaddr_un address;
    assert_true(fd_unix_address(peer->path, &address));
    peer->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(peer->listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(peer->listener, 8), 0);
    assert_int_equal(pthread_create(&peer->thread, NULL, run, peer), 0);
}

static void peer_stop(struct peer *peer)
{
    (void)shutdown(peer->listener, SHUT_RDWR);
    pthread_join(peer->thread, NULL);
    fd_close(&peer->listener);
    (void)unlink(peer->path);
    (void)rmdir(peer->folder);
}

static enum outcome ask(struct channel *channel, int64_t ms, struct reason *why)
{
    struct reader answer;
    buffer_put_u32(channel_begin(channel, KIND), 1);
    enum outcome outcome = channel_call(channel, deadline_in_ms(ms), &answer, why);
    if (outcome == OUTCOME_OK) {
        assert_int_equal(reader_u32(&answer), 42);
        assert_true(reader_done(&answer));
    }
    return outcome;
}

/* One question to a peer that acts so; the outcome and its reason. */
static void assert_fails(enum peer_act act, int64_t ms, enum outcome want, const char *fragment)
{
    struct peer peer;
    struct channel channel;
    struct reason why = {0};
    enum peer_act acts[] = {act};
    peer_start(&peer, acts, 1);
    channel_init(&channel, peer.path, "the peer");
    assert_refused(ask(&channel, ms, &why), want, why, fragment);
    assert_int_equal(channel.fd, -1);
    channel_fini(&channel);
    peer_stop(&peer);
}

static void nobody_there_is_unavailable(void **state)
{
    (void)state;
    struct channel channel;
    struct reason why = {0};
    channel_init(&channel, "/tmp/qseal-no-such-socket", "tokend hsm-a");
    assert_refused(ask(&channel, PATIENCE_MS, &why), OUTCOME_UNAVAILABLE, why,
                   "tokend hsm-a is not there");
    channel_fini(&channel);
}

static void each_failure_has_its_outcome(void **state)
{
    (void)state;
    assert_fails(ACT_CLOSE, PATIENCE_MS, OUTCOME_UNAVAILABLE, "the peer is not there");
    assert_fails(ACT_NONSENSE, PATIENCE_MS, OUTCOME_INTERNAL, "unknown form");
    assert_fails(ACT_WRONG_KIND, PATIENCE_MS, OUTCOME_INTERNAL, "unknown form");
    assert_fails(ACT_BAD_OUTCOME, PATIENCE_MS, OUTCOME_INTERNAL, "unknown form");
    assert_fails(ACT_SILENCE, 50, OUTCOME_DEADLINE, "in time");
}

static void a_restarted_peer_is_asked_again_once(void **state)
{
    (void)state;
    struct peer peer;
    struct channel channel;
    struct reason why = {0};
    enum peer_act acts[] = {ACT_ANSWER_AND_CLOSE, ACT_ANSWER};
    peer_start(&peer, acts, COUNT_OF(acts));
    channel_init(&channel, peer.path, "the peer");
    assert_done(ask(&channel, PATIENCE_MS, &why), why);
    assert_done(ask(&channel, PATIENCE_MS, &why), why);
    assert_done(ask(&channel, PATIENCE_MS, &why), why);
    channel_fini(&channel);
    peer_stop(&peer);
}

static void a_peer_that_always_closes_is_not_asked_for_ever(void **state)
{
    (void)state;
    struct peer peer;
    struct channel channel;
    struct reason why = {0};
    enum peer_act acts[] = {ACT_ANSWER_AND_CLOSE, ACT_CLOSE};
    peer_start(&peer, acts, COUNT_OF(acts));
    channel_init(&channel, peer.path, "the peer");
    assert_done(ask(&channel, PATIENCE_MS, &why), why);
    assert_refused(ask(&channel, PATIENCE_MS, &why), OUTCOME_UNAVAILABLE, why, "not there");
    channel_fini(&channel);
    peer_stop(&peer);
}

static void a_question_that_does_not_fit_is_refused_here(void **state)
{
    (void)state;
    struct channel channel;
    struct reason why = {0};
    struct reader answer;
    channel_init(&channel, "/tmp/qseal-no-such-socket", "the peer");
    uint8_t *room = buffer_extend(channel_begin(&channel, KIND), FRAME_PAYLOAD_MAX);
    assert_non_null(room);
    memset(room, 0, FRAME_PAYLOAD_MAX);
    buffer_put_u8(&channel.out, 0);
    assert_refused(channel_call(&channel, deadline_in_ms(PATIENCE_MS), &answer, &why),
                   OUTCOME_TOO_LARGE, why, "too large");
    channel_fini(&channel);
}

static void a_full_backlog_ends_at_the_deadline(void **state)
{
    (void)state;
    char folder[] = "/tmp/qseal-backlog-XXXXXX";
    char path[96];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/door", folder);
    FD_CLEANUP int listener = fd_listen_unix(path, 0600, 0);
    assert_true(listener >= 0);
    FD_CLEANUP int first = channel_connect(path, deadline_in_ms(PATIENCE_MS));
    assert_true(first >= 0);
    FD_CLEANUP int second = channel_connect(path, deadline_in_ms(50));
    assert_int_equal(second, -1);
    assert_int_equal(errno, EAGAIN);
    (void)unlink(path);
    (void)rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_there_is_unavailable),
        cmocka_unit_test(each_failure_has_its_outcome),
        cmocka_unit_test(a_restarted_peer_is_asked_again_once),
        cmocka_unit_test(a_peer_that_always_closes_is_not_asked_for_ever),
        cmocka_unit_test(a_question_that_does_not_fit_is_refused_here),
        cmocka_unit_test(a_full_backlog_ends_at_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

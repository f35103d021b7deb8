/* SPDX-License-Identifier: Apache-2.0
 * The worker loop, spoken to through raw sockets, so that a peer can misbehave. */
#include "wire/serve.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "check.h"
#include "wire/channel.h"
#include "wire/frame.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    KIND_ECHO = 1,
    KIND_CLOSE = 2,
    KIND_TAKE = 3,
    KIND_WAIT = 4,
    KIND_READ = 5,
    KIND_OTHER = 77,
    PATIENCE_MS = 10000,
};

struct fixture {
    char folder[64];
    char path[96];
    struct serve *serve;
    int listener; /* the room's */
    atomic_int taken;
    atomic_int waiting;
    atomic_bool go;
    uid_t allowed;
    bool takes_descriptors;
    bool (*trusts)(void *room, const struct caller *peer);
    unsigned int max_per_uid;
};

static bool handle_echo(struct serve_call *call)
{
    struct reason none = {0};
    struct span text = reader_bytes(call->request, 1024);
    if (!reader_done(call->request)) {
        return false;
    }
    frame_put_outcome(call->answer, OUTCOME_OK, &none);
    buffer_put_bytes(call->answer, text);
    return true;
}

static bool handle_close(struct serve_call *call)
{
    (void)call;
    return false;
}

static bool handle_take(struct serve_call *call)
{
    struct fixture *fixture = call->room;
    atomic_store(&fixture->taken, serve_take_fd(call->connection));
    return false;
}

static bool handle_wait(struct serve_call *call)
{
    struct fixture *fixture = call->room;
    struct reason none = {0};
    atomic_fetch_add(&fixture->waiting, 1);
    struct deadline end = deadline_in_ms(PATIENCE_MS);
    while (!atomic_load(&fixture->go) && !deadline_passed(end)) {
        (void)poll(NULL, 0, 1);
    }
    frame_put_outcome(call->answer, OUTCOME_OK, &none);
    return true;
}

/* Answers what is in the pipe that came with the question. */
static bool handle_read(struct serve_call *call)
{
    struct reason none = {0};
    char text[16];
    ssize_t got = call->passed < 0 ? 0 : read(call->passed, text, sizeof text);
    frame_put_outcome(call->answer, OUTCOME_OK, &none);
    buffer_put_bytes(call->answer, span_of(text, got < 0 ? 0 : (size_t)got));
    return true;
}

static const struct serve_row rows[] = {{KIND_ECHO, handle_echo},
                                        {KIND_CLOSE, handle_close},
                                        {KIND_TAKE, handle_take},
                                        {KIND_WAIT, handle_wait},
                                        {KIND_READ, handle_read}};

static void start(struct fixture *fixture, unsigned int workers, unsigned int connections)
{
    struct reason why = {0};
    struct serve_options options = {
        .name = "test door",
        .listener = fd_listen_unix(fixture->path, 0600, 16),
        .workers = workers,
        .max_connections = connections,
        .max_payload = 2048,
        .takes_descriptors = fixture->takes_descriptors,
        .trusts = fixture->trusts,
        .max_per_uid = fixture->max_per_uid,
        .allowed = &fixture->allowed,
        .n_allowed = 1,
        .rows = rows,
        .n_rows = COUNT_OF(rows),
        .room = fixture,
    };
    assert_true(options.listener >= 0);
    fixture->listener = options.listener;
    fixture->serve = serve_start(&options, &why);
    assert_non_null(fixture->serve);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    (void)snprintf(fixture->folder, sizeof fixture->folder, "/tmp/qseal-serve-XXXXXX");
    if (mkdtemp(fixture->folder) == NULL) {
        return -1;
    }
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/door", fixture->folder);
    fixture->allowed = geteuid();
    atomic_store(&fixture->taken, -1);
    log_set_level(LOG_LEVEL_ERROR);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    atomic_store(&fixture->go, true);
    serve_stop(fixture->serve);
    (void)unlink(fixture->path);
    (void)rmdir(fixture->folder);
    free(fixture);
    return 0;
}

static enum outcome echo(struct channel *channel, const char *text, struct reason *why)
{
    struct reader answer;
    buffer_put_bytes(channel_begin(channel, KIND_ECHO), span_of_text(text));
    enum outcome outcome = channel_call(channel, deadline_in_ms(PATIENCE_MS), &answer, why);
    if (outcome == OUTCOME_OK) {
        assert_true(span_is_text(reader_bytes(&answer, 1024), text));
        assert_true(reader_done(&answer));
    }
    return outcome;
}

/* Waits until the peer has closed: the only thing that ends a read of nothing. */
static void assert_closed(int fd)
{
    char byte;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
    assert_true(recv(fd, &byte, 1, MSG_DONTWAIT) <= 0);
}

static void a_question_is_answered_many_times(void **state)
{
    struct fixture *fixture = *state;
    struct channel channel;
    struct reason why = {0};
    start(fixture, 2, 8);
    channel_init(&channel, fixture->path, "test");
    for (int i = 0; i < 100; i++) {
        assert_done(echo(&channel, i % 2 == 0 ? "one" : "another", &why), why);
    }
    channel_fini(&channel);
}

struct asker {
    struct fixture *fixture;
    int good;
};

static void *ask_often(void *argument)
{
    struct asker *asker = argument;
    struct channel channel;
    struct reason why = {0};
    channel_init(&channel, asker->fixture->path, "test");
    for (int i = 0; i < 200; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%p %d", argument, i);
        asker->good += echo(&channel, text, &why) == OUTCOME_OK;
    }
    channel_fini(&channel);
    return NULL;
}

static void more_connections_than_workers_all_get_their_own_answers(void **state)
{
    struct fixture *fixture = *state;
    enum { ASKERS = 8 };
    pthread_t threads[ASKERS];
    struct asker askers[ASKERS];
    start(fixture, 3, ASKERS);
    for (int i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){.fixture = fixture};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &askers[i]), 0);
    }
    for (int i = 0; i < ASKERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(askers[i].good, 200);
    }
}

static enum outcome read_pipe(struct channel *channel, int fd, const char *expected,
                              struct reason *why)
{
    struct reader answer;
    (void)channel_begin(channel, KIND_READ);
    if (fd >= 0) {
        channel_pass(channel, fd);
    }
    enum outcome outcome = channel_call(channel, deadline_in_ms(PATIENCE_MS), &answer, why);
    if (outcome == OUTCOME_OK) {
        assert_true(span_is_text(reader_bytes(&answer, 64), expected));
    }
    return outcome;
}

/* Each question's own: not the next one's, and not kept open. */
static void a_descriptor_comes_with_its_question(void **state)
{
    struct fixture *fixture = *state;
    struct channel channel;
    struct reason why = {0};
    fixture->takes_descriptors = true;
    start(fixture, 1, 4);
    channel_init(&channel, fixture->path, "test");
    for (int i = 0; i < 3; i++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], "secret", 6), 6);
        assert_done(read_pipe(&channel, ends[0], "secret", &why), why);
        fd_close(&ends[0]);
        assert_done(read_pipe(&channel, -1, "", &why), why);
        struct pollfd gone = {.fd = ends[1], .events = 0};
        assert_int_equal(poll(&gone, 1, PATIENCE_MS), 1);
        assert_true((gone.revents & POLLERR) != 0); /* no reader is left */
        fd_close(&ends[1]);
    }
    channel_fini(&channel);
}

/* A kernel that can refuses it in the sender's face; where it cannot, it is dropped unseen. */
static void expect_no_descriptor(struct fixture *fixture)
{
    struct channel channel;
    struct reason why = {0};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "secret", 6), 6);
    channel_init(&channel, fixture->path, "test");
    if (fd_take_rights(fixture->listener, false)) {
        assert_refused(read_pipe(&channel, ends[0], "", &why), OUTCOME_UNAVAILABLE, why,
                       "test is not there: Operation not permitted");
    }
    (void)fd_take_rights(fixture->listener, true); /* now the kernel is as one that cannot */
    assert_done(read_pipe(&channel, ends[0], "", &why), why);
    channel_fini(&channel);
    fd_close(&ends[0]);
    fd_close(&ends[1]);
}

static void a_door_may_take_no_descriptors(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, 1, 4);
    expect_no_descriptor(fixture);
}

static bool trusts_nobody(void *room, const struct caller *peer)
{
    (void)room;
    (void)peer;
    return false;
}

static void a_door_takes_descriptors_of_whom_it_trusts(void **state)
{
    struct fixture *fixture = *state;
    fixture->takes_descriptors = true;
    fixture->trusts = trusts_nobody;
    start(fixture, 1, 4);
    expect_no_descriptor(fixture);
}

/* One user cannot keep the others out. */
static void one_uid_has_so_many_connections(void **state)
{
    struct fixture *fixture = *state;
    struct channel first;
    struct reason why = {0};
    fixture->max_per_uid = 1;
    start(fixture, 1, 4);
    channel_init(&first, fixture->path, "test");
    assert_done(echo(&first, "here", &why), why);
    FD_CLEANUP int fd = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
    assert_true(fd >= 0);
    assert_closed(fd);
    assert_done(echo(&first, "still", &why), why);
    channel_fini(&first);
}

static void another_user_is_turned_away(void **state)
{
    struct fixture *fixture = *state;
    fixture->allowed = geteuid() + 1;
    start(fixture, 1, 4);
    FD_CLEANUP int fd = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
    assert_true(fd >= 0);
    assert_closed(fd);
}

static void one_connection_too_many_is_closed(void **state)
{
    struct fixture *fixture = *state;
    struct channel channel;
    struct reason why = {0};
    start(fixture, 1, 1);
    channel_init(&channel, fixture->path, "test");
    assert_done(echo(&channel, "first", &why), why);
    FD_CLEANUP int fd = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
    assert_closed(fd);
    assert_done(echo(&channel, "still there", &why), why);
    channel_fini(&channel);
}

static void send_bytes(struct fixture *fixture, const void *bytes, size_t len)
{
    FD_CLEANUP int fd = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
    assert_closed(fd);
}

static void nonsense_closes_its_connection_and_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    struct channel channel;
    struct reason why = {0};
    start(fixture, 2, 8);
    channel_init(&channel, fixture->path, "test");
    assert_done(echo(&channel, "before", &why), why);
    send_bytes(fixture, "GET / HTTP/1.1\r\n\r\n", 18);
    uint8_t unknown_kind[FRAME_HEADER_LEN] = {'Q', 'S', FRAME_VERSION, 99, 0, 0, 0, 0};
    send_bytes(fixture, unknown_kind, sizeof unknown_kind);
    uint8_t too_long[FRAME_HEADER_LEN] = {'Q', 'S', FRAME_VERSION, KIND_ECHO, 0x7F, 0, 0, 0};
    send_bytes(fixture, too_long, sizeof too_long);
    uint8_t two_at_once[2 * FRAME_HEADER_LEN] = {'Q', 'S', FRAME_VERSION, KIND_ECHO, 0, 0, 0, 0,
                                                 'Q', 'S', FRAME_VERSION, KIND_ECHO, 0, 0, 0, 0};
    send_bytes(fixture, two_at_once, sizeof two_at_once);
    uint8_t handler_refuses[FRAME_HEADER_LEN] = {'Q', 'S', FRAME_VERSION, KIND_CLOSE, 0, 0, 0, 0};
    send_bytes(fixture, handler_refuses, sizeof handler_refuses);
    uint8_t stops_half_way[FRAME_HEADER_LEN + 1] = {'Q', 'S', FRAME_VERSION, KIND_ECHO, 0, 0, 0,
                                                    9,   0};
    send_bytes(fixture, stops_half_way, sizeof stops_half_way);
    assert_done(echo(&channel, "after", &why), why);
    channel_fini(&channel);
}

static void a_handler_may_keep_the_descriptor(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, 1, 4);
    FD_CLEANUP int fd = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
    uint8_t take[FRAME_HEADER_LEN] = {'Q', 'S', FRAME_VERSION, KIND_TAKE, 0, 0, 0, 0};
    assert_int_equal(send(fd, take, sizeof take, MSG_NOSIGNAL), sizeof take);
    struct deadline end = deadline_in_ms(PATIENCE_MS);
    while (atomic_load(&fixture->taken) < 0 && !deadline_passed(end)) {
        (void)poll(NULL, 0, 1);
    }
    FD_CLEANUP int taken = atomic_load(&fixture->taken);
    assert_true(taken >= 0);
    assert_int_equal(send(taken, "x", 1, MSG_NOSIGNAL), 1);
    char byte = 0;
    assert_int_equal(recv(fd, &byte, 1, 0), 1);
    assert_int_equal(byte, 'x');
}

static void *stop_it(void *argument)
{
    struct fixture *fixture = argument;
    serve_stop(fixture->serve);
    return NULL;
}

static void stopping_lets_what_is_in_flight_finish(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, 1, 4);
    FD_CLEANUP int fd = channel_connect(fixture->path, deadline_in_ms(PATIENCE_MS));
    uint8_t wait[FRAME_HEADER_LEN] = {'Q', 'S', FRAME_VERSION, KIND_WAIT, 0, 0, 0, 0};
    assert_int_equal(send(fd, wait, sizeof wait, MSG_NOSIGNAL), sizeof wait);
    struct deadline end = deadline_in_ms(PATIENCE_MS);
    while (atomic_load(&fixture->waiting) == 0 && !deadline_passed(end)) {
        (void)poll(NULL, 0, 1);
    }
    pthread_t stopper;
    assert_int_equal(pthread_create(&stopper, NULL, stop_it, fixture), 0);
    atomic_store(&fixture->go, true);
    pthread_join(stopper, NULL);
    fixture->serve = NULL;
    uint8_t answer[FRAME_HEADER_LEN];
    assert_int_equal(recv(fd, answer, sizeof answer, MSG_WAITALL), sizeof answer);
    assert_int_equal(answer[3], KIND_WAIT | FRAME_ANSWER);
}

/* The peer is this process. */
static bool groups_are_ours(const struct caller_groups *groups)
{
    gid_t ours[CALLER_GROUPS_MAX];
    int n = getgroups(CALLER_GROUPS_MAX, ours);
    return n >= 0 && groups != NULL && !groups->too_many && groups->n == (size_t)n &&
           memcmp(groups->list, ours, groups->n * sizeof ours[0]) == 0;
}

static bool handle_other(struct serve_call *call)
{
    struct reason none = {0};
    (void)reader_bytes(call->request, 1024);
    frame_put_outcome(call->answer,
                      call->kind == KIND_OTHER && groups_are_ours(call->peer.groups)
                          ? OUTCOME_OK
                          : OUTCOME_INTERNAL,
                      &none);
    return reader_done(call->request);
}

static void other_kinds_and_groups_are_for_who_asks(void **state)
{
    struct fixture *fixture = *state;
    struct channel channel;
    struct reader answer;
    struct reason why = {0};
    struct serve_options options = {
        .name = "test door",
        .listener = fd_listen_unix(fixture->path, 0600, 16),
        .workers = 1,
        .max_connections = 2,
        .max_payload = 2048,
        .rows = rows,
        .n_rows = COUNT_OF(rows),
        .otherwise = handle_other,
        .with_groups = true,
        .room = fixture,
    };
    fixture->serve = serve_start(&options, &why);
    assert_non_null(fixture->serve);
    channel_init(&channel, fixture->path, "test");
    buffer_put_bytes(channel_begin(&channel, KIND_OTHER), span_of_text("x"));
    assert_done(channel_call(&channel, deadline_in_ms(PATIENCE_MS), &answer, &why), why);
    assert_done(echo(&channel, "a row has its own", &why), why);
    channel_fini(&channel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_question_is_answered_many_times, setup, teardown),
        cmocka_unit_test_setup_teardown(more_connections_than_workers_all_get_their_own_answers,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(another_user_is_turned_away, setup, teardown),
        cmocka_unit_test_setup_teardown(a_descriptor_comes_with_its_question, setup, teardown),
        cmocka_unit_test_setup_teardown(a_door_may_take_no_descriptors, setup, teardown),
        cmocka_unit_test_setup_teardown(a_door_takes_descriptors_of_whom_it_trusts, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_uid_has_so_many_connections, setup, teardown),
        cmocka_unit_test_setup_teardown(one_connection_too_many_is_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(nonsense_closes_its_connection_and_nothing_else, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_handler_may_keep_the_descriptor, setup, teardown),
        cmocka_unit_test_setup_teardown(other_kinds_and_groups_are_for_who_asks, setup, teardown),
        cmocka_unit_test_setup_teardown(stopping_lets_what_is_in_flight_finish, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

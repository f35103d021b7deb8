/* SPDX-License-Identifier: Apache-2.0
 * The answering side of a door.
 *
 * Every worker waits on the same epoll set; a readable connection is given to one of them
 * (one-shot) until it has answered. epoll hands out events in the order in which they came, so no
 * caller of a busy room is overtaken for long, and a worker that becomes free finds the next
 * question without any hand-over between threads. */
#include "wire/serve.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "wire/frame.h"
#include "wire/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    FRAME_DEADLINE_MS =
        2000, /* for the rest of a frame whose first byte is there, and for writing an answer */
    EXHAUSTED_PAUSE_MS = 50,
    KEEP_ROOM = 32 * 1024, /* a worker's buffers give memory over this back */
};

struct serve_connection {
    struct serve *serve;
    struct serve_connection *next, *previous;
    struct caller peer;
    struct caller_groups *groups; /* owned; NULL where nobody asks for them */
    int fd;
    bool may_pass; /* a descriptor with a frame */
    /* Turns begun to be given to epoll, and given: the next worker may have the connection between
     * the two, and frees it only when they are equal again. */
    atomic_uint begun, given;
};

struct serve_worker {
    struct serve *serve;
    pthread_t thread;
    unsigned int index;
    void *context;
    struct buffer in, out;
};

struct serve {
    struct serve_options options;
    int epoll;
    int stop; /* eventfd: readable for good once serve_stop() was called */
    atomic_bool stopping;
    struct serve_worker *workers;
    unsigned int started;
    pthread_mutex_t lock; /* guards the list and its count */
    struct serve_connection *connections;
    unsigned int n_connections;
};

static bool has_room_locked(const struct serve *serve, uid_t uid)
{
    unsigned int most = serve->options.max_per_uid;
    unsigned int of_uid = 0;
    for (const struct serve_connection *at = serve->connections; most > 0 && at != NULL;
         at = at->next) {
        of_uid += at->peer.uid == uid ? 1 : 0;
    }
    return serve->n_connections < serve->options.max_connections && (most == 0 || of_uid < most);
}

static bool link_connection(struct serve *serve, struct serve_connection *connection)
{
    pthread_mutex_lock(&serve->lock);
    bool room = has_room_locked(serve, connection->peer.uid);
    if (room) {
        connection->next = serve->connections;
        if (connection->next != NULL) {
            connection->next->previous = connection;
        }
        serve->connections = connection;
        serve->n_connections++;
    }
    pthread_mutex_unlock(&serve->lock);
    return room;
}

static void connection_free(struct serve_connection *connection)
{
    struct serve *serve = connection->serve;
    while (atomic_load(&connection->given) != atomic_load(&connection->begun)) {
        (void)sched_yield(); /* the last worker is on its way out of epoll_ctl(2) */
    }
    pthread_mutex_lock(&serve->lock);
    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        serve->connections = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
    serve->n_connections--;
    pthread_mutex_unlock(&serve->lock);
    fd_close(&connection->fd);
    free(connection->groups);
    free(connection);
}

/* Once, when it comes: what a process does to its groups later does not count. */
static bool read_groups(struct serve_connection *connection, int fd)
{
    if (!connection->serve->options.with_groups) {
        return true;
    }
    connection->groups = calloc(1, sizeof *connection->groups);
    connection->peer.groups = connection->groups;
    if (connection->groups != NULL && serve_groups_of(fd, connection->groups)) {
        return true;
    }
    log_warning("%s: the groups of uid %u cannot be read; it was turned away",
                connection->serve->options.name, connection->peer.uid);
    return false;
}

static bool give_to_epoll(struct serve_connection *connection, int operation)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = connection};
    atomic_fetch_add(&connection->begun, 1);
    bool watched = epoll_ctl(connection->serve->epoll, operation, connection->fd, &event) == 0;
    atomic_fetch_add(&connection->given, 1); /* the last touch: it may be somebody else's by now */
    return watched;
}

static bool may_pass(const struct serve *serve, const struct caller *peer)
{
    const struct serve_options *options = &serve->options;
    return options->takes_descriptors &&
           (options->trusts == NULL || options->trusts(options->room, peer));
}

static void accept_one(struct serve *serve)
{
    FD_CLEANUP int fd = accept4(serve->options.listener, NULL, NULL, SOCK_CLOEXEC);
    struct caller peer;
    if (fd < 0) {
        bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
        (void)poll(NULL, 0,
                   exhausted ? EXHAUSTED_PAUSE_MS
                             : 0); /* no spinning while nothing can be accepted */
        return;
    }
    if (!serve_peer_is_welcome(&serve->options, fd, &peer)) {
        return;
    }
    struct serve_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        return;
    }
    *connection = (struct serve_connection){.serve = serve, .peer = peer, .fd = -1};
    if (!read_groups(connection, fd)) {
        free(connection->groups);
        free(connection);
        return;
    }
    if (!link_connection(serve, connection)) {
        log_warning("%s: too many connections; one from uid %u was turned away",
                    serve->options.name, peer.uid);
        free(connection->groups);
        free(connection);
        return;
    }
    connection->may_pass = may_pass(serve, &connection->peer);
    if (connection->may_pass) {
        (void)fd_take_rights(fd, true);
    }
    connection->fd = fd_steal(&fd);
    bool watched = give_to_epoll(connection, EPOLL_CTL_ADD);
    if (!watched) {
        connection_free(connection);
    }
}

typedef bool serve_handler(struct serve_call *call);

static serve_handler *find_handler(const struct serve_options *options, uint8_t kind)
{
    for (size_t i = 0; i < options->n_rows; i++) {
        if (options->rows[i].kind == kind) {
            return options->rows[i].handle;
        }
    }
    return options->otherwise;
}

/* Reads one whole frame into the worker's buffer; false closes the connection. */
static bool read_question(struct serve_worker *worker, const struct serve_connection *connection,
                          struct frame_header *header, int *passed)
{
    const struct serve_options *options = &worker->serve->options;
    struct deadline deadline = deadline_in_ms(FRAME_DEADLINE_MS);
    buffer_reset(&worker->in);
    if (!io_receive_with(connection->fd, &worker->in, FRAME_HEADER_LEN,
                         connection->may_pass ? passed : NULL, deadline)) {
        return false; /* the usual end: the peer closed */
    }
    if (!frame_parse_header(worker->in.data, options->max_payload, header)) {
        log_warning("%s: uid %u sent no frame of ours", options->name, connection->peer.uid);
        return false;
    }
    size_t want = FRAME_HEADER_LEN + (size_t)header->length;
    if (!io_receive(connection->fd, &worker->in, want, deadline) || worker->in.len != want) {
        log_warning("%s: uid %u sent a frame that is too slow or too long", options->name,
                    connection->peer.uid);
        return false;
    }
    return true;
}

static bool answer_one(struct serve_worker *worker, struct serve_connection *connection)
{
    const struct serve_options *options = &worker->serve->options;
    struct frame_header header;
    FD_CLEANUP int passed = -1;
    if (!read_question(worker, connection, &header, &passed)) {
        return false;
    }
    serve_handler *handle = find_handler(options, header.kind);
    if (handle == NULL) {
        log_warning("%s: uid %u asked for the unknown kind %u", options->name, connection->peer.uid,
                    header.kind);
        return false;
    }
    struct reader request =
        reader_of(span_part(buffer_span(&worker->in), FRAME_HEADER_LEN, SIZE_MAX));
    frame_begin(&worker->out, header.kind | FRAME_ANSWER);
    struct serve_call call = {
        .room = options->room,
        .worker = worker->context,
        .connection = connection,
        .kind = header.kind,
        .peer = connection->peer,
        .request = &request,
        .answer = &worker->out,
        .passed = passed,
    };
    bool answered = handle(&call) && frame_end(&worker->out);
    passed = call.passed;
    if (!answered) {
        return false;
    }
    return io_send(connection->fd, buffer_span(&worker->out), deadline_in_ms(FRAME_DEADLINE_MS));
}

static void serve_event(struct serve_worker *worker, struct serve_connection *connection)
{
    (void)atomic_load(&connection->begun); /* what the last worker wrote is seen from here on */
    bool keep = answer_one(worker, connection);
    buffer_trim(&worker->in, KEEP_ROOM);
    buffer_trim(&worker->out, KEEP_ROOM);
    if (!keep || !give_to_epoll(connection, EPOLL_CTL_MOD)) {
        connection_free(connection);
    }
}

/* One-shot like a connection, or every idle worker would wake for one newcomer. */
static bool watch_listener(struct serve *serve, int operation)
{
    struct epoll_event incoming = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = serve};
    return epoll_ctl(serve->epoll, operation, serve->options.listener, &incoming) == 0;
}

static void *work(void *argument)
{
    struct serve_worker *worker = argument;
    struct serve *serve = worker->serve;
    const struct serve_options *options = &serve->options;
    worker->context =
        options->worker_new == NULL ? NULL : options->worker_new(options->room, worker->index);
    for (;;) {
        struct epoll_event event;
        int n = epoll_wait(serve->epoll, &event, 1, -1);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 || event.data.ptr == &serve->stop) {
            break;
        }
        if (event.data.ptr == serve) {
            accept_one(serve);
            (void)watch_listener(serve, EPOLL_CTL_MOD);
            continue;
        }
        serve_event(worker, event.data.ptr);
        if (atomic_load(&serve->stopping)) {
            break;
        }
    }
    if (options->worker_free != NULL) {
        options->worker_free(worker->context);
    }
    return NULL;
}

static bool watch(struct serve *serve)
{
    struct epoll_event stop = {.events = EPOLLIN, .data.ptr = &serve->stop};
    /* A listener from socket activation may be a blocking one; several workers are woken for one
     * newcomer. */
    return fcntl(serve->options.listener, F_SETFL, O_NONBLOCK) == 0 &&
           watch_listener(serve, EPOLL_CTL_ADD) &&
           epoll_ctl(serve->epoll, EPOLL_CTL_ADD, serve->stop, &stop) == 0;
}

static bool start_workers(struct serve *serve)
{
    for (unsigned int i = 0; i < serve->options.workers; i++) {
        struct serve_worker *worker = &serve->workers[i];
        size_t max = FRAME_HEADER_LEN + serve->options.max_payload;
        *worker = (struct serve_worker){
            .serve = serve,
            .index = i,
            .in = BUFFER_INIT(max + IO_CHUNK),
            .out = BUFFER_INIT(FRAME_HEADER_LEN + FRAME_PAYLOAD_MAX),
        };
        if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
            return false;
        }
        serve->started++;
    }
    return true;
}

struct serve *serve_start(const struct serve_options *options, struct reason *why)
{
    struct serve *serve = calloc(1, sizeof *serve);
    struct serve_worker *workers = calloc(options->workers, sizeof *workers);
    if (serve == NULL || workers == NULL) {
        free(serve);
        free(workers);
        (void)refuse(why, OUTCOME_INTERNAL, "%s: out of memory", options->name);
        return NULL;
    }
    *serve = (struct serve){
        .options = *options,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .workers = workers,
    };
    pthread_mutex_init(&serve->lock, NULL);
    (void)fd_take_rights(options->listener, false);
    if (serve->epoll < 0 || serve->stop < 0 || !watch(serve) || !start_workers(serve)) {
        (void)refuse(why, OUTCOME_INTERNAL, "%s: cannot serve: %s", options->name, strerror(errno));
        serve_stop(serve);
        return NULL;
    }
    return serve;
}

void serve_stop(struct serve *serve)
{
    if (serve == NULL) {
        return;
    }
    atomic_store(&serve->stopping, true);
    (void)eventfd_write(serve->stop, 1);
    for (unsigned int i = 0; i < serve->started; i++) {
        pthread_join(serve->workers[i].thread, NULL);
        buffer_fini(&serve->workers[i].in);
        buffer_fini(&serve->workers[i].out);
    }
    while (serve->connections != NULL) {
        connection_free(serve->connections);
    }
    fd_close(&serve->options.listener);
    fd_close(&serve->epoll);
    fd_close(&serve->stop);
    pthread_mutex_destroy(&serve->lock);
    free(serve->workers);
    free(serve);
}

int serve_take_fd(struct serve_connection *connection)
{
    (void)epoll_ctl(connection->serve->epoll, EPOLL_CTL_DEL, connection->fd, NULL);
    return fd_steal(&connection->fd);
}

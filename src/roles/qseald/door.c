/* SPDX-License-Identifier: Apache-2.0
 * The callers' door: one thread between the listening sockets and httpd.
 *
 * Each connection of httpd is a *front*. The current one is handed every caller. One that says
 * DRAIN becomes the leaving one: it gets no more callers, which wait in the backlog for the next,
 * but the numbers of those it has stay good until it says CLOSED or is gone. */
#include "roles/qseald/door.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "roles/qseald/front.h"
#include "wire/frame.h"
#include "wire/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPT_AT_ONCE = 64, /* callers taken before the door itself is looked at again */
    PAUSE_MS = 100,      /* after accept(2) ran out of descriptors or memory */
    WATCH_WAKE = 0,
    WATCH_FRONT = 1,
    WATCH_LEAVING = 2,
    WATCH_LISTENERS = 3,
    WATCHED = WATCH_LISTENERS + DOOR_LISTENERS_MAX,
};

struct door {
    int listeners[DOOR_LISTENERS_MAX]; /* -1 where there is none */
    struct view_cell *views;
    struct callers *callers;
    struct door_settings settings;
    pthread_t thread;
    int wake; /* eventfd */
    atomic_bool stopping;
    atomic_bool draining;
    atomic_bool connected;
    atomic_int adopted; /* the next front, or -1 */
    pthread_mutex_t lock;
    struct door_front about; /* under the lock: what the newest one said of itself */
    /* The thread's own: */
    struct front front;   /* the current one */
    struct front leaving; /* finishes what it has */
    bool told_to_drain;
    struct log_limit turned_away;
    struct buffer out;
    struct deadline paused;
};

static void note_connected(struct door *door)
{
    atomic_store(&door->connected, door->front.fd >= 0 || door->leaving.fd >= 0);
}

static void drop_front(struct door *door, struct front *front, const char *why)
{
    front_drop(front, door->callers, why);
    note_connected(door);
}

/* The end that httpd reads tells it that nobody else will come. */
static void let_leave(struct door *door)
{
    log_info("httpd is leaving with %zu callers; the others wait for the next one",
             door->front.n_numbers);
    drop_front(door, &door->leaving, "the next one is leaving, too");
    struct front none = door->leaving;
    door->leaving = door->front;
    door->front = none;
    (void)shutdown(door->leaving.fd, SHUT_WR); /* fails only when it is gone, which is heard */
}

static void greet_front(struct door *door, int fd)
{
    if (door->front.fd >= 0) {
        let_leave(door); /* its DRAIN may still be on the way: nobody whom it serves is lost */
    }
    door->front.fd = fd;
    door->told_to_drain = false;
    frame_begin(&door->out, DOOR_KIND_SETTINGS);
    door_put_settings(&door->out, &door->settings);
    if (!front_send(&door->front, &door->out, -1)) {
        drop_front(door, &door->front, "it did not take its settings");
        return;
    }
    note_connected(door);
    log_info("httpd came; callers are accepted");
}

static void hand_over(struct door *door, int fd)
{
    struct caller caller;
    struct reason why;
    struct door_caller pass = {0};
    if (!serve_peer_of(fd, &caller)) {
        return;
    }
    struct view *view = view_cell_get(door->views);
    const struct config_caller *limits = config_caller(view->policy->config, caller.uid);
    pass.uid = caller.uid;
    pass.in_flight = limits == NULL ? 1 : limits->in_flight;
    enum outcome outcome = callers_connect(door->callers, &caller, limits, &pass.connection, &why);
    view_unref(view);
    if (outcome != OUTCOME_OK) {
        if (log_limit_allows(&door->turned_away)) {
            log_info("a connection of uid %u pid %d was turned away: %s", caller.uid, caller.pid,
                     why.detail);
        }
        return;
    }
    if (!front_keep(&door->front, pass.connection)) { /* the callers' table is as large */
        callers_disconnect(door->callers, pass.connection);
        return;
    }
    frame_begin(&door->out, DOOR_KIND_CALLER);
    door_put_caller(&door->out, &pass);
    if (!front_send(&door->front, &door->out, fd)) {
        drop_front(door, &door->front, "it did not take a caller");
    }
}

static void accept_callers(struct door *door, int listener)
{
    for (int i = 0; i < ACCEPT_AT_ONCE && door->front.fd >= 0; i++) {
        FD_CLEANUP int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            hand_over(door, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            log_warning("no caller can be accepted: %s", strerror(errno));
            door->paused = deadline_in_ms(PAUSE_MS);
        }
        return;
    }
}

static void hear_front(struct door *door, struct front *front)
{
    bool drains = false;
    const char *why = front_hear(front, door->callers, &drains);
    if (why != NULL) {
        drop_front(door, front, why);
    } else if (drains && front == &door->front) {
        let_leave(door);
    }
}

static void follow_wishes(struct door *door)
{
    eventfd_t ignored;
    (void)eventfd_read(door->wake, &ignored);
    int adopted = atomic_exchange(&door->adopted, -1);
    if (adopted >= 0) {
        greet_front(door, adopted);
    }
    if (atomic_load(&door->draining) && door->front.fd >= 0 && !door->told_to_drain) {
        door->told_to_drain = true;
        frame_begin(&door->out, DOOR_KIND_DRAIN);
        if (!front_send(&door->front, &door->out, -1)) {
            drop_front(door, &door->front, "it did not take the drain");
        }
    }
}

static void handle(struct door *door, const struct pollfd watched[WATCHED])
{
    if (watched[WATCH_WAKE].revents != 0) {
        follow_wishes(door);
    }
    /* A front may have been replaced or have moved since it was watched. */
    if (watched[WATCH_LEAVING].revents != 0 && watched[WATCH_LEAVING].fd == door->leaving.fd) {
        hear_front(door, &door->leaving);
    }
    if (watched[WATCH_FRONT].revents != 0 && watched[WATCH_FRONT].fd == door->front.fd) {
        hear_front(door, &door->front);
    }
    for (size_t i = 0; i < DOOR_LISTENERS_MAX; i++) {
        if (watched[WATCH_LISTENERS + i].revents != 0) {
            accept_callers(door, door->listeners[i]);
        }
    }
}

static void *run(void *argument)
{
    struct door *door = argument;
    while (!atomic_load(&door->stopping)) {
        bool pausing = !deadline_passed(door->paused);
        bool open = door->front.fd >= 0 && !pausing && !atomic_load(&door->draining);
        struct pollfd watched[WATCHED] = {
            [WATCH_WAKE] = {.fd = door->wake, .events = POLLIN},
            [WATCH_FRONT] = {.fd = door->front.fd, .events = POLLIN},
            [WATCH_LEAVING] = {.fd = door->leaving.fd, .events = POLLIN},
        };
        for (size_t i = 0; i < DOOR_LISTENERS_MAX; i++) {
            watched[WATCH_LISTENERS + i] =
                (struct pollfd){.fd = open ? door->listeners[i] : -1, .events = POLLIN};
        }
        if (poll(watched, WATCHED, pausing ? deadline_left_ms(door->paused) : -1) < 0) {
            continue;
        }
        handle(door, watched);
    }
    return NULL;
}

static void door_release(struct door *door)
{
    front_fini(&door->front);
    front_fini(&door->leaving);
    fd_close(&door->wake);
    pthread_mutex_destroy(&door->lock);
    buffer_fini(&door->out);
    free(door);
}

struct door *door_new(const int listeners[DOOR_LISTENERS_MAX], struct view_cell *views,
                      struct callers *callers, const struct door_settings *settings,
                      struct reason *why)
{
    struct door *door = calloc(1, sizeof *door);
    if (door == NULL) {
        (void)refuse(why, OUTCOME_INTERNAL, "out of memory");
        return NULL;
    }
    bool roomy = front_init(&door->front, settings->connections);
    roomy = front_init(&door->leaving, settings->connections) && roomy;
    door->views = views;
    door->callers = callers;
    door->settings = *settings;
    door->turned_away = LOG_LIMIT_INIT;
    door->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    door->out = BUFFER_INIT(FRONT_FRAME_MAX);
    atomic_init(&door->adopted, -1);
    pthread_mutex_init(&door->lock, NULL);
    for (size_t i = 0; i < DOOR_LISTENERS_MAX; i++) {
        door->listeners[i] = listeners[i];
        if (listeners[i] >= 0) {
            (void)fcntl(listeners[i], F_SETFL, O_NONBLOCK);
            (void)fd_take_rights(listeners[i], false);
        }
    }
    if (!roomy || door->wake < 0 || pthread_create(&door->thread, NULL, run, door) != 0) {
        (void)refuse(why, OUTCOME_INTERNAL, "the callers' door cannot start: %s", strerror(errno));
        door_release(door);
        return NULL;
    }
    return door;
}

void door_free(struct door *door)
{
    if (door == NULL) {
        return;
    }
    atomic_store(&door->stopping, true);
    (void)eventfd_write(door->wake, 1);
    pthread_join(door->thread, NULL);
    int adopted = atomic_exchange(&door->adopted, -1);
    fd_close(&adopted);
    for (size_t i = 0; i < DOOR_LISTENERS_MAX; i++) {
        fd_close(&door->listeners[i]);
    }
    door_release(door);
}

void door_adopt(struct door *door, int fd, const struct door_front *about)
{
    pthread_mutex_lock(&door->lock);
    door->about = *about;
    pthread_mutex_unlock(&door->lock);
    int older = atomic_exchange(&door->adopted, fd);
    fd_close(&older);
    (void)eventfd_write(door->wake, 1);
}

void door_drain(struct door *door)
{
    atomic_store(&door->draining, true);
    (void)eventfd_write(door->wake, 1);
}

bool door_is_connected(struct door *door)
{
    return atomic_load(&door->connected);
}

bool door_about(struct door *door, struct door_front *out)
{
    pthread_mutex_lock(&door->lock);
    *out = door->about;
    pthread_mutex_unlock(&door->lock);
    return door_is_connected(door);
}

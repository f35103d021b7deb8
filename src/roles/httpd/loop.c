/* SPDX-License-Identifier: Apache-2.0
 * The loop: one epoll set, deadlines, signals and the service manager. A turn handles what has
 * happened, then asks, then lets libmicrohttpd work, then writes to the door; so within one turn a
 * reply is read, passed on, and its lane used again. */
#include "roles/httpd/httpd.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "roles/common/program.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 64,
    SCAN_EVERY_MS = 20, /* deadlines are kept to this precision, and scans are no more frequent */
    STOP_MIN_MS = 5000, /* for what is in flight and on its way when we are told to stop */
    STOP_GRACE_MS = 1000,
    STOP_MAX_MS = 15000, /* the service manager waits no longer than 20 s */
    DOOR_IN_MAX = 16 * 1024,
    DOOR_OUT_MAX = 1024 * 1024,
    DOOR_FRAME_MAX = 64,
};

void loop_arm(struct httpd *httpd, int64_t at_ms)
{
    httpd->scan_ms = at_ms < httpd->scan_ms ? at_ms : httpd->scan_ms;
}

bool loop_watch(struct httpd *httpd, int fd, enum watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events | EPOLLET, .data.ptr = watch};
    return epoll_ctl(httpd->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void loop_rewatch(struct httpd *httpd, int fd, enum watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events | EPOLLET, .data.ptr = watch};
    (void)epoll_ctl(httpd->epoll, EPOLL_CTL_MOD, fd, &event);
}

void loop_unwatch(struct httpd *httpd, int fd)
{
    (void)epoll_ctl(httpd->epoll, EPOLL_CTL_DEL, fd, NULL);
}

static void stop_begin(struct httpd *httpd)
{
    if (httpd->stop_at_ms != 0) {
        return;
    }
    log_info("stopping");
    (void)sd_notify(0, "STOPPING=1\nSTATUS=stopping");
    int64_t for_ms = (int64_t)httpd->settings.deadline_ms + STOP_GRACE_MS;
    for_ms = for_ms < STOP_MIN_MS ? STOP_MIN_MS : for_ms;
    httpd->stop_at_ms = httpd->now_ms + (for_ms < STOP_MAX_MS ? for_ms : STOP_MAX_MS);
    loop_arm(httpd, httpd->stop_at_ms);
    door_leave(httpd);
    lanes_trim(httpd);
    peers_drain(httpd);
}

static void signal_event(struct httpd *httpd, int signals)
{
    struct signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
        stop_begin(httpd);
    }
}

static void handle(struct httpd *httpd, int signals, const struct epoll_event *event)
{
    enum watch *watch = event->data.ptr;
    switch (*watch) {
    case WATCH_SIGNALS:
        signal_event(httpd, signals);
        return;
    case WATCH_ENGINE:
        httpd->engine_pending = true;
        return;
    case WATCH_DOOR:
        door_event(httpd);
        return;
    case WATCH_LANE: /* the watch is the first member of what is watched */
        lane_event(httpd, (struct lane *)(void *)watch);
        return;
    case WATCH_PEER:
        peer_event(httpd, (struct peer *)(void *)watch, event->events);
        return;
    }
}

/* What is due by the clock. */
static void scan(struct httpd *httpd)
{
    int64_t next_ms = INT64_MAX;
    lanes_scan(httpd, &next_ms);
    peers_scan(httpd, &next_ms);
    if (httpd->watchdog_ms > 0 && httpd->now_ms >= httpd->watchdog_at_ms) {
        (void)sd_notify(0, "WATCHDOG=1");
        httpd->watchdog_at_ms = httpd->now_ms + httpd->watchdog_ms;
    }
    if (httpd->watchdog_ms > 0 && httpd->watchdog_at_ms < next_ms) {
        next_ms = httpd->watchdog_at_ms;
    }
    if (httpd->stop_at_ms != 0 && httpd->stop_at_ms < next_ms) {
        next_ms = httpd->stop_at_ms;
    }
    int64_t soonest_ms = httpd->now_ms + SCAN_EVERY_MS;
    httpd->scan_ms = next_ms > soonest_ms ? next_ms : soonest_ms;
    door_tick(httpd);
}

static int wait_ms(const struct httpd *httpd)
{
    if (httpd->engine_pending) {
        return 0;
    }
    int64_t left_ms = httpd->scan_ms - clock_monotonic_ms();
    if (left_ms < 0) {
        return 0;
    }
    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

static bool is_over(const struct httpd *httpd)
{
    if (httpd->stop_at_ms == 0) {
        return false;
    }
    bool served = httpd->n_peers == 0 && door_is_done(httpd);
    return served || httpd->now_ms >= httpd->stop_at_ms;
}

static bool turn(struct httpd *httpd, int signals)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(httpd->epoll, events, EVENTS_MAX, wait_ms(httpd));
    if (count < 0 && errno != EINTR) {
        log_error("epoll_wait: %s", strerror(errno));
        return false;
    }
    httpd->now_ms = clock_monotonic_ms();
    for (int i = 0; i < count; i++) {
        handle(httpd, signals, &events[i]);
    }
    if (httpd->now_ms >= httpd->scan_ms) {
        scan(httpd);
    }
    if (httpd->dispatch_pending) {
        lanes_dispatch(httpd);
    }
    if (httpd->engine_pending) {
        engine_run(httpd);
    }
    door_flush(httpd);
    return true;
}

static void watchdog_start(struct httpd *httpd)
{
    enum { US_PER_MS = 1000 };
    uint64_t period_us = 0;
    if (sd_watchdog_enabled(0, &period_us) > 0) {
        httpd->watchdog_ms = (int64_t)(period_us / 2 / US_PER_MS);
        httpd->watchdog_at_ms = httpd->now_ms;
    }
}

static void room_close(struct httpd *httpd)
{
    if (httpd->engine != NULL) {
        engine_stop(httpd);
    }
    lanes_close(httpd);
    door_flush(httpd);
    fd_close(&httpd->door.fd);
    buffer_fini(&httpd->door.in);
    buffer_fini(&httpd->door.out);
    buffer_fini(&httpd->door.one);
    questions_free(httpd);
    lanes_fini(httpd);
    fd_close(&httpd->epoll);
}

int loop_run(struct httpd *httpd)
{
    static const int watched[] = {SIGTERM, SIGINT};
    FD_CLEANUP int signals = program_watch_signals(watched, COUNT_OF(watched));
    httpd->epoll = epoll_create1(EPOLL_CLOEXEC);
    httpd->watch_signals = WATCH_SIGNALS;
    httpd->watch_engine = WATCH_ENGINE;
    httpd->door = (struct door){.watch = WATCH_DOOR,
                                .fd = -1,
                                .in = BUFFER_INIT(DOOR_IN_MAX),
                                .out = BUFFER_INIT(DOOR_OUT_MAX),
                                .one = BUFFER_INIT(DOOR_FRAME_MAX)};
    httpd->now_ms = clock_monotonic_ms();
    httpd->scan_ms = httpd->now_ms;
    watchdog_start(httpd);
    bool good = signals >= 0 && httpd->epoll >= 0 && lanes_init(httpd) && engine_start(httpd) &&
                loop_watch(httpd, signals, &httpd->watch_signals, EPOLLIN);
    if (!good) {
        log_error("cannot start: %s", strerror(errno));
    }
    bool running = good;
    while (running && !is_over(httpd)) {
        running = turn(httpd, signals);
    }
    room_close(httpd);
    return running ? 0 : -1;
}

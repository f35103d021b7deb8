/* SPDX-License-Identifier: Apache-2.0
 * qseald's sockets and services, put together and taken apart. */
#include "roles/qseald/room.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "custody/clock.h"
#include "custody/local.h"
#include "roles/qseald/door.h"
#include "roles/qseald/load.h"
#include "roles/qseald/room_audit.h"
#include "signing/checkpointer.h"
#include "signing/local.h"
#include "wire/frame.h"
#include "wire/serve.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,
    CALLERS_MODE = 0666, /* the folder decides who gets here, and SO_PEERCRED who they are */
    ADMIN_MODE = 0660,
    SIGNING_MODE = 0660,
    ADMIN_WORKERS = 4,
    ADMIN_CONNECTIONS = 64,
    ADMIN_CONNECTIONS_OF_ONE = 16,
    SPARE_CONNECTIONS = 8, /* httpd's connections beyond one per worker: the door, and old ones
                              during its restart */
    DRAIN_LOOK_MS = 5,
};

struct room {
    struct view_cell *views;
    struct callers *callers;
    struct watch *watch;
    struct audit *audit; /* NULL: the configuration wants none */
    struct checkpointer *checkpointer;
    struct custody *custody;
    struct custody_clock *clock;
    struct door *door;
    struct signing signing;
    struct serve *signing_door;
    struct serve *admin_door;
    struct log_limit refusals;
    uid_t httpd_uid;
    uint32_t drain_ms;
    char config_path[PATH_MAX];
    char keyring_path[PATH_MAX];
};

struct listeners {
    int callers[DOOR_LISTENERS_MAX];
    int admin;
    int signing;
};

static bool handle_ask(struct serve_call *call)
{
    const struct room *room = call->room;
    struct signing_request request;
    struct signing_answer answer;
    if (!signing_get_request(call->request, &request) || call->worker == NULL) {
        return false;
    }
    signing_ask(&room->signing, call->worker, &request, &answer);
    signing_put_answer(call->answer, &answer);
    return true;
}

static bool handle_door(struct serve_call *call)
{
    struct room *room = call->room;
    struct door_front about;
    if (door_get_front(call->request, &about)) {
        door_adopt(room->door, serve_take_fd(call->connection), &about);
    }
    return false;
}

static const struct serve_row signing_rows[] = {
    {SIGNING_KIND_ASK, handle_ask},
    {SIGNING_KIND_DOOR, handle_door},
};

static void *worker_new(void *room, unsigned int index)
{
    (void)room;
    (void)index;
    return signing_worker_new();
}

static void worker_free(void *worker)
{
    signing_worker_free(worker);
}

/* The verb is the kind of the frame; which there are is custody's affair. */
static bool handle_custody(struct serve_call *call)
{
    struct room *room = call->room;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(CUSTODY_RESULT_MAX);
    struct span arguments = reader_bytes(call->request, CUSTODY_ARGUMENTS_MAX);
    if (!reader_done(call->request)) {
        return false;
    }
    const struct custody_question question = {
        .verb = call->kind, .peer = call->peer, .arguments = arguments, .pin = call->passed};
    enum outcome outcome = custody_do(room->custody, &question, &result, &why);
    if (outcome == OUTCOME_OK && !buffer_ok(&result)) {
        outcome = refuse(&why, OUTCOME_INTERNAL, "the answer does not fit into memory");
    }
    frame_put_outcome(call->answer, outcome, &why);
    if (outcome == OUTCOME_OK) {
        buffer_put_bytes(call->answer, buffer_span(&result));
    }
    return true;
}

static bool has_rights(void *context, const struct caller *peer)
{
    const struct room *room = context;
    struct view *view = view_cell_get(room->views);
    bool may = config_rights(view->policy->config, peer) != 0;
    view_unref(view);
    return may;
}

/* Descriptors from systemd, by the names its socket unit gives them (sd_listen_fds_with_names(3)).
 */
static void take_activated(struct listeners *listeners)
{
    char **names = NULL;
    int n = sd_listen_fds_with_names(1, &names);
    size_t n_callers = 0;
    for (int i = 0; i < n; i++) {
        int fd = SD_LISTEN_FDS_START + i;
        if (strcmp(names[i], "callers") == 0 && n_callers < DOOR_LISTENERS_MAX) {
            listeners->callers[n_callers++] = fd;
        } else if (strcmp(names[i], "admin") == 0) {
            listeners->admin = fd;
        } else if (strcmp(names[i], "signing") == 0) {
            listeners->signing = fd;
        } else {
            log_warning("a socket named %s was handed over and is not used", names[i]);
            (void)close(fd);
        }
    }
    for (int i = 0; i < n; i++) {
        free(names[i]);
    }
    free(names);
}

static bool open_one(int *fd, const char *path, unsigned int mode, struct reason *why)
{
    if (*fd >= 0 || path == NULL) {
        return true;
    }
    *fd = fd_listen_unix(path, mode, BACKLOG);
    if (*fd < 0) {
        (void)refuse(why, OUTCOME_INTERNAL, "cannot listen at %s: %s", path, strerror(errno));
    }
    return *fd >= 0;
}

static bool open_listeners(const struct config_sockets *sockets, struct listeners *listeners,
                           struct reason *why)
{
    bool activated = listeners->callers[0] >= 0;
    return open_one(&listeners->callers[0], sockets->callers, CALLERS_MODE, why) &&
           (activated ||
            open_one(&listeners->callers[1], sockets->callers_second, CALLERS_MODE, why)) &&
           open_one(&listeners->admin, sockets->admin, ADMIN_MODE, why) &&
           open_one(&listeners->signing, sockets->signing, SIGNING_MODE, why);
}

static bool front_about(void *room, struct door_front *out)
{
    return door_about(((struct room *)room)->door, out);
}

static bool start_services(struct room *room, const struct config *config, struct reason *why)
{
    room->watch = watch_new(room->views, why);
    if (room->watch == NULL) {
        return false;
    }
    room->callers = callers_new(config->limits.connections);
    struct custody_room custody = {
        .config_path = room->config_path,
        .keyring_path = room->keyring_path,
        .views = room->views,
        .watch = room->watch,
        .callers = room->callers,
        .audit = room->audit,
        .askers = ADMIN_WORKERS,
        .front_about = front_about,
        .front = room,
    };
    room->custody = custody_new(&custody);
    if (room->callers == NULL || room->custody == NULL) {
        (void)refuse(why, OUTCOME_INTERNAL, "out of memory");
        return false;
    }
    room->refusals = LOG_LIMIT_INIT;
    room->signing = (struct signing){.views = room->views,
                                     .callers = room->callers,
                                     .watch = room->watch,
                                     .audit = room->audit,
                                     .refusals = &room->refusals};
    return true;
}

static bool open_doors(struct room *room, const struct config *config, struct listeners *listeners,
                       struct reason *why)
{
    const struct config_limits *limits = &config->limits;
    struct door_settings settings = {
        .channels = limits->workers,
        .connections = limits->connections,
        .body_max = limits->body_max,
        .head_ms = limits->head_ms,
        .body_ms = limits->body_ms,
        .idle_ms = limits->idle_ms,
        .deadline_ms = limits->deadline_ms,
    };
    room->door = door_new(listeners->callers, room->views, room->callers, &settings, why);
    if (room->door == NULL) {
        return false;
    }
    struct serve_options admin = {
        .name = "admin door",
        .listener = listeners->admin,
        .workers = ADMIN_WORKERS,
        .max_connections = ADMIN_CONNECTIONS,
        .max_per_uid = ADMIN_CONNECTIONS_OF_ONE,
        .max_payload = CUSTODY_ARGUMENTS_MAX + sizeof(uint32_t),
        .takes_descriptors = true, /* a typed PIN, passed on unread */
        .trusts = has_rights,
        .otherwise = handle_custody,
        .with_groups = true,
        .room = room,
    };
    struct serve_options signing = {
        .name = "signing door",
        .listener = listeners->signing,
        .workers = limits->workers,
        .max_connections =
            2 * limits->workers + SPARE_CONNECTIONS, /* two httpds while one leaves */
        .max_payload = SIGNING_BODY_MAX + 4096,
        .allowed = &room->httpd_uid,
        .n_allowed = 1,
        .rows = signing_rows,
        .n_rows = COUNT_OF(signing_rows),
        .room = room,
        .worker_new = worker_new,
        .worker_free = worker_free,
    };
    room->signing_door = serve_start(&signing, why);
    /* Last: from here on a reload may take the configuration away. */
    room->admin_door = room->signing_door == NULL ? NULL : serve_start(&admin, why);
    return room->admin_door != NULL;
}

static void room_free(struct room *room)
{
    serve_stop(room->signing_door);
    serve_stop(room->admin_door);
    custody_clock_free(room->clock);
    door_free(room->door);
    checkpointer_free(room->checkpointer);
    custody_free(room->custody);
    audit_close(room->audit);
    watch_free(room->watch);
    callers_free(room->callers);
    view_cell_free(room->views);
    free(room);
}

static enum outcome start(struct room *room, struct reason *why)
{
    struct view *view = NULL;
    struct listeners listeners = {.callers = {-1, -1}, .admin = -1, .signing = -1};
    take_activated(&listeners);
    enum outcome outcome =
        load_view(room->config_path, room->keyring_path, sizeof room->keyring_path, &view, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    /* The cell keeps the view until a reload, and none is possible before the admin door is open.
     */
    const struct config *config = view->policy->config;
    room->httpd_uid = config->httpd_uid;
    room->drain_ms = config->limits.drain_ms;
    room->views = view_cell_new(view);
    if (room->views == NULL) {
        view_unref(view);
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    outcome = room_open_audit(view, &room->audit, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    bool open = open_listeners(&config->sockets, &listeners, why) &&
                start_services(room, config, why) && open_doors(room, config, &listeners, why);
    if (open && room->audit != NULL) {
        room->checkpointer = checkpointer_new(room->views, room->watch, room->audit, why);
        open = room->checkpointer != NULL;
    }
    room->clock = open ? custody_clock_new(room->custody, why) : NULL;
    open = room->clock != NULL;
    return open ? OUTCOME_OK : OUTCOME_UNAVAILABLE;
}

enum outcome room_start(const char *config_path, struct room **out, struct reason *why)
{
    struct room *room = calloc(1, sizeof *room);
    if (room == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    (void)snprintf(room->config_path, sizeof room->config_path, "%s", config_path);
    enum outcome outcome = start(room, why);
    if (outcome != OUTCOME_OK) {
        room_free(room);
        return outcome;
    }
    *out = room;
    return OUTCOME_OK;
}

void room_reload(struct room *room)
{
    struct reason why;
    if (custody_reload(room->custody, &why) != OUTCOME_OK) {
        return; /* said in the log and in the status */
    }
    struct view *view = view_cell_get(room->views);
    log_info("generation %llu: %zu profiles, %zu keys",
             (unsigned long long)view->policy->generation, profiles_total(view->policy->profiles),
             view->keyring->n_keys);
    view_unref(view);
}

void room_stop(struct room *room)
{
    struct deadline end = deadline_in_ms(room->drain_ms);
    door_drain(room->door);
    /* httpd closes the callers' connections as their answers are out; when all are gone nothing is
     * in flight. */
    while (!deadline_passed(end) && door_is_connected(room->door) &&
           (callers_in_flight(room->callers) > 0 || callers_connected(room->callers) > 0)) {
        struct timespec moment = {.tv_nsec = DRAIN_LOOK_MS * 1000000L};
        (void)nanosleep(&moment, NULL);
    }
    room_free(room);
}

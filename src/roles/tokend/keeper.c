/* SPDX-License-Identifier: Apache-2.0
 * Maintenance and watchdog. */
#include "roles/tokend/keeper.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOK_MS = 20,
    MAINTAIN_MS = 1000,
    WAITING_MAX = 30,    /* rounds without a token; then a new process tries */
    LAST_WORDS_MS = 2000 /* between giving up and the end */
};

struct keeper {
    struct room *room;
    int given_up;
    pthread_t maintenance;
    pthread_t watchdog;
};

static void pause_ms(long ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

static void tell_state(struct keeper *keeper, bool first)
{
    struct token_status status;
    room_status(keeper->room, &status);
    (void)sd_notifyf(0, "%sSTATUS=token %s is %s%s%s", first ? "READY=1\n" : "",
                     keeper->room->options.name, token_state_name(status.state),
                     status.detail[0] == '\0' ? "" : ": ", status.detail);
}

static void *maintain(void *argument)
{
    struct keeper *keeper = argument;
    unsigned int waiting = 0;
    for (bool first = true;; first = false) {
        enum room_tick tick = room_maintain(keeper->room);
        waiting = tick == ROOM_WAITING ? waiting + 1 : 0;
        tell_state(keeper, first);
        if (waiting >= WAITING_MAX) {
            log_error("token %s: not usable after %u looks: a new process will try",
                      keeper->room->options.name, waiting);
            _exit(KEEPER_EXIT_ABSENT);
        }
        pause_ms(MAINTAIN_MS);
    }
    return NULL;
}

static void end_if_hung(const struct keeper *keeper)
{
    unsigned int place;
    if (!guard_overrun(&keeper->room->guard, &place)) {
        return;
    }
    log_error("token %s: a call into the module does not return (%s %u, over its deadline of %u "
              "ms): this process ends",
              keeper->room->options.name,
              place == room_maintenance_place(keeper->room) ? "maintenance" : "worker", place,
              keeper->room->options.deadline_ms);
    _exit(KEEPER_EXIT_HUNG);
}

static void end_if_given_up(const struct keeper *keeper, struct deadline *last_words)
{
    if (!atomic_load(&keeper->room->abandoned)) {
        return;
    }
    if (last_words->at_us == 0) {
        *last_words = deadline_in_ms(LAST_WORDS_MS);
        (void)eventfd_write(keeper->given_up, 1);
        return;
    }
    if (deadline_passed(*last_words)) {
        _exit(KEEPER_EXIT_HUNG);
    }
}

static void *watch(void *argument)
{
    struct keeper *keeper = argument;
    struct deadline last_words = {0};
    uint64_t watchdog_us = 0;
    bool watchdog = sd_watchdog_enabled(0, &watchdog_us) > 0;
    struct deadline next = {0};
    for (;;) {
        end_if_hung(keeper);
        end_if_given_up(keeper, &last_words);
        if (watchdog && deadline_passed(next)) {
            (void)sd_notify(0, "WATCHDOG=1");
            next = deadline_in_ms((int64_t)(watchdog_us / 3000));
        }
        pause_ms(LOOK_MS);
    }
    return NULL;
}

struct keeper *keeper_start(struct room *room, struct reason *why)
{
    struct keeper *keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL) {
        (void)refuse(why, OUTCOME_INTERNAL, "out of memory");
        return NULL;
    }
    *keeper = (struct keeper){.room = room, .given_up = eventfd(0, EFD_CLOEXEC)};
    if (keeper->given_up < 0 || pthread_create(&keeper->watchdog, NULL, watch, keeper) != 0 ||
        pthread_create(&keeper->maintenance, NULL, maintain, keeper) != 0) {
        (void)refuse(why, OUTCOME_INTERNAL, "cannot start threads: %s", strerror(errno));
        return NULL; /* the process ends now; a thread that runs may still use the keeper */
    }
    return keeper;
}

int keeper_given_up_fd(const struct keeper *keeper)
{
    return keeper->given_up;
}

/* SPDX-License-Identifier: Apache-2.0
 * The thread of the clock. The wall clock decides what is due; its own rest is measured by the
 * other one, and short, so that a wall clock that is set counts within a second. */
#include "custody/clock.h"

#include "base/clock.h"
#include "base/log.h"
#include "custody/act.h"
#include "custody/trial.h"

#include <stdlib.h>
#include <string.h>

enum { NS_PER_S = 1000000000 };

struct custody_clock {
    struct custody *custody;
    pthread_t thread;
    pthread_mutex_t lock; /* guards `stopping` */
    pthread_cond_t wake;
    bool stopping;
};

static bool was_known(const struct overdue_list *known, const struct overdue *overdue)
{
    for (size_t i = 0; i < known->n; i++) {
        const struct overdue *other = &known->list[i];
        if (other->state == overdue->state && other->at == overdue->at &&
            strcmp(other->kid, overdue->kid) == 0 && strcmp(other->token, overdue->token) == 0) {
            return true;
        }
    }
    return false;
}

/* The log hears of each once, the status has what is refused now. */
static void note_look(struct custody *custody, int64_t now, const struct overdue_list *overdue)
{
    for (size_t i = 0; i < overdue->n; i++) {
        const struct overdue *late = &overdue->list[i];
        if (!was_known(&custody->clock.overdue, late)) {
            log_warning("key %s of role %s in token %s is due to be %s, and is not: %s", late->kid,
                        late->role, late->token, key_state_name(late->state), late->detail);
        }
    }
    pthread_mutex_lock(&custody->report);
    custody->clock.overdue = *overdue;
    custody->clock.looked_at = now;
    pthread_mutex_unlock(&custody->report);
}

static bool is_paused(struct custody *custody)
{
    struct clock_jump unused;
    bool paused =
        clock_guard_jump(watch_clock(custody->room.watch), clock_wall_s(), clock_boot_s(), &unused);
    if (paused != custody->clock.paused) {
        log_warning("%s", paused ? "the wall clock is not trusted: what is scheduled waits"
                                 : "the wall clock is trusted again: what is scheduled goes on");
        pthread_mutex_lock(&custody->report);
        custody->clock.paused = paused;
        pthread_mutex_unlock(&custody->report);
    }
    return paused;
}

bool custody_clock_step(struct custody *custody, int64_t now)
{
    struct overdue_list *overdue = &custody->overdue_now;
    struct act act = {.custody = custody, .pin = -1};
    reload_record_again(custody);
    if (is_paused(custody)) {
        return false;
    }
    probe_look(custody, now);
    overdue->n = 0;
    struct trials trials = {.n = 0};
    due_try(custody, now, &trials);
    pthread_mutex_lock(&custody->change);
    bool taken = due_take_locked(&act, now, &trials, overdue);
    pthread_mutex_unlock(&custody->change);
    note_look(custody, now, overdue);
    return taken;
}

/* Until the wall clock's next second begins, or the end. */
static void rest(struct custody_clock *clock)
{
    struct timespec wall;
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += NS_PER_S - wall.tv_nsec;
    until.tv_sec += until.tv_nsec / NS_PER_S;
    until.tv_nsec %= NS_PER_S;
    pthread_mutex_lock(&clock->lock);
    if (!clock->stopping) {
        (void)pthread_cond_timedwait(&clock->wake, &clock->lock, &until);
    }
    pthread_mutex_unlock(&clock->lock);
}

static bool is_stopping(struct custody_clock *clock)
{
    pthread_mutex_lock(&clock->lock);
    bool stopping = clock->stopping;
    pthread_mutex_unlock(&clock->lock);
    return stopping;
}

static void *run(void *argument)
{
    struct custody_clock *clock = argument;
    while (!is_stopping(clock)) {
        if (!custody_clock_step(clock->custody, clock_wall_s())) {
            rest(clock);
        }
    }
    return NULL;
}

struct custody_clock *custody_clock_new(struct custody *custody, struct reason *why)
{
    struct custody_clock *clock = calloc(1, sizeof *clock);
    if (clock == NULL) {
        (void)refuse(why, OUTCOME_INTERNAL, "out of memory");
        return NULL;
    }
    clock->custody = custody;
    pthread_mutex_init(&clock->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&clock->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&clock->thread, NULL, run, clock) != 0) {
        pthread_cond_destroy(&clock->wake);
        pthread_mutex_destroy(&clock->lock);
        free(clock);
        (void)refuse(why, OUTCOME_INTERNAL, "no thread for what is scheduled");
        return NULL;
    }
    return clock;
}

void custody_clock_free(struct custody_clock *clock)
{
    if (clock == NULL) {
        return;
    }
    pthread_mutex_lock(&clock->lock);
    clock->stopping = true;
    pthread_cond_signal(&clock->wake);
    pthread_mutex_unlock(&clock->lock);
    pthread_join(clock->thread, NULL);
    pthread_cond_destroy(&clock->wake);
    pthread_mutex_destroy(&clock->lock);
    free(clock);
}

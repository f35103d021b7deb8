/* SPDX-License-Identifier: Apache-2.0
 * The look at the tokens, the clock and the ends of keys, once a second. */
#include "signing/watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "signing/key_end_log.h"
#include "token/remote.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_EVERY_MS = 1000,
    LOOK_AGAIN_MS = 200, /* while a token is not ready */
    ASK_DEADLINE_MS = 900,
};

struct watched {
    char name[TOKEN_TEXT_SIZE];
    struct token_status status;
    struct token *token; /* the thread's own connection */
};

struct watch {
    struct view_cell *views;
    pthread_t thread;
    struct clock_guard clock;
    struct key_end_log ends; /* the thread's own */
    pthread_mutex_t lock;    /* guards all below */
    pthread_cond_t wake;
    bool stopping;
    struct watched *tokens;
    size_t n_tokens;
    struct policy *policy; /* whose tokens these are; the names of its connections point into it */
};

static struct watched *find(struct watch *watch, const char *name)
{
    for (size_t i = 0; i < watch->n_tokens; i++) {
        if (strcmp(watch->tokens[i].name, name) == 0) {
            return &watch->tokens[i];
        }
    }
    return NULL;
}

static void forget_tokens(struct watch *watch)
{
    for (size_t i = 0; i < watch->n_tokens; i++) {
        token_remote_free(watch->tokens[i].token);
    }
    free(watch->tokens);
    watch->tokens = NULL;
    watch->n_tokens = 0;
    policy_unref(watch->policy);
    watch->policy = NULL;
}

/* What was last seen of a token stays true over a reload: requests go on while it is asked anew. */
static struct token_status status_before(struct watch *watch, const char *name)
{
    const struct watched *known = find(watch, name);
    if (known != NULL) {
        return known->status;
    }
    struct token_status unknown = {.state = TOKEN_DOWN};
    (void)snprintf(unknown.detail, sizeof unknown.detail, "not asked yet");
    return unknown;
}

static struct watched *list_tokens(struct watch *watch, const struct config *config)
{
    struct watched *tokens = calloc(config->n_tokens, sizeof *tokens);
    for (size_t i = 0; tokens != NULL && i < config->n_tokens; i++) {
        (void)snprintf(tokens[i].name, sizeof tokens[i].name, "%s", config->tokens[i].name);
        tokens[i].status = status_before(watch, config->tokens[i].name);
        tokens[i].token = token_remote_new(config->tokens[i].name, config->tokens[i].socket);
    }
    return tokens;
}

/* Follows a reload: the list of tokens may be another one now. */
static void follow_policy(struct watch *watch)
{
    struct view *view = view_cell_get(watch->views);
    if (view->policy != watch->policy) {
        struct watched *tokens = list_tokens(watch, view->policy->config);
        forget_tokens(watch);
        watch->tokens = tokens;
        watch->n_tokens = tokens == NULL ? 0 : view->policy->config->n_tokens;
        watch->policy = policy_ref(view->policy);
    }
    view_unref(view);
}

static void note(struct watch *watch, struct watched *watched, const struct token_status *status)
{
    pthread_mutex_lock(&watch->lock);
    if (watched->status.state != status->state) {
        log_info("token %s is %s%s%s", watched->name, token_state_name(status->state),
                 status->detail[0] == '\0' ? "" : ": ", status->detail);
    }
    watched->status = *status;
    pthread_mutex_unlock(&watch->lock);
}

/* Whether the token is at work and has given signatures within the time that one PKCS#11 call may
 * take: a look that got no answer then only waited behind them. */
static bool is_signing(const struct watch *watch, size_t index)
{
    const struct token_load *load = &watch->policy->loads[index];
    return watch->tokens[index].status.state == TOKEN_READY && atomic_load(&load->busy) > 0 &&
           clock_monotonic_ms() - atomic_load(&load->answered_ms) <
               (int64_t)watch->policy->config->tokens[index].deadline_ms;
}

static void look(struct watch *watch)
{
    for (size_t i = 0; i < watch->n_tokens; i++) {
        struct watched *watched = &watch->tokens[i];
        struct token_status status = {.state = TOKEN_DOWN};
        struct reason why = {0};
        enum outcome outcome =
            watched->token == NULL
                ? refuse(&why, OUTCOME_INTERNAL, "out of memory")
                : token_status(watched->token, deadline_in_ms(ASK_DEADLINE_MS), &status, &why);
        if (outcome == OUTCOME_DEADLINE && is_signing(watch, i)) {
            continue; /* its workers are busy with signatures, which is no bad news */
        }
        if (outcome != OUTCOME_OK) {
            status = (struct token_status){.state = TOKEN_DOWN};
            (void)snprintf(status.detail, sizeof status.detail, "%s", why.detail);
        }
        note(watch, watched, &status);
    }
}

/* By a clock that is not believed no key nears its end. */
static void look_at_time(struct watch *watch)
{
    struct view *view = view_cell_get(watch->views);
    clock_guard_set_limit(&watch->clock, view->policy->config->limits.clock_jump_s);
    clock_guard_look(&watch->clock, clock_wall_s(), clock_boot_s());
    if (clock_guard_is_trusted(&watch->clock)) {
        (void)key_end_log_look(&watch->ends, view, clock_wall_s());
    }
    view_unref(view);
}

static bool all_ready(const struct watch *watch)
{
    for (size_t i = 0; i < watch->n_tokens; i++) {
        if (watch->tokens[i].status.state != TOKEN_READY) {
            return false;
        }
    }
    return true;
}

static void rest(struct watch *watch)
{
    const struct timespec until =
        deadline_timespec(deadline_in_ms(all_ready(watch) ? LOOK_EVERY_MS : LOOK_AGAIN_MS));
    if (!watch->stopping) {
        (void)pthread_cond_timedwait(&watch->wake, &watch->lock, &until);
    }
}

static void *run(void *argument)
{
    struct watch *watch = argument;
    pthread_mutex_lock(&watch->lock);
    while (!watch->stopping) {
        follow_policy(watch);
        pthread_mutex_unlock(&watch->lock);
        look_at_time(watch);
        look(watch); /* only this thread changes the list, so it may be read without the lock */
        pthread_mutex_lock(&watch->lock);
        rest(watch);
    }
    forget_tokens(watch);
    pthread_mutex_unlock(&watch->lock);
    key_end_log_fini(&watch->ends);
    return NULL;
}

static void start_clock(struct watch *watch)
{
    struct view *view = view_cell_get(watch->views);
    clock_guard_init(&watch->clock, view->policy->config->limits.clock_jump_s,
                     keyring_newest_time(view->keyring), clock_wall_s(), clock_boot_s());
    view_unref(view);
}

static void watch_release(struct watch *watch)
{
    clock_guard_fini(&watch->clock);
    pthread_cond_destroy(&watch->wake);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

struct watch *watch_new(struct view_cell *views, struct reason *why)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) {
        (void)refuse(why, OUTCOME_INTERNAL, "out of memory");
        return NULL;
    }
    watch->views = views;
    start_clock(watch);
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&watch->thread, NULL, run, watch) != 0) {
        watch_release(watch);
        (void)refuse(why, OUTCOME_INTERNAL, "no thread for the look at the tokens");
        return NULL;
    }
    return watch;
}

void watch_stop(struct watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    bool stopped = watch->stopping;
    watch->stopping = true;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    if (!stopped) {
        pthread_join(watch->thread, NULL);
    }
}

void watch_free(struct watch *watch)
{
    if (watch != NULL) {
        watch_stop(watch);
        watch_release(watch);
    }
}

struct clock_guard *watch_clock(struct watch *watch)
{
    return &watch->clock;
}

enum token_state watch_state(struct watch *watch, const char *name, struct token_status *out)
{
    static const struct token_status unknown = {.state = TOKEN_DOWN};
    pthread_mutex_lock(&watch->lock);
    const struct watched *watched = find(watch, name);
    const struct token_status *status = watched == NULL ? &unknown : &watched->status;
    enum token_state state = status->state;
    if (out != NULL) {
        *out = *status;
    }
    pthread_mutex_unlock(&watch->lock);
    return state;
}

void watch_mark_down(struct watch *watch, const char *name, const char *detail)
{
    pthread_mutex_lock(&watch->lock);
    struct watched *watched = find(watch, name);
    if (watched != NULL && watched->status.state == TOKEN_READY) {
        watched->status.state = TOKEN_DOWN;
        (void)snprintf(watched->status.detail, sizeof watched->status.detail, "%s", detail);
        log_warning("token %s is down: %s", name, detail);
        pthread_cond_signal(&watch->wake); /* look at once: it may only have been restarted */
    }
    pthread_mutex_unlock(&watch->lock);
}

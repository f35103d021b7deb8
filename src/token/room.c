/* SPDX-License-Identifier: Apache-2.0
 * The shared side of qseal-tokend. */
#include "token/room.h"

#include "base/clock.h"
#include "base/log.h"
#include "token/facts.h"
#include "token/login.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MISSES_MAX = 5 };

enum outcome room_init(struct room *room, const struct room_options *options, struct reason *why)
{
    *room = (struct room){.options = *options, .state = TOKEN_ABSENT, .started = clock_wall_s()};
    (void)snprintf(room->detail, sizeof room->detail, "not looked for yet");
    pthread_mutex_init(&room->login_lock, NULL);
    pthread_mutex_init(&room->lock, NULL);
    key_cache_init(&room->keys);
    if (!key_uses_init(&room->uses)) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    enum outcome outcome = uri_parse(options->uri, &room->uri, why);
    if (outcome == OUTCOME_OK && options->pin_typed == (uri_pin_source(room->uri) != NULL)) {
        outcome = refuse(why, OUTCOME_RULE, "uri: pin-source %s",
                         options->pin_typed ? "is there, and the PIN is typed" : "is missing");
    }
    if (outcome == OUTCOME_OK) {
        outcome = module_load(options->module, &room->module, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    room->digests = digests_new();
    if (room->digests == NULL || !guard_init(&room->guard, options->sessions + 1)) {
        return refuse(why, OUTCOME_INTERNAL, "no SHA-2, or out of memory");
    }
    return OUTCOME_OK;
}

void room_fini(struct room *room)
{
    guard_fini(&room->guard);
    digests_free(room->digests);
    uri_free(room->uri);
    key_uses_fini(&room->uses);
    key_cache_fini(&room->keys);
    pthread_mutex_destroy(&room->lock);
    pthread_mutex_destroy(&room->login_lock);
}

unsigned int room_maintenance_place(const struct room *room)
{
    return room->options.sessions;
}

void room_set_state(struct room *room, enum token_state state, const char *format, ...)
{
    char detail[REASON_DETAIL_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    pthread_mutex_lock(&room->lock);
    bool news = state != room->state || strcmp(detail, room->detail) != 0;
    room->state = state;
    memcpy(room->detail, detail, sizeof detail);
    pthread_mutex_unlock(&room->lock);
    atomic_store(&room->ready, state == TOKEN_READY);
    if (news) {
        log_info("token %s is %s%s%s", room->options.name, token_state_name(state),
                 detail[0] == '\0' ? "" : ": ", detail);
    }
}

void room_abandon(struct room *room, const char *format, ...)
{
    if (atomic_exchange(&room->abandoned, true)) {
        return;
    }
    char text[REASON_DETAIL_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_error("token %s: %s: this process is given up", room->options.name, text);
}

void room_status(struct room *room, struct token_status *out)
{
    *out = (struct token_status){.sessions = room->options.sessions};
    pthread_mutex_lock(&room->lock);
    out->state = room->state;
    memcpy(out->label, room->slot.label, sizeof out->label);
    memcpy(out->serial, room->slot.serial, sizeof out->serial);
    memcpy(out->model, room->slot.model, sizeof out->model);
    memcpy(out->module, room->description, sizeof out->module);
    memcpy(out->detail, room->detail, sizeof out->detail);
    if (room->found) {
        facts_of(&room->slot, &room->quirks, &out->facts);
    }
    pthread_mutex_unlock(&room->lock);
    out->started = room->started;
    (void)snprintf(out->version, sizeof out->version, "%s", QSEAL_VERSION);
    memcpy(out->marks, room->options.marks, sizeof out->marks);
    out->n_marks = room->options.n_marks;
    if (atomic_load(&room->ready)) {
        out->prehash_algs = room->mechanisms.prehash;
        out->token_hash_algs = room->mechanisms.token_hash;
    }
    out->signatures = atomic_load_explicit(&room->signatures, memory_order_relaxed);
}

enum outcome room_not_ready(struct room *room, struct reason *why)
{
    pthread_mutex_lock(&room->lock);
    enum token_state state = room->state;
    enum outcome outcome = state == TOKEN_LOCKED ? OUTCOME_PIN : OUTCOME_TOKEN_UNAVAILABLE;
    (void)refuse(why, outcome, "token %s is %s: %.300s", room->options.name,
                 token_state_name(state), room->detail);
    pthread_mutex_unlock(&room->lock);
    return outcome;
}

static enum outcome initialize(struct room *room, struct reason *why)
{
    if (room->initialized) {
        return OUTCOME_OK;
    }
    enum outcome outcome = module_initialize(&room->module, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    room->initialized = true;
    char description[TOKEN_TEXT_SIZE];
    module_describe(&room->module, description, sizeof description);
    pthread_mutex_lock(&room->lock);
    memcpy(room->description, description, sizeof description);
    pthread_mutex_unlock(&room->lock);
    return OUTCOME_OK;
}

enum outcome room_find(struct room *room, struct reason *why)
{
    enum outcome outcome = initialize(room, why);
    if (outcome != OUTCOME_OK) {
        room_set_state(room, TOKEN_DOWN, "%s", why->detail);
        return outcome;
    }
    struct slot slot;
    outcome = slot_find(&room->module, room->uri, &slot, why);
    if (outcome != OUTCOME_OK) {
        room_set_state(room, outcome == OUTCOME_RULE ? TOKEN_DOWN : TOKEN_ABSENT, "%s",
                       why->detail);
        return outcome;
    }
    pthread_mutex_lock(&room->lock);
    room->slot = slot;
    room->found = true;
    pthread_mutex_unlock(&room->lock);
    return OUTCOME_OK;
}

/* A ready token that does not answer several times in a row is lost. Once is not enough: SoftHSM
 * misses a beat while another process logs in. */
static void look_after(struct room *room)
{
    struct slot slot = room->slot;
    if (slot_refresh(&room->module, &slot)) {
        room->misses = 0;
        pthread_mutex_lock(&room->lock);
        room->slot = slot;
        pthread_mutex_unlock(&room->lock);
        return;
    }
    if (++room->misses >= MISSES_MAX) {
        room_abandon(room, "the token does not answer any more");
    }
}

static enum room_tick maintain(struct room *room)
{
    struct reason why;
    if (atomic_load(&room->ready)) {
        look_after(room);
        return ROOM_STEADY;
    }
    if (room_find(room, &why) != OUTCOME_OK) {
        return ROOM_WAITING;
    }
    switch (login_try(room, &why)) {
    case LOGIN_DONE:
    case LOGIN_BLOCKED:
        return ROOM_STEADY;
    case LOGIN_FAILED:
        return ROOM_WAITING;
    }
    return ROOM_WAITING;
}

enum room_tick room_maintain(struct room *room)
{
    pthread_mutex_lock(&room->login_lock);
    guard_enter(&room->guard, room_maintenance_place(room), room->options.deadline_ms);
    enum room_tick tick = atomic_load(&room->abandoned) ? ROOM_STEADY : maintain(room);
    guard_leave(&room->guard, room_maintenance_place(room));
    pthread_mutex_unlock(&room->login_lock);
    return tick;
}

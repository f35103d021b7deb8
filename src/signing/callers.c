/* SPDX-License-Identifier: Apache-2.0
 * Connections and limits per uid, under one lock that is held for some tens of nanoseconds. */
#include "signing/callers.h"

#include "base/clock.h"
#include "base/random.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    STRANGER_CONNECTIONS = 4,   /* of a uid that is in no `callers:` row */
    STRANGERS_CONNECTIONS = 16, /* of all such uids together */
    SLOT_BITS = 32,
    US_PER_S = 1000000,
};

struct slot {
    struct caller caller;
    bool stranger;
    uint32_t serial; /* counts the slot's uses, so that an old number never means a new caller */
    bool used;
};

struct uid_row {
    struct caller_use use;
    int64_t bucket_us; /* rate: microseconds of credit, a request costs 1 s / rate */
    int64_t filled_at;
};

struct callers {
    pthread_mutex_t lock;
    struct slot *slots;
    uint32_t n_slots;
    uint32_t in_use;
    uint32_t next; /* where the search for a free slot begins */
    uint32_t in_flight;
    uint32_t strangers;   /* connections of uids that the configuration does not know */
    struct uid_row *rows; /* grows by one uid at a time; a row that nobody uses and no caller left
                             is used again */
    size_t n_rows;
};

struct callers *callers_new(uint32_t max_connections)
{
    struct callers *callers = calloc(1, sizeof *callers);
    if (callers == NULL) {
        return NULL;
    }
    pthread_mutex_init(&callers->lock, NULL);
    callers->n_slots = max_connections;
    callers->slots = calloc(max_connections, sizeof *callers->slots);
    if (callers->slots == NULL) {
        callers_free(callers);
        return NULL;
    }
    /* Numbers of an earlier qseald, which an httpd may still hold, must mean nobody here. */
    for (uint32_t i = 0; i < max_connections; i++) {
        random_bytes(&callers->slots[i].serial, sizeof callers->slots[i].serial);
    }
    return callers;
}

void callers_free(struct callers *callers)
{
    if (callers == NULL) {
        return;
    }
    pthread_mutex_destroy(&callers->lock);
    free(callers->slots);
    free(callers->rows);
    free(callers);
}

static struct uid_row *find_row(struct callers *callers, uid_t uid)
{
    for (size_t i = 0; i < callers->n_rows; i++) {
        if (callers->rows[i].use.uid == uid) {
            return &callers->rows[i];
        }
    }
    return NULL;
}

/* A row that says nothing: of a stranger who has gone. */
static struct uid_row *find_empty_row(struct callers *callers)
{
    for (size_t i = 0; i < callers->n_rows; i++) {
        const struct caller_use *use = &callers->rows[i].use;
        if (use->connections == 0 && use->in_flight == 0 && use->asked == 0) {
            return &callers->rows[i];
        }
    }
    return NULL;
}

static struct uid_row *row_of(struct callers *callers, uid_t uid)
{
    struct uid_row *row = find_row(callers, uid);
    if (row != NULL) {
        return row;
    }
    row = find_empty_row(callers);
    if (row == NULL) {
        struct uid_row *rows = realloc(callers->rows, (callers->n_rows + 1) * sizeof *rows);
        if (rows == NULL) {
            return NULL;
        }
        callers->rows = rows;
        row = &rows[callers->n_rows++];
    }
    *row = (struct uid_row){.use = {.uid = uid}, .filled_at = clock_monotonic_us()};
    return row;
}

static uint64_t take_slot(struct callers *callers, const struct caller *caller, bool stranger)
{
    for (uint32_t i = 0; i < callers->n_slots; i++) {
        uint32_t at = (callers->next + i) % callers->n_slots;
        struct slot *slot = &callers->slots[at];
        if (slot->used) {
            continue;
        }
        uint32_t serial = slot->serial + 1 == 0 ? 1 : slot->serial + 1;
        *slot =
            (struct slot){.caller = *caller, .stranger = stranger, .serial = serial, .used = true};
        callers->next = at + 1;
        callers->in_use++;
        return (uint64_t)slot->serial << SLOT_BITS | at;
    }
    return 0;
}

static struct slot *slot_of(struct callers *callers, uint64_t number)
{
    uint32_t at = (uint32_t)number;
    if (at >= callers->n_slots) {
        return NULL;
    }
    struct slot *slot = &callers->slots[at];
    return slot->used && slot->serial == number >> SLOT_BITS ? slot : NULL;
}

static enum outcome connect_locked(struct callers *callers, const struct caller *caller,
                                   const struct config_caller *limits, uint64_t *number,
                                   struct reason *why)
{
    struct uid_row *row = row_of(callers, caller->uid);
    if (row == NULL) {
        return refuse(why, OUTCOME_LIMIT, "out of memory for another uid");
    }
    uint32_t most = limits == NULL ? STRANGER_CONNECTIONS : limits->connections;
    if (limits == NULL && callers->strangers >= STRANGERS_CONNECTIONS) {
        return refuse(why, OUTCOME_LIMIT, "uids that are no callers already have %u connections",
                      callers->strangers);
    }
    if (row->use.connections >= most) {
        return refuse(why, OUTCOME_LIMIT, "uid %u already has %u connections", caller->uid, most);
    }
    *number = take_slot(callers, caller, limits == NULL);
    if (*number == 0) {
        return refuse(why, OUTCOME_LIMIT, "all %u connections are in use", callers->n_slots);
    }
    row->use.connections++;
    callers->strangers += limits == NULL;
    return OUTCOME_OK;
}

enum outcome callers_connect(struct callers *callers, const struct caller *caller,
                             const struct config_caller *limits, uint64_t *number,
                             struct reason *why)
{
    pthread_mutex_lock(&callers->lock);
    enum outcome outcome = connect_locked(callers, caller, limits, number, why);
    pthread_mutex_unlock(&callers->lock);
    return outcome;
}

static void drop_slot(struct callers *callers, struct slot *slot)
{
    struct uid_row *row = find_row(callers, slot->caller.uid);
    if (row != NULL && row->use.connections > 0) {
        row->use.connections--;
    }
    callers->strangers -= slot->stranger;
    slot->used = false;
    callers->in_use--;
}

void callers_disconnect(struct callers *callers, uint64_t number)
{
    pthread_mutex_lock(&callers->lock);
    struct slot *slot = slot_of(callers, number);
    if (slot != NULL) {
        drop_slot(callers, slot);
    }
    pthread_mutex_unlock(&callers->lock);
}

bool callers_find(struct callers *callers, uint64_t number, struct caller *out)
{
    pthread_mutex_lock(&callers->lock);
    const struct slot *slot = slot_of(callers, number);
    if (slot != NULL) {
        *out = slot->caller;
    }
    pthread_mutex_unlock(&callers->lock);
    return slot != NULL;
}

/* A leaky bucket that holds `burst` requests and refills at `rate` per second. */
static bool take_from_bucket(struct uid_row *row, const struct config_caller *limits)
{
    if (limits->rate == 0) {
        return true;
    }
    int64_t now = clock_monotonic_us();
    int64_t cost = US_PER_S / limits->rate > 0 ? US_PER_S / limits->rate : 1;
    int64_t full = cost * limits->burst;
    row->bucket_us += now - row->filled_at;
    row->filled_at = now;
    if (row->bucket_us > full || row->use.asked == 0) {
        row->bucket_us = full;
    }
    if (row->bucket_us < cost) {
        return false;
    }
    row->bucket_us -= cost;
    return true;
}

static enum outcome enter_locked(struct callers *callers, const struct config_caller *limits,
                                 struct reason *why)
{
    struct uid_row *row = row_of(callers, limits->uid);
    if (row == NULL) {
        return refuse(why, OUTCOME_LIMIT, "out of memory for another uid");
    }
    if (row->use.in_flight >= limits->in_flight) {
        row->use.refused++;
        return refuse(why, OUTCOME_LIMIT, "caller %s already has %u requests in flight",
                      limits->name, limits->in_flight);
    }
    bool within = take_from_bucket(row, limits);
    row->use.asked++;
    if (!within) {
        row->use.refused++;
        return refuse(why, OUTCOME_LIMIT, "caller %s is over its rate of %u requests per second",
                      limits->name, limits->rate);
    }
    row->use.in_flight++;
    callers->in_flight++;
    return OUTCOME_OK;
}

enum outcome callers_enter(struct callers *callers, const struct config_caller *limits,
                           struct reason *why)
{
    pthread_mutex_lock(&callers->lock);
    enum outcome outcome = enter_locked(callers, limits, why);
    pthread_mutex_unlock(&callers->lock);
    return outcome;
}

void callers_leave(struct callers *callers, uid_t uid, bool was_signed, bool was_refused)
{
    pthread_mutex_lock(&callers->lock);
    struct uid_row *row = find_row(callers, uid);
    if (row != NULL) {
        row->use.in_flight--;
        row->use.signed_count += was_signed;
        row->use.refused += was_refused;
    }
    callers->in_flight--;
    pthread_mutex_unlock(&callers->lock);
}

uint32_t callers_in_flight(struct callers *callers)
{
    pthread_mutex_lock(&callers->lock);
    uint32_t n = callers->in_flight;
    pthread_mutex_unlock(&callers->lock);
    return n;
}

uint32_t callers_connected(struct callers *callers)
{
    pthread_mutex_lock(&callers->lock);
    uint32_t n = callers->in_use;
    pthread_mutex_unlock(&callers->lock);
    return n;
}

size_t callers_list(struct callers *callers, struct caller_use *rows, size_t max)
{
    pthread_mutex_lock(&callers->lock);
    size_t n = callers->n_rows < max ? callers->n_rows : max;
    for (size_t i = 0; i < n; i++) {
        rows[i] = callers->rows[i].use;
    }
    pthread_mutex_unlock(&callers->lock);
    return n;
}

/* SPDX-License-Identifier: Apache-2.0
 * Who is connected, and how much each uid may still ask: connection numbers, connections, requests
 * in flight and rate per uid. */
#ifndef QSEAL_SIGNING_CALLERS_H
#define QSEAL_SIGNING_CALLERS_H

#include "base/attributes.h"
#include "model/caller.h"
#include "model/outcome.h"
#include "policy/config.h"

#include <stddef.h>
#include <stdint.h>

struct callers;

/* What one uid does and did. */
struct caller_use {
    uid_t uid;
    uint32_t connections;
    uint32_t in_flight;
    uint64_t asked;
    uint64_t signed_count;
    uint64_t refused;
};

/* Thread-safe. NULL: out of memory. */
struct callers *callers_new(uint32_t max_connections) MUST_USE;
void callers_free(struct callers *callers);

/* Registers a connection; `limits` NULL means a uid that the configuration does not know: it gets a
 * few connections, so that it can be told so. *number is never 0. OUTCOME_LIMIT with the reason. */
enum outcome callers_connect(struct callers *callers, const struct caller *caller,
                             const struct config_caller *limits, uint64_t *number,
                             struct reason *why) MUST_USE;
/* Unknown numbers are ignored. */
void callers_disconnect(struct callers *callers, uint64_t number);
/* Who is behind the number; false when nobody is. */
bool callers_find(struct callers *callers, uint64_t number, struct caller *out) MUST_USE;

/* Counts a request in, or refuses it: OUTCOME_LIMIT with the reason. Each success is followed by
 * one callers_leave(). */
enum outcome callers_enter(struct callers *callers, const struct config_caller *limits,
                           struct reason *why) MUST_USE;
void callers_leave(struct callers *callers, uid_t uid, bool was_signed, bool was_refused);

uint32_t callers_in_flight(struct callers *callers);
uint32_t callers_connected(struct callers *callers);
/* Copies at most `max` rows; returns how many. */
size_t callers_list(struct callers *callers, struct caller_use *rows, size_t max);

#endif

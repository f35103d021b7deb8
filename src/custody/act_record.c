/* SPDX-License-Identifier: Apache-2.0
 * Records of administrative acts. */
#include "custody/act_record.h"

#include "audit/record.h"
#include "base/log.h"
#include "jose/json.h"
#include "jose/sha256.h"
#include "pki/request_profile.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_DEADLINE_MS = 5000, ARGUMENT_MAX = 200, STEPS_MAX = 32, OPERATION_SIZE = 64 };

/* What is said of a person, who is responsible for a certificate: nothing takes it out of the log
 * again. */
static bool is_personal(const char *name)
{
    return strcmp(name, request_value_member(REQUEST_RESPONSIBLE)) == 0 ||
           strcmp(name, request_value_member(REQUEST_RESPONSIBLE_DATA)) == 0;
}

/* That, and a long text, a certificate for example, stands as its digest. */
static void put_argument(struct buffer *out, const char *name, struct span value)
{
    char text[sizeof "sha256:" + AUDIT_HASH_SIZE] = "sha256:";
    if (value.len <= ARGUMENT_MAX && span_is_printable(value) && !is_personal(name)) {
        record_put_text(out, name, (const char *)value.data);
        return;
    }
    if (!sha256_text(value, text + strlen(text))) {
        out->failed = true;
        return;
    }
    record_put_text(out, name, text);
}

const char *const act_record_arguments[] = {
    "activate_at", "chain", "digest", "key",   "profile", "publish_at",
    "reason",      "role",  "token",  "where", NULL,
};

static bool is_known(const char *name)
{
    for (size_t i = 0; act_record_arguments[i] != NULL; i++) {
        if (strcmp(act_record_arguments[i], name) == 0) {
            return true;
        }
    }
    for (unsigned int value = 0; value < REQUEST_VALUES; value++) {
        if (strcmp(request_value_member((enum request_value)value), name) == 0) {
            return true;
        }
    }
    return false;
}

/* A handler refuses what it does not know, but only after this: it may be anything, a PIN in the
 * wrong place, and any number of it. It is counted. */
static void put_arguments(struct buffer *out, const json_t *arguments)
{
    const char *name;
    json_t *value;
    int64_t others = 0;
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    json_object_foreach ((json_t *)arguments, name, value) {
        if (json_is_string(value) && is_known(name)) {
            put_argument(&members, name, json_text(value));
        } else {
            others++;
        }
    }
    if (others > 0) {
        record_put_number(&members, "other", others);
    }
    buffer_put_text(out, ",\"arguments\":{");
    if (members.len > 0) {
        buffer_put_span(out, span_part(buffer_span(&members), 1, members.len)); /* the comma */
    }
    buffer_put_text(out, "}");
    out->failed = out->failed || !buffer_ok(&members);
}

static void put_act(struct buffer *out, const struct act *act)
{
    record_put_caller(out, &act->peer);
    record_put_text(out, "verb", act->verb);
    put_arguments(out, act->arguments);
    if (act->plan != NULL) {
        record_put_number(out, "approver", act->approver);
    }
}

enum outcome act_record_begin(struct act *act, bool stops, struct reason *why)
{
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    put_act(&members, act);
    act->stops = stops;
    enum outcome outcome =
        audit_append_durable(act->custody->room.audit, "admin", &members,
                             deadline_in_ms(RECORD_DEADLINE_MS), &act->ticket, why);
    if (outcome != OUTCOME_OK && stops) {
        log_warning("qsealctl %s by uid %u is carried out without an audit record: %s", act->verb,
                    act->peer.uid, why->detail);
        return OUTCOME_OK;
    }
    return outcome;
}

void act_record_refused(const struct act *act, enum outcome outcome, const struct reason *why)
{
    char operation[OPERATION_SIZE];
    (void)snprintf(operation, sizeof operation, "admin: %s", act->verb);
    const struct audit_refusal refusal = {
        .caller = act->peer,
        .operation = operation,
        .request = "",
        .interaction = "",
        .outcome = outcome,
        .detail = why->detail,
    };
    audit_refused(act->custody->room.audit, &refusal);
}

static void record_end(const struct act *act, const struct audit_ticket *ticket,
                       enum outcome outcome)
{
    audit_done(act->custody->room.audit, ticket,
               outcome == OUTCOME_OK ? "done" : outcome_name(outcome), span_of(NULL, 0));
}

void act_record_end(struct act *act, enum outcome outcome)
{
    record_end(act, &act->ticket, outcome);
    act->ticket = (struct audit_ticket){0};
}

struct self_signer act_signer(const struct act *act, const struct view *view, const char *operation)
{
    const struct caller self = {.uid = getuid(), .gid = getgid(), .pid = getpid()};
    return (struct self_signer){
        .config = view->policy->config,
        .audit = act->custody->room.audit,
        .caller = act->verb == NULL ? self : act->peer,
        .operation = operation,
        .leaves = strcmp(operation, "trial") != 0,
    };
}

static const struct key *counterpart(const struct keyring *before, const struct key *key)
{
    return keyring_by_thumbprint(before, key->role, key->token,
                                 public_key_thumbprint(key->public_key));
}

struct steps_put {
    struct buffer *out;
    size_t n; /* those that are left out, too */
};

/* Its members come with a comma in front. */
static void add_step(struct steps_put *steps, const struct buffer *members)
{
    if (steps->n++ < STEPS_MAX) {
        buffer_put_text(steps->out, steps->n == 1 ? "{" : ",{");
        buffer_put_span(steps->out, span_part(buffer_span(members), 1, members->len));
        buffer_put_text(steps->out, "}");
    }
    steps->out->failed = steps->out->failed || !buffer_ok(members);
}

static void put_key(struct buffer *out, const struct key *key)
{
    record_put_text(out, "kid", public_key_thumbprint(key->public_key));
    record_put_text(out, "role", key->role);
    record_put_text(out, "token", key->token);
    record_put_text(out, "state", key_state_name(key->state));
}

static void add_change(struct steps_put *steps, const struct key *was, const struct key *key)
{
    const struct key_change *last = &key->history[key->n_history - 1];
    BUFFER_CLEANUP struct buffer step = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    if (was != NULL && was->n_history == key->n_history) {
        return;
    }
    put_key(&step, key);
    record_put_number(&step, "by", last->by);
    if (last->approved) {
        record_put_number(&step, "approved_by", last->approved_by);
    }
    add_step(steps, &step);
}

static bool is_same_proof(const struct key_record *a, const struct key_record *b)
{
    return a->recorded == b->recorded && a->at == b->at && a->by == b->by &&
           strcmp(a->text, b->text) == 0;
}

/* What somebody vouches for. */
static void add_proofs(struct steps_put *steps, const struct key *was, const struct key *key)
{
    static const char *const names[] = {[KEY_PROOF_BACKUP] = "backup", [KEY_PROOF_SEEN] = "seen"};
    static const struct key_record none = {.recorded = false};
    static_assert(COUNT_OF(names) == KEY_PROOF_COUNT, "a name for every proof");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct key_record *proof = &key->proofs[i];
        BUFFER_CLEANUP struct buffer step = BUFFER_INIT(AUDIT_MEMBERS_MAX);
        if (!proof->recorded || is_same_proof(was == NULL ? &none : &was->proofs[i], proof)) {
            continue;
        }
        put_key(&step, key);
        record_put_text(&step, "proof", names[i]);
        record_put_number(&step, "by", proof->by);
        add_step(steps, &step);
    }
}

/* The keys that are in another state than before, or new; and what is on record of them now. */
static void put_steps(struct buffer *out, const struct keyring *before, const struct keyring *next)
{
    struct steps_put steps = {.out = out};
    buffer_put_text(out, ",\"steps\":[");
    for (size_t i = 0; i < next->n_keys; i++) {
        const struct key *key = &next->keys[i];
        const struct key *was = counterpart(before, key);
        add_change(&steps, was, key);
        add_proofs(&steps, was, key);
    }
    buffer_put_text(out, "]");
    if (steps.n > STEPS_MAX) {
        record_put_number(out, "more_steps", (int64_t)(steps.n - STEPS_MAX));
    }
}

enum outcome act_record_keyring(const struct act *act, const struct keyring *before,
                                const struct keyring *next, struct audit_ticket *ticket,
                                struct reason *why)
{
    struct audit *audit = act->custody->room.audit;
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    char digest[SHA256_TEXT_SIZE];
    *ticket = (struct audit_ticket){0};
    if (audit == NULL) {
        return OUTCOME_OK;
    }
    if (!keyring_digest(next, digest)) {
        return refuse(why, OUTCOME_AUDIT, "the keyring could not be hashed: out of memory");
    }
    record_put_number(&members, "generation", (int64_t)next->generation);
    record_put_text(&members, "sha256", digest);
    put_steps(&members, before, next);
    enum outcome outcome = audit_append_durable(audit, "keyring", &members,
                                                deadline_in_ms(RECORD_DEADLINE_MS), ticket, why);
    return act->stops ? OUTCOME_OK : outcome;
}

void act_record_keyring_end(const struct act *act, const struct audit_ticket *ticket,
                            enum outcome outcome)
{
    record_end(act, ticket, outcome);
}

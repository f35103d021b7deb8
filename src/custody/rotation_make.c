/* SPDX-License-Identifier: Apache-2.0
 * The dates of a rotation, and what speaks against them. */
#include "custody/rotation.h"

#include "base/clock.h"
#include "base/utc.h"
#include "jose/json.h"
#include "pki/certificate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    WAITING = 1U << KEY_GENERATED | 1U << KEY_CERTIFIED | 1U << KEY_PUBLISHED,
    WARNING_SIZE = 300,
    DAY_S = 86400,
};

static void warn(struct rotation *rotation, const char *format, ...) PRINTF_LIKE(2, 3);

static void warn(struct rotation *rotation, const char *format, ...)
{
    char text[WARNING_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buffer_put_text(&rotation->warnings, rotation->warnings.len == 0 ? "" : ",");
    json_put_string(&rotation->warnings, span_of_text(text));
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool is_of(const struct key *key, const struct rotation *rotation)
{
    return strcmp(key->role, rotation->role->name) == 0 &&
           (rotation->only == NULL || strcmp(key->token, rotation->only->name) == 0);
}

/* One that only waits for its retirement is in nobody's way. */
static enum outcome check_schedule(const struct act *act, const struct rotation *rotation,
                                   struct reason *why)
{
    const struct keyring *keyring = act->view->keyring;
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        char at[UTC_SIZE];
        if (is_of(key, rotation) && key->n_schedule > 0 && key->state != KEY_RETIRING) {
            return refuse(why, OUTCOME_RULE,
                          "role %s has a schedule: key %.8s on token %s becomes %s at %s; qsealctl "
                          "rotation cancel %s drops it",
                          key->role, public_key_thumbprint(key->public_key), key->token,
                          key_state_name(key->schedule[0].change.state),
                          utc_text(key->schedule[0].change.at, at), key->role);
        }
    }
    return OUTCOME_OK;
}

static enum outcome find_on(const struct act *act, struct rotation *rotation, const char *token,
                            struct reason *why)
{
    const struct keyring *keyring = act->view->keyring;
    struct rotation_key found = {.former = keyring_active(keyring, rotation->role->name, token)};
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        if ((WAITING & 1U << key->state) == 0 || strcmp(key->role, rotation->role->name) != 0 ||
            strcmp(key->token, token) != 0) {
            continue;
        }
        if (found.key != NULL) {
            return refuse(why, OUTCOME_RULE,
                          "role %s has more than one key that waits on token %s (%.8s and %.8s): "
                          "destroy or retire those that are not wanted",
                          key->role, token, public_key_thumbprint(found.key->public_key),
                          public_key_thumbprint(key->public_key));
        }
        found.key = key;
    }
    if (found.key != NULL) {
        found.is_published = found.key->state == KEY_PUBLISHED;
        rotation->publishes = rotation->publishes || !found.is_published;
        rotation->keys[rotation->n++] = found;
    } else {
        warn(rotation, "token %s has no key of role %s that waits: nothing changes there", token,
             rotation->role->name);
    }
    return OUTCOME_OK;
}

static enum outcome find_keys(const struct act *act, struct rotation *rotation, struct reason *why)
{
    const struct config_role *role = rotation->role;
    enum outcome outcome = check_schedule(act, rotation, why);
    for (size_t i = 0; outcome == OUTCOME_OK && i < role->n_tokens && i < SELECTION_MAX; i++) {
        if (rotation->only == NULL || strcmp(rotation->only->name, role->tokens[i]) == 0) {
            outcome = find_on(act, rotation, role->tokens[i], why);
        }
    }
    if (outcome == OUTCOME_OK && rotation->n == 0) {
        return refuse(why, OUTCOME_RULE, "role %s has no successor: qsealctl key generate %s first",
                      role->name, role->name);
    }
    return outcome;
}

/* Absolute or from now on; `otherwise` without the argument. */
static enum outcome read_time(const struct act *act, const struct rotation *rotation,
                              const char *name, int64_t otherwise, int64_t *out, struct reason *why)
{
    const char *text = act_argument(act, name);
    char at[UTC_SIZE];
    char now[UTC_SIZE];
    *out = otherwise;
    if (text == NULL) {
        return OUTCOME_OK;
    }
    if (!utc_read_from(span_of_text(text), rotation->now, out)) {
        return refuse(why, OUTCOME_RULE,
                      "\"%s\" must be a time like 2026-11-21T09:30:00Z, or from now on like +90s, "
                      "+15m, +12h, +3d",
                      name);
    }
    if (*out > rotation->now + (int64_t)ROTATION_DAYS_MAX * DAY_S) {
        return refuse(why, OUTCOME_RULE, "\"%s\" is more than %d days away", name,
                      ROTATION_DAYS_MAX);
    }
    return *out >= rotation->now
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE, "\"%s\" is in the past: %s, and it is %s", name,
                        utc_text(*out, at), utc_text(rotation->now, now));
}

static bool facts_of(const struct key *key, struct certificate_facts *facts)
{
    return key->chain_pem != NULL && certificate_facts(span_of_text(key->chain_pem), facts);
}

/* When the key may sign at the earliest, and why not before. */
static int64_t earliest_of(const struct act *act, const struct rotation *rotation,
                           const struct rotation_key *row)
{
    const struct config_role *role = rotation->role;
    struct certificate_facts facts;
    int64_t shown = rotation->publish_at;
    if (row->is_published && !key_shown_since(row->key, &shown)) {
        shown = rotation->now;
    }
    int64_t wait = rule_wait_s(role, row->key);
    bool waits = wait > 0 && rule_is_active(act->view->keyring, role->name);
    int64_t earliest = later(rotation->now, shown + (waits ? wait + 1 : 0));
    return facts_of(row->key, &facts) ? later(earliest, facts.not_before) : earliest;
}

static enum outcome set_publication(const struct act *act, int64_t lead, struct rotation *rotation,
                                    struct reason *why)
{
    int64_t earliest = rotation->now;
    for (size_t i = 0; i < rotation->n; i++) {
        struct certificate_facts facts;
        if (!rotation->keys[i].is_published && facts_of(rotation->keys[i].key, &facts)) {
            earliest = later(earliest, facts.not_before);
        }
    }
    if (!rotation->publishes && act_argument(act, "publish_at") != NULL) {
        return refuse(why, OUTCOME_RULE,
                      "every key of role %s that waits is published already: leave \"publish_at\" "
                      "out",
                      rotation->role->name);
    }
    enum outcome outcome =
        read_time(act, rotation, "publish_at", later(earliest, rotation->now + lead),
                  &rotation->publish_at, why);
    if (outcome == OUTCOME_OK && rotation->publish_at < earliest) {
        char at[UTC_SIZE];
        char from[UTC_SIZE];
        return refuse(why, OUTCOME_RULE,
                      "publication at %s is too early: from %s on, when the certificate is valid",
                      utc_text(rotation->publish_at, at), utc_text(earliest, from));
    }
    return outcome;
}

static enum outcome set_activation(const struct act *act, int64_t lead, struct rotation *rotation,
                                   struct reason *why)
{
    char at[UTC_SIZE];
    char from[UTC_SIZE];
    int64_t earliest = rotation->now;
    int64_t wait = 0;
    for (size_t i = 0; i < rotation->n; i++) {
        earliest = later(earliest, earliest_of(act, rotation, &rotation->keys[i]));
        wait = later(wait, rule_wait_s(rotation->role, rotation->keys[i].key));
    }
    enum outcome outcome =
        read_time(act, rotation, "activate_at", later(earliest, rotation->now + lead),
                  &rotation->activate_at, why);
    if (outcome == OUTCOME_OK && rotation->activate_at < earliest) {
        return refuse(
            why, OUTCOME_RULE,
            "activation at %s is too early: from %s on, since a key is published for %lld s "
            "before it signs, and signs with a certificate only when that is valid",
            utc_text(rotation->activate_at, at), utc_text(earliest, from), (long long)wait);
    }
    return outcome;
}

static enum outcome check_certificate(const struct rotation *rotation, const struct key *key,
                                      struct reason *why)
{
    const char *kid = public_key_thumbprint(key->public_key);
    struct certificate_facts facts;
    char until[UTC_SIZE];
    char at[UTC_SIZE];
    if (key->chain_pem == NULL && rotation->role->needs_certificate) {
        return refuse(why, OUTCOME_RULE,
                      "keys of role %s need a certificate, and %.8s on token %s has none: qsealctl "
                      "key csr %.8s, then qsealctl key import-certificate",
                      key->role, kid, key->token, kid);
    }
    if (facts_of(key, &facts) && facts.not_after <= rotation->activate_at) {
        return refuse(why, OUTCOME_RULE,
                      "the certificate of %.8s on token %s ends at %s, and the key would sign from "
                      "%s on: import a newer one",
                      kid, key->token, utc_text(facts.not_after, until),
                      utc_text(rotation->activate_at, at));
    }
    return OUTCOME_OK;
}

/* What does not speak against it, and somebody should know. */
static void warn_of(const struct act *act, struct rotation *rotation,
                    const struct rotation_key *row)
{
    const struct config_role *role = rotation->role;
    const char *kid = public_key_thumbprint(row->key->public_key);
    struct certificate_facts facts;
    char until[UTC_SIZE];
    if (role->needs_backup && !row->key->proofs[KEY_PROOF_BACKUP].recorded) {
        warn(rotation,
             "no backup of key %.8s on token %s is on record: its activation waits for "
             "qsealctl key backup-recorded %.8s",
             kid, row->key->token, kid);
    }
    if (role->needs_seen && !key_is_seen(row->key) &&
        rule_is_active(act->view->keyring, role->name)) {
        warn(rotation,
             "key %.8s on token %s has not been seen outside: its activation waits for "
             "%sqsealctl key seen %.8s",
             kid, row->key->token, role->probe_file == NULL ? "" : "the probe file or ", kid);
    }
    if (row->former != NULL && facts_of(row->former, &facts) &&
        facts.not_after < rotation->activate_at) {
        warn(rotation,
             "the certificate of the active key %.8s on token %s ends at %s, before its "
             "successor signs",
             public_key_thumbprint(row->former->public_key), row->key->token,
             utc_text(facts.not_after, until));
    }
    if (row->former != NULL && !rotation->retires) {
        warn(rotation,
             "key %.8s on token %s stays retiring: when every program has the new "
             "certificate, qsealctl key retire %.8s",
             public_key_thumbprint(row->former->public_key), row->key->token,
             public_key_thumbprint(row->former->public_key));
    }
}

enum outcome rotation_make(const struct act *act, int64_t lead, struct rotation *out,
                           struct reason *why)
{
    enum outcome outcome = act_choose_role(act, &out->role, &out->only, why);
    out->now = clock_wall_s();
    if (outcome == OUTCOME_OK) {
        outcome = find_keys(act, out, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = set_publication(act, lead, out, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = set_activation(act, lead, out, why);
    }
    for (size_t i = 0; outcome == OUTCOME_OK && i < out->n; i++) {
        outcome = check_certificate(out, out->keys[i].key, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    /* Programs go on with a transport key until they are given the next certificate. */
    out->retires = out->role->purpose != PURPOSE_TRANSPORT;
    out->retire_at = out->activate_at + rule_keep_s(act->view->policy, out->role->name);
    for (size_t i = 0; i < out->n; i++) {
        warn_of(act, out, &out->keys[i]);
    }
    return OUTCOME_OK;
}

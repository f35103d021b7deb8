/* SPDX-License-Identifier: Apache-2.0
 * Health, profiles and keys, as JSON text. */
#include "signing/listing.h"

#include "base/clock.h"
#include "base/utc.h"
#include "jose/json.h"
#include "pki/certificate.h"
#include "policy/verification.h"
#include "signing/role.h"

#include <string.h>

static const char *const health_names[] = {
    [HEALTH_READY] = "ready", [HEALTH_DEGRADED] = "degraded", [HEALTH_UNREADY] = "unready"};

const char *health_name(enum health health)
{
    return health_names[health];
}

/* Whether the role can sign on some token, and on all of its tokens. */
static void role_state(const struct view *view, struct watch *watch, const struct config_role *role,
                       bool *some, bool *all)
{
    *some = false;
    *all = true;
    for (size_t i = 0; i < role->n_tokens; i++) {
        const struct key *key = role_key(view, role, role->tokens[i], "");
        bool up = watch_state(watch, role->tokens[i], NULL) == TOKEN_READY && key != NULL &&
                  !key_end_is_over(view_key_end(view, key), clock_wall_s());
        *some = *some || up;
        *all = *all && up;
    }
}

/* Whether requests come for this role: of a profile, or for handshakes. */
static bool is_used(const struct view *view, const struct config_role *role)
{
    const struct profiles *profiles = view->policy->profiles;
    bool used = role->purpose == PURPOSE_TRANSPORT;
    for (size_t i = 0; !used && i < profiles_count(profiles); i++) {
        used = strcmp(profile_role(profiles_at(profiles, i)), role->name) == 0;
    }
    return used;
}

enum health listing_health(const struct view *view, struct watch *watch, struct audit *audit)
{
    const struct config *config = view->policy->config;
    bool any = false;
    bool lacks = false;
    for (size_t i = 0; i < config->n_roles; i++) {
        bool some = false;
        bool all = false;
        if (is_used(view, &config->roles[i])) {
            role_state(view, watch, &config->roles[i], &some, &all);
            any = any || some;
            lacks = lacks || !all;
        }
    }
    if (!clock_guard_is_trusted(watch_clock(watch)) || !audit_is_ok(audit)) {
        return HEALTH_UNREADY;
    }
    if (any && !lacks) {
        return HEALTH_READY;
    }
    return any ? HEALTH_DEGRADED : HEALTH_UNREADY;
}

static void put_member(struct buffer *out, const char *name, const char *value)
{
    buffer_put_format(out, "\"%s\":", name);
    json_put_string(out, span_of_text(value));
}

static void put_audit(struct buffer *out, struct audit *audit)
{
    struct audit_status status;
    if (audit == NULL) {
        buffer_put_text(out, "\"audit\":\"off\"");
        return;
    }
    audit_get_status(audit, &status);
    buffer_put_format(out, "\"audit\":\"%s\"", status.ok ? "ok" : "failed");
    if (!status.ok) {
        buffer_put_text(out, ",");
        put_member(out, "audit_detail", status.detail);
    }
}

void listing_put_health(struct buffer *out, const struct view *view, struct watch *watch,
                        struct audit *audit, enum health health)
{
    const struct config *config = view->policy->config;
    buffer_put_format(out, "{\"status\":\"%s\",\"tokens\":[", health_name(health));
    for (size_t i = 0; i < config->n_tokens; i++) {
        buffer_put_text(out, i == 0 ? "{" : ",{");
        put_member(out, "name", config->tokens[i].name);
        buffer_put_text(out, ",");
        put_member(out, "state",
                   token_state_name(watch_state(watch, config->tokens[i].name, NULL)));
        buffer_put_text(out, "}");
    }
    buffer_put_format(out, "],\"clock\":\"%s\",",
                      clock_guard_is_trusted(watch_clock(watch)) ? "ok" : "unconfirmed");
    put_audit(out, audit);
    buffer_put_text(out, "}");
}

static void put_algs(struct buffer *out, uint32_t algs)
{
    enum alg only;
    buffer_put_text(out, "\"algs\":");
    alg_put_set(out, algs);
    if (alg_only_one(algs, &only)) {
        buffer_put_format(out, ",\"alg\":\"%s\"", alg_name(only));
    }
}

/* Those that verify have no role, and may take more than one algorithm. */
static void put_verifications(struct buffer *out, const struct profiles *profiles,
                              const struct config_caller *caller, bool first)
{
    for (size_t i = 0; i < profiles_verifications(profiles); i++) {
        const struct verification *profile = profiles_verification_at(profiles, i);
        if (!config_caller_is_granted(caller, profile->name)) {
            continue;
        }
        buffer_put_text(out, first ? "{" : ",{");
        first = false;
        put_member(out, "name", profile->name);
        buffer_put_text(out, ",");
        put_member(out, "operation", verification_kind_name(profile->kind));
        buffer_put_text(out, ",");
        put_algs(out, profile->rules.algs);
        buffer_put_format(out, ",\"input\":%s}", profile->input_schema);
    }
}

void listing_put_profiles(struct buffer *out, const struct view *view,
                          const struct config_caller *caller)
{
    const struct profiles *profiles = view->policy->profiles;
    bool first = true;
    buffer_put_text(out, "{\"profiles\":[");
    for (size_t i = 0; i < profiles_count(profiles); i++) {
        const struct profile *profile = profiles_at(profiles, i);
        if (!config_caller_is_granted(caller, profile_name(profile))) {
            continue;
        }
        buffer_put_text(out, first ? "{" : ",{");
        first = false;
        put_member(out, "name", profile_name(profile));
        buffer_put_text(out, ",");
        put_member(out, "operation", operation_name(profile_operation(profile)));
        buffer_put_text(out, ",");
        put_member(out, "role", profile_role(profile));
        buffer_put_text(out, ",");
        put_member(out, "alg", alg_name(profile_alg(profile)));
        buffer_put_format(out, ",\"input\":%s}", profile_input_schema(profile));
    }
    put_verifications(out, profiles, caller, first);
    buffer_put_text(out, "]}");
}

/* RFC 3339, of the key's own certificate. */
static void put_not_after(struct buffer *out, const struct key *key)
{
    int64_t from;
    int64_t until;
    if (key->chain_pem == NULL ||
        !certificate_validity(span_of_text(key->chain_pem), &from, &until)) {
        buffer_put_text(out, "\"not_after\":null");
        return;
    }
    char text[UTC_SIZE];
    buffer_put_format(out, "\"not_after\":\"%s\"", utc_text(until, text));
}

void listing_put_keys(struct buffer *out, const struct view *view,
                      const struct config_caller *caller)
{
    bool first = true;
    buffer_put_text(out, "{\"keys\":[");
    for (size_t i = 0; i < view->keyring->n_keys; i++) {
        const struct key *key = &view->keyring->keys[i];
        if (key->state == KEY_DESTROYED || !role_is_granted(view, caller, key->role)) {
            continue;
        }
        buffer_put_text(out, first ? "{" : ",{");
        first = false;
        put_member(out, "role", key->role);
        buffer_put_text(out, ",");
        put_member(out, "kid", public_key_thumbprint(key->public_key));
        buffer_put_text(out, ",");
        put_algs(out, key->algs);
        buffer_put_text(out, ",");
        put_member(out, "state", key_state_name(key->state));
        buffer_put_text(out, ",");
        put_not_after(out, key);
        buffer_put_text(out, "}");
    }
    buffer_put_text(out, "]}");
}

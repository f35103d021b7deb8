/* SPDX-License-Identifier: Apache-2.0
 * The register of keys, certificates and storing devices (Regulation (EU) 2024/1774 art. 7;
 * NIST SP 800-57 calls it a key inventory). Neither PINs nor where they come from are in it. */
#include "custody/register.h"

#include "base/pem.h"
#include "custody/act.h"
#include "custody/change.h"
#include "custody/report_certificate.h"
#include "jose/json.h"
#include "signing/callers.h"

#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

enum { SHA256_LEN = 32 };

/* `before` is what stands before the name, a comma or a brace. */
static void put_text(struct buffer *out, const char *before, const char *name, const char *value)
{
    buffer_put_format(out, "%s\"%s\":", before, name);
    json_put_string(out, span_of_text(value));
}

static void put_names(struct buffer *out, const char *name, char *const names[], size_t n)
{
    buffer_put_format(out, ",\"%s\":[", name);
    for (size_t i = 0; i < n; i++) {
        buffer_put_text(out, i == 0 ? "" : ",");
        json_put_string(out, span_of_text(names[i]));
    }
    buffer_put_text(out, "]");
}

static void put_profiles(struct buffer *out, const struct profiles *profiles, const char *role)
{
    const char *before = "{";
    buffer_put_text(out, ",\"profiles\":[");
    for (size_t i = 0; i < profiles_count(profiles); i++) {
        const struct profile *profile = profiles_at(profiles, i);
        if (strcmp(profile_role(profile), role) != 0) {
            continue;
        }
        put_text(out, before, "name", profile_name(profile));
        put_text(out, ",", "operation", operation_name(profile_operation(profile)));
        put_text(out, ",", "alg", alg_name(profile_alg(profile)));
        put_text(out, ",", "template", profile_template(profile));
        buffer_put_format(out, ",\"longest_lifetime_s\":%u}", profile_longest_lifetime_s(profile));
        before = ",{";
    }
    buffer_put_text(out, "]");
}

/* What of the role's the caller may ask for, as an array's content; false when it is nothing. */
static bool put_granted(struct buffer *out, const struct profiles *profiles,
                        const struct config_role *role, const struct config_caller *caller)
{
    const char *before = "";
    for (size_t i = 0; i < profiles_count(profiles); i++) {
        const struct profile *profile = profiles_at(profiles, i);
        if (strcmp(profile_role(profile), role->name) == 0 &&
            config_caller_is_granted(caller, profile_name(profile))) {
            buffer_put_text(out, before);
            json_put_string(out, span_of_text(profile_name(profile)));
            before = ",";
        }
    }
    return before[0] != '\0' ||
           (role->purpose == PURPOSE_TRANSPORT && config_caller_has_role(caller, role->name));
}

static void put_callers(struct buffer *out, const struct policy *policy,
                        const struct config_role *role)
{
    const char *before = "{";
    buffer_put_text(out, ",\"callers\":[");
    for (size_t i = 0; i < policy->config->n_callers; i++) {
        const struct config_caller *caller = &policy->config->callers[i];
        size_t start = out->len;
        put_text(out, before, "name", caller->name);
        buffer_put_format(out, ",\"uid\":%u,\"profiles\":[", caller->uid);
        if (!put_granted(out, policy->profiles, role, caller)) {
            buffer_cut(out, start);
            continue;
        }
        buffer_put_text(out, "]}");
        before = ",{";
    }
    buffer_put_text(out, "]");
}

static void put_role(struct buffer *out, const struct policy *policy,
                     const struct config_role *role)
{
    put_text(out, "{", "name", role->name);
    put_text(out, ",", "purpose", purpose_name(role->purpose));
    put_text(out, ",", "key", key_type_name(role->key_type));
    buffer_put_text(out, ",");
    report_algs(out, "algs", role->algs);
    put_names(out, "tokens", role->tokens, role->n_tokens);
    buffer_put_format(out,
                      ",\"certificate_required\":%s,\"publish_before_use_s\":%u,"
                      "\"keep_after_use_s\":%lld,\"backup_required\":%s,"
                      "\"seen_required\":%s,\"cryptoperiod_days\":%u,\"stops_at_end\":%s,"
                      "\"peer_rules\":%zu",
                      role->needs_certificate ? "true" : "false", role->publish_before_use_s,
                      (long long)rule_keep_s(policy, role->name),
                      role->needs_backup ? "true" : "false", role->needs_seen ? "true" : "false",
                      role->cryptoperiod_days, role->stops_at_end ? "true" : "false",
                      role->n_peers);
    put_profiles(out, policy->profiles, role->name);
    put_callers(out, policy, role);
    buffer_put_text(out, "}");
}

static void put_administrators(struct buffer *out, const struct config *config)
{
    static const struct {
        unsigned int right;
        const char *name;
    } rows[] = {
        {RIGHT_OPERATOR, "operator"},
        {RIGHT_CUSTODIAN, "custodian"},
        {RIGHT_APPROVER, "approver"},
        {RIGHT_AUDITOR, "auditor"},
    };
    buffer_put_text(out, ",\"administrators\":[");
    for (size_t i = 0; i < config->n_administrators; i++) {
        const struct config_administrator *who = &config->administrators[i];
        const char *before = "";
        buffer_put_format(out, "%s{\"%s\":%u,\"rights\":[", i == 0 ? "" : ",",
                          who->is_group ? "gid" : "uid", who->is_group ? who->gid : who->uid);
        for (size_t j = 0; j < COUNT_OF(rows); j++) {
            if ((who->rights & rows[j].right) != 0) {
                buffer_put_format(out, "%s\"%s\"", before, rows[j].name);
                before = ",";
            }
        }
        buffer_put_text(out, "]}");
    }
    buffer_put_text(out, "]");
}

/* The URI of a token has its pin-source: it stays out. */
static void put_devices(struct buffer *out, const struct config *config, struct watch *watch)
{
    buffer_put_text(out, ",\"devices\":[");
    for (size_t i = 0; i < config->n_tokens; i++) {
        struct token_status status;
        (void)watch_state(watch, config->tokens[i].name, &status);
        put_text(out, i == 0 ? "{" : ",{", "name", config->tokens[i].name);
        put_text(out, ",", "state", token_state_name(status.state));
        put_text(out, ",", "label", status.label);
        put_text(out, ",", "serial", status.serial);
        put_text(out, ",", "manufacturer", status.facts.manufacturer);
        put_text(out, ",", "model", status.model);
        put_text(out, ",", "module", status.module);
        put_text(out, ",", "module_path", config->tokens[i].module);
        buffer_put_text(out, "}");
    }
    buffer_put_text(out, "]");
}

static void put_head(struct buffer *out, const struct view *view, struct watch *watch)
{
    const struct config *config = view->policy->config;
    buffer_put_format(out,
                      ",\"limits\":{\"jwks_max_age_s\":%u,\"deadline_ms\":%u},"
                      "\"approval_required\":%s,\"roles\":[",
                      config->limits.jwks_max_age_s, config->limits.deadline_ms,
                      config->approval.required ? "true" : "false");
    for (size_t i = 0; i < config->n_roles; i++) {
        buffer_put_text(out, i == 0 ? "" : ",");
        put_role(out, view->policy, &config->roles[i]);
    }
    buffer_put_text(out, "]");
    put_administrators(out, config);
    put_devices(out, config, watch);
}

/* Of the key's own certificate, as every tool prints its fingerprint. */
static void put_fingerprint(struct buffer *out, struct span pem)
{
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(KEYRING_CHAIN_MAX);
    uint8_t digest[SHA256_LEN];
    size_t n = 0;
    bool good = pem_take(&pem, "CERTIFICATE", &der) &&
                EVP_Digest(der.data, der.len, digest, NULL, EVP_sha256(), NULL) == 1;
    for (n = good ? 1 : 0; good && pem.len > 0 && n < KEYRING_CERTIFICATES_MAX; n++) {
        buffer_reset(&der);
        good = pem_take(&pem, "CERTIFICATE", &der);
    }
    if (n > 0) {
        report_hex(out, ",\"sha256\":", digest, sizeof digest);
        buffer_put_format(out, ",\"chain_length\":%zu", n);
    }
}

static void put_certificate(struct buffer *out, const struct key *key)
{
    struct certificate_facts facts;
    if (key->chain_pem == NULL || !certificate_facts(span_of_text(key->chain_pem), &facts)) {
        buffer_put_text(out, ",\"certificate\":null");
        return;
    }
    buffer_put_text(out, ",\"certificate\":{");
    report_certificate(out, &facts);
    put_fingerprint(out, span_of_text(key->chain_pem));
    buffer_put_text(out, "}");
}

static void put_key(struct buffer *out, const struct key *key)
{
    buffer_put_text(out, "{");
    report_key_itself(out, key);
    buffer_put_format(out, ",\"bits\":%u", key_type_bits(public_key_type(key->public_key)));
    report_hex(out, ",\"spki_sha256\":", public_key_spki_sha256(key->public_key), SPKI_SHA256_LEN);
    put_certificate(out, key);
    report_history(out, key);
    key_put_records(key, out);
    key_put_schedule(key, out);
    buffer_put_text(out, "}");
}

void register_put(struct buffer *out, const struct view *view, struct watch *watch, size_t first,
                  size_t room, int64_t now)
{
    const struct keyring *keyring = view->keyring;
    size_t start = out->len;
    put_text(out, "{", "schema", REGISTER_SCHEMA);
    put_text(out, ",", "version", QSEAL_VERSION);
    buffer_put_text(out, ",");
    report_time(out, "generated_at", now);
    buffer_put_format(out, ",\"keyring_generation\":%llu,\"generation\":%llu,",
                      (unsigned long long)keyring->generation,
                      (unsigned long long)view->policy->generation);
    report_time(out, "loaded_at", view->policy->loaded_at);
    put_text(out, ",", "config", view->policy->config->path);
    if (first == 0) {
        put_head(out, view, watch);
    }
    buffer_put_text(out, ",\"keys\":[");
    size_t i = first;
    for (; i < keyring->n_keys && (i == first || out->len - start < room); i++) {
        buffer_put_text(out, i == first ? "" : ",");
        put_key(out, &keyring->keys[i]);
    }
    if (i < keyring->n_keys) {
        buffer_put_format(out, "],\"next\":\"%zu\"}", i);
    } else {
        buffer_put_text(out, "],\"next\":null}");
    }
}

/* Decimal digits, and no more of them than a number of keys has. */
static bool read_index(const char *text, size_t *out)
{
    char *end = NULL;
    size_t len = strspn(text, "0123456789");
    *out = len > 0 && len < 10 ? strtoul(text, &end, 10) : 0;
    return end != NULL && *end == '\0';
}

enum outcome act_report(struct act *act, struct reason *why)
{
    static const char *const names[] = {"from", NULL};
    size_t first = 0;
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const char *from = act_argument(act, "from");
    if (from != NULL && (!read_index(from, &first) || first > act->view->keyring->n_keys)) {
        return refuse(why, OUTCOME_MALFORMED, "\"from\" is not what the page before calls next");
    }
    register_put(act->result, act->view, act->custody->room.watch, first, REGISTER_PAGE,
                 clock_wall_s());
    return OUTCOME_OK;
}

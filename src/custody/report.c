/* SPDX-License-Identifier: Apache-2.0
 * Status and key list for administrators. */
#include "custody/report.h"

#include "base/utc.h"
#include "custody/report_end.h"
#include "jose/json.h"
#include "pki/certificate.h"
#include "signing/listing.h"

enum { CALLERS_SHOWN = 256 };

static void put_text(struct buffer *out, const char *name, const char *value)
{
    buffer_put_format(out, "\"%s\":", name);
    json_put_string(out, span_of_text(value));
}

void report_time(struct buffer *out, const char *name, int64_t at)
{
    char text[UTC_SIZE];
    buffer_put_format(out, "\"%s\":\"%s\"", name, utc_text(at, text));
}

void report_algs(struct buffer *out, const char *name, uint32_t algs)
{
    buffer_put_format(out, "\"%s\":", name);
    alg_put_set(out, algs);
}

static void put_callers(struct buffer *out, const struct config *config, struct callers *callers)
{
    struct caller_use rows[CALLERS_SHOWN];
    size_t n = callers_list(callers, rows, CALLERS_SHOWN);
    buffer_put_text(out, "\"callers\":[");
    for (size_t i = 0; i < n; i++) {
        const struct config_caller *caller = config_caller(config, rows[i].uid);
        buffer_put_text(out, i == 0 ? "{" : ",{");
        put_text(out, "name", caller == NULL ? "" : caller->name);
        buffer_put_format(
            out,
            ",\"uid\":%u,\"connections\":%u,\"in_flight\":%u,\"asked\":%llu,\"signed\":%llu,"
            "\"refused\":%llu}",
            rows[i].uid, rows[i].connections, rows[i].in_flight, (unsigned long long)rows[i].asked,
            (unsigned long long)rows[i].signed_count, (unsigned long long)rows[i].refused);
    }
    buffer_put_text(out, "]");
}

static void put_reload(struct buffer *out, const struct custody_reload_report *reload)
{
    if (reload->at == 0) {
        buffer_put_text(out, "\"reload\":null");
        return;
    }
    buffer_put_text(out, "\"reload\":{");
    report_time(out, "at", reload->at);
    buffer_put_format(out, ",\"refused\":%s,", reload->refused ? "true" : "false");
    put_text(out, "detail", reload->detail);
    buffer_put_text(out, "}");
}

void report_status(struct buffer *out, const struct report_sources *of)
{
    const struct view *view = of->view;
    const struct config *config = view->policy->config;
    buffer_put_format(
        out,
        "{\"version\":\"%s\",\"status\":\"%s\",\"generation\":%llu,\"keyring_generation\":%llu,",
        QSEAL_VERSION, health_name(listing_health(view, of->watch, of->audit)),
        (unsigned long long)view->policy->generation,
        (unsigned long long)view->keyring->generation);
    report_time(out, "loaded_at", view->policy->loaded_at);
    buffer_put_text(out, ",");
    put_text(out, "config", config->path);
    buffer_put_format(out, ",\"profiles\":%zu,\"keys\":%zu,\"httpd\":\"%s\",",
                      profiles_total(view->policy->profiles), view->keyring->n_keys,
                      of->front != NULL ? "connected" : "absent");
    report_audit(out, of->audit);
    buffer_put_text(out, ",");
    put_reload(out, of->reload);
    buffer_put_text(out, ",");
    report_clock(out, watch_clock(of->watch));
    buffer_put_text(out, ",");
    report_warnings(out, view, watch_clock(of->watch), of->audit);
    buffer_put_text(out, ",");
    schedule_put(out, of->clock);
    buffer_put_text(out, ",");
    report_tokens(out, config, of->watch, false);
    buffer_put_text(out, ",");
    put_callers(out, config, of->callers);
    buffer_put_text(out, ",");
    report_rooms(out, view, of->watch, of->front, of->start);
    buffer_put_text(out, "}");
}

/* A key without a certificate has no members for one. */
static void put_certificate(struct buffer *out, const struct key *key)
{
    struct certificate_facts facts;
    if (key->chain_pem == NULL || !certificate_facts(span_of_text(key->chain_pem), &facts)) {
        return;
    }
    buffer_put_text(out, ",");
    put_text(out, "subject", facts.subject);
    buffer_put_text(out, ",");
    put_text(out, "issuer", facts.issuer);
    buffer_put_text(out, ",");
    put_text(out, "serial", facts.serial);
    buffer_put_text(out, ",");
    report_time(out, "not_after", facts.not_after);
}

void report_hex(struct buffer *out, const char *before, const uint8_t bytes[], size_t len)
{
    buffer_put_format(out, "%s\"", before);
    for (size_t i = 0; i < len; i++) {
        buffer_put_format(out, "%02x", bytes[i]);
    }
    buffer_put_text(out, "\"");
}

void report_key_itself(struct buffer *out, const struct key *key)
{
    put_text(out, "role", key->role);
    buffer_put_text(out, ",");
    put_text(out, "token", key->token);
    buffer_put_text(out, ",");
    put_text(out, "kid", public_key_thumbprint(key->public_key));
    buffer_put_text(out, ",");
    put_text(out, "purpose", purpose_name(key->purpose));
    buffer_put_text(out, ",");
    put_text(out, "type", key_type_name(public_key_type(key->public_key)));
    buffer_put_text(out, ",");
    report_algs(out, "algs", key->algs);
    buffer_put_text(out, ",");
    put_text(out, "state", key_state_name(key->state));
    buffer_put_text(out, ",");
    report_time(out, "since", key_since(key));
    report_hex(out, ",\"key_id\":", key->key_id, sizeof key->key_id);
    buffer_put_text(out, ",");
    report_time(out, "created", key->created);
    buffer_put_format(out, ",\"created_by\":%u", key->created_by);
}

void report_key(struct buffer *out, const struct key *key)
{
    report_key_itself(out, key);
    put_certificate(out, key);
    key_put_records(key, out);
    key_put_schedule(key, out);
}

void report_history(struct buffer *out, const struct key *key)
{
    buffer_put_text(out, ",\"history\":[");
    for (size_t i = 0; i < key->n_history; i++) {
        const struct key_change *change = &key->history[i];
        buffer_put_format(out, "%s{\"state\":\"%s\",", i == 0 ? "" : ",",
                          key_state_name(change->state));
        report_time(out, "at", change->at);
        buffer_put_format(out, ",\"by\":%u,", change->by);
        if (change->approved) {
            buffer_put_format(out, "\"approved_by\":%u,", change->approved_by);
        }
        buffer_put_text(out, "\"reason\":");
        json_put_string(out, span_of_text(change->reason));
        if (change->replica_of[0] != '\0') {
            buffer_put_format(out, ",\"replica_of\":\"%s\"", change->replica_of);
        }
        buffer_put_text(out, "}");
    }
    buffer_put_text(out, "]");
}

void report_keys(struct buffer *out, const struct view *view)
{
    const struct keyring *keyring = view->keyring;
    buffer_put_format(out, "{\"generation\":%llu,\"keys\":[",
                      (unsigned long long)keyring->generation);
    for (size_t i = 0; i < keyring->n_keys; i++) {
        buffer_put_text(out, i == 0 ? "{" : ",{");
        report_key(out, &keyring->keys[i]);
        buffer_put_text(out, ",");
        report_ends(out, view, &keyring->keys[i]);
        buffer_put_text(out, "}");
    }
    buffer_put_text(out, "]}");
}

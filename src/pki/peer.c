/* SPDX-License-Identifier: Apache-2.0
 * Destination binding. */
#include "pki/peer.h"

#include "base/base64url.h"
#include "pki/peer_issuer.h"
#include "pki/peer_name.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct peer {
    char *dns; /* NULL: any name */
    bool pinned;
    uint8_t spki_sha256[PEER_PIN_LEN];
    bool has_issuer;
    size_t issuer;     /* which peer's store it is: rules that name one file share it */
    X509_STORE *store; /* owned; NULL when it is another's, or there is none */
};

struct peer_set {
    size_t n;
    struct peer peers[];
};

/* What is found out about one server, each thing when a rule first asks for it, and once. */
struct verdict {
    bool known;
    const char *fault;
};

struct judgement {
    const struct peer_set *set;
    const struct tls_proof *proof;
    struct verdict reading;
    STACK_OF(X509) * chain;
    bool has_names;
    GENERAL_NAMES *names;
    struct verdict issuers[]; /* as `issuer` of struct peer counts */
};

static enum outcome load_name(const char *dns, struct peer *out, struct reason *why)
{
    if (!peer_name_is_valid(span_of_text(dns))) {
        return refuse(why, OUTCOME_RULE, "peers: \"dns\" must be a DNS name, or *. before one");
    }
    out->dns = strdup(dns);
    return out->dns != NULL ? OUTCOME_OK : refuse(why, OUTCOME_INTERNAL, "no memory");
}

static enum outcome load_issuer(const struct peer_rule *rules, size_t i, struct peer *out,
                                struct reason *why)
{
    out->has_issuer = true;
    for (out->issuer = 0; out->issuer < i; out->issuer++) {
        const char *path = rules[out->issuer].issuer;
        if (path != NULL && strcmp(path, rules[i].issuer) == 0) {
            return OUTCOME_OK;
        }
    }
    return peer_issuer_load(rules[i].issuer, &out->store, why);
}

static enum outcome load(const struct peer_rule *rules, size_t i, struct peer *out,
                         struct reason *why)
{
    const struct peer_rule *rule = &rules[i];
    if (rule->issuer == NULL && (rule->spki == NULL || rule->dns != NULL)) {
        return refuse(why, OUTCOME_RULE, "peers: %s",
                      rule->dns != NULL ? "\"dns\" proves nothing without \"issuer\""
                                        : "\"issuer\" or \"spki\" is needed");
    }
    out->pinned = rule->spki != NULL;
    if (out->pinned && !peer_pin_read(span_of_text(rule->spki), out->spki_sha256)) {
        return refuse(why, OUTCOME_RULE,
                      "peers: \"spki\" must be the base64url of a SHA-256, 43 characters");
    }
    enum outcome outcome = OUTCOME_OK;
    if (rule->dns != NULL) {
        outcome = load_name(rule->dns, out, why);
    }
    if (outcome == OUTCOME_OK && rule->issuer != NULL) {
        outcome = load_issuer(rules, i, out, why);
    }
    return outcome;
}

enum outcome peer_set_new(const struct peer_rule *rules, size_t n, struct peer_set **out,
                          struct reason *why)
{
    struct peer_set *set = calloc(1, sizeof *set + n * sizeof set->peers[0]);
    if (set == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "no memory");
    }
    set->n = n;
    for (size_t i = 0; i < n; i++) {
        enum outcome outcome = load(rules, i, &set->peers[i], why);
        if (outcome != OUTCOME_OK) {
            peer_set_free(set);
            return outcome;
        }
    }
    *out = set;
    return OUTCOME_OK;
}

void peer_set_free(struct peer_set *set)
{
    for (size_t i = 0; set != NULL && i < set->n; i++) {
        free(set->peers[i].dns);
        X509_STORE_free(set->peers[i].store);
    }
    free(set);
}

static const char *issuer_fault(struct judgement *it, const struct peer *peer)
{
    if (!it->reading.known) {
        it->reading.known = true;
        it->reading.fault = peer_issuer_read_chain(it->proof, &it->chain);
    }
    struct verdict *verdict = &it->issuers[peer->issuer];
    if (it->reading.fault == NULL && !verdict->known) {
        verdict->known = true;
        verdict->fault = peer_issuer_fault(it->set->peers[peer->issuer].store, it->chain);
    }
    return it->reading.fault != NULL ? it->reading.fault : verdict->fault;
}

/* Of a certificate that verified. */
static bool has_name(struct judgement *it, const char *dns)
{
    if (!it->has_names) {
        it->has_names = true;
        it->names = X509_get_ext_d2i(sk_X509_value(it->chain, 0), NID_subject_alt_name, NULL, NULL);
        ERR_clear_error();
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(it->names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(it->names, i);
        if (name->type == GEN_DNS &&
            peer_name_fits(span_of_text(dns),
                           span_of(ASN1_STRING_get0_data(name->d.dNSName),
                                   (size_t)ASN1_STRING_length(name->d.dNSName)))) {
            return true;
        }
    }
    return false;
}

/* NULL when all of the rule fits. What costs least comes first, and a name counts only under an
 * issuer that is trusted. */
static const char *peer_fault(struct judgement *it, const struct peer *peer)
{
    if (peer->pinned && memcmp(peer->spki_sha256, it->proof->peer_spki_sha256, PEER_PIN_LEN) != 0) {
        return "its key is not the pinned one";
    }
    const char *fault = peer->has_issuer ? issuer_fault(it, peer) : NULL;
    if (fault == NULL && peer->dns != NULL && !has_name(it, peer->dns)) {
        fault = "its certificate does not hold the name";
    }
    return fault;
}

enum outcome peer_check(const struct peer_set *set, const struct tls_proof *proof, const char **dns,
                        struct reason *why)
{
    *dns = NULL;
    if (!proof->has_peer) {
        return refuse(why, OUTCOME_RULE, "the server is not proven");
    }
    struct judgement *it = calloc(1, sizeof *it + set->n * sizeof it->issuers[0]);
    if (it == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "no memory");
    }
    it->set = set;
    it->proof = proof;
    const char *fault = "none is listed";
    for (size_t i = 0; fault != NULL && i < set->n; i++) {
        fault = peer_fault(it, &set->peers[i]);
        *dns = fault == NULL ? set->peers[i].dns : NULL;
    }
    GENERAL_NAMES_free(it->names);
    sk_X509_pop_free(it->chain, X509_free);
    free(it);
    if (fault == NULL) {
        return OUTCOME_OK;
    }
    return refuse(why, OUTCOME_RULE, "the server is not one of the role's peers: %s%s", fault,
                  set->n > 1 ? " (of the last rule)" : "");
}

void peer_text(const struct tls_proof *proof, const char *dns, char out[PEER_TEXT_SIZE])
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(PEER_TEXT_SIZE - 1);
    buffer_put_text(&text, "spki=");
    base64url_encode(&text, span_of(proof->peer_spki_sha256, sizeof proof->peer_spki_sha256));
    if (dns != NULL) {
        buffer_put_text(&text, "; dns=");
        buffer_put_text(&text, dns);
    }
    if (proof->server_name[0] != '\0') {
        buffer_put_text(&text, "; claimed-sni=");
        buffer_put_text(&text, proof->server_name);
    }
    (void)snprintf(out, PEER_TEXT_SIZE, "%s", buffer_text(&text));
}

/* SPDX-License-Identifier: Apache-2.0
 * What both versions of a handshake transcript have in common. */
#include "pki/transcript.h"

#include "pki/server_key.h"

#include <string.h>

enum outcome transcript_refuse(struct transcript *it, enum tls_message_type type, const char *fault)
{
    return refuse(it->why, OUTCOME_SHAPE, "%s: %s", tls_message_name((uint8_t)type), fault);
}

enum outcome transcript_take(struct transcript *it, enum tls_message_type type, struct span *body)
{
    struct tls_message message;
    const char *want = tls_message_name((uint8_t)type);
    *body = span_of(NULL, 0);
    if (!tls_message_next(&it->messages, &message)) {
        return refuse(it->why, OUTCOME_SHAPE,
                      it->messages.failed ? "the message that should be %s does not fit"
                                          : "the transcript ends where %s should come",
                      want);
    }
    if (message.type != type) {
        return refuse(it->why, OUTCOME_SHAPE, "%s where %s should come",
                      tls_message_name(message.type), want);
    }
    *body = message.body;
    return OUTCOME_OK;
}

bool transcript_is_next(const struct transcript *it, enum tls_message_type type)
{
    return !it->messages.failed && it->messages.at < it->messages.end && *it->messages.at == type;
}

enum outcome transcript_take_client_hello(struct transcript *it)
{
    struct span body;
    enum outcome outcome = transcript_take(it, TLS_CLIENT_HELLO, &body);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const char *fault = tls_read_client_hello(body, &it->client);
    if (fault == NULL && it->client.version != TLS_1_2) {
        fault = "legacy_version is not that of TLS 1.2";
    }
    if (fault == NULL && it->version == TLS_1_3 && !tls_list_has(it->client.versions, TLS_1_3)) {
        fault = "it does not offer TLS 1.3";
    }
    return fault == NULL ? OUTCOME_OK : transcript_refuse(it, TLS_CLIENT_HELLO, fault);
}

enum outcome transcript_take_server_chain(struct transcript *it)
{
    struct span body;
    enum outcome outcome = transcript_take(it, TLS_CERTIFICATE, &body);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const char *fault = tls_read_certificate(body, it->version, &it->chain);
    if (fault == NULL && it->chain.first.len == 0) {
        fault = "the list is empty";
    }
    if (fault == NULL && it->chain.context.len > 0) {
        fault = "a request context";
    }
    if (fault == NULL) {
        fault = certificate_key_read(it->chain.first, &it->server_key);
    }
    return fault == NULL ? OUTCOME_OK
                         : refuse(it->why, OUTCOME_SHAPE, "the server's Certificate: %s", fault);
}

enum outcome transcript_take_request(struct transcript *it)
{
    struct span body;
    enum outcome outcome = transcript_take(it, TLS_CERTIFICATE_REQUEST, &body);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const char *fault = tls_read_certificate_request(body, it->version, &it->request);
    if (fault == NULL && it->request.context.len > 0) {
        fault = "a context, which only post-handshake authentication has";
    }
    return fault == NULL ? OUTCOME_OK : transcript_refuse(it, TLS_CERTIFICATE_REQUEST, fault);
}

/* Which scheme it will be follows from operation and certificate: an RSA key signs rsa_pss_rsae or
 * rsa_pss_pss as its certificate says (RFC 8446 §4.2.3). */
static const char *scheme_fault(const struct transcript *it, const struct certificate_key *own)
{
    bool pss_key = own->kind == CERTIFICATE_RSA_PSS;
    if (pss_key && alg_family(it->alg) != FAMILY_RSA_PSS) {
        return "an RSA-PSS certificate goes with RSA-PSS signatures alone";
    }
    for (unsigned int i = 0; i < TLS_SCHEME_COUNT; i++) {
        enum tls_scheme scheme = (enum tls_scheme)i;
        if (tls_scheme_alg(scheme) == it->alg && tls_scheme_is_pss_key(scheme) == pss_key &&
            tls_list_has(it->request.schemes, tls_scheme_code(scheme))) {
            return NULL;
        }
    }
    return "the server did not ask for this signature scheme";
}

enum outcome transcript_take_own_chain(struct transcript *it)
{
    struct span body;
    struct tls_certificate chain;
    struct certificate_key own;
    enum outcome outcome = transcript_take(it, TLS_CERTIFICATE, &body);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const char *fault = tls_read_certificate(body, it->version, &chain);
    if (fault == NULL && chain.first.len == 0) {
        fault = "the list is empty";
    }
    if (fault == NULL && chain.context.len > 0) {
        fault = "a request context";
    }
    if (fault == NULL) {
        fault = certificate_key_read(chain.first, &own);
    }
    if (fault == NULL && !certificate_key_is(&own, it->key->spki_sha256)) {
        fault = "the first one is not of the key that is to sign";
    }
    if (fault == NULL) {
        fault = scheme_fault(it, &own);
    }
    return fault == NULL ? OUTCOME_OK
                         : refuse(it->why, OUTCOME_SHAPE, "the client's Certificate: %s", fault);
}

enum outcome transcript_prove(struct transcript *it, enum tls_message_type type,
                              struct span content, const struct tls_signed *proof)
{
    if (!tls_list_has(it->client.schemes, proof->scheme)) {
        return transcript_refuse(it, type,
                                 "signed with a scheme that the ClientHello does not offer");
    }
    const char *fault = server_key_fault(&it->server_key, it->version, content, proof);
    if (fault != NULL) {
        return transcript_refuse(it, type, fault);
    }
    if (!certificate_key_digest(&it->server_key, it->proof->peer_spki_sha256)) {
        return refuse(it->why, OUTCOME_INTERNAL, "no SHA-256");
    }
    struct span name = it->client.server_name;
    if (name.len > 0 && name.len < sizeof it->proof->server_name) {
        memcpy(it->proof->server_name, name.data, name.len);
    }
    it->proof->peer_chain = it->chain.chain;
    it->proof->has_peer = true;
    return OUTCOME_OK;
}

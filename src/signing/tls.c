/* SPDX-License-Identifier: Apache-2.0
 * A TLS client's CertificateVerify, from what the caller sent to the verified signature. */
#include "signing/tls.h"

#include "jose/ecdsa.h"
#include "model/tls_scheme.h"
#include "pki/peer.h"
#include "pki/tls_guard.h"
#include "signing/key_reference.h"
#include "signing/role.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

static_assert((int)SIGNING_PEER_SIZE >= (int)PEER_TEXT_SIZE, "a proven peer fits into an answer");

enum { SCHEMES_TEXT_MAX = TLS_SCHEME_COUNT * TLS_SCHEME_NAME_SIZE };

static const char content_type[] = "application/octet-stream";
static const char transcript_type[] = "application/vnd.qseal.tls-transcript";

/* One handshake on its way through the tokens. */
struct handshake {
    const struct tls_question *question;
    const struct config_role *role;
    enum tls_scheme scheme;
    bool is_transcript;
    struct buffer *signature;
    char *peer;
};

static enum outcome refuse_scheme(struct reason *why)
{
    BUFFER_CLEANUP struct buffer names = BUFFER_INIT(SCHEMES_TEXT_MAX);
    for (unsigned int i = 0; i < TLS_SCHEME_COUNT; i++) {
        buffer_put_format(&names, "%s%s", i == 0 ? "" : ", ", tls_scheme_name((enum tls_scheme)i));
    }
    return refuse(why, OUTCOME_RULE, "not a signature scheme that is known here: %s",
                  buffer_ok(&names) ? buffer_text(&names) : "out of memory");
}

static enum outcome read_request(const struct signing_request *request, struct handshake *handshake,
                                 struct reason *why)
{
    handshake->is_transcript = strcasecmp(request->content_type, transcript_type) == 0;
    if (!handshake->is_transcript && strcasecmp(request->content_type, content_type) != 0) {
        return refuse(why, OUTCOME_MEDIA_TYPE,
                      "this door takes %s (the whole content to be signed) or %s (the whole "
                      "transcript of TLS 1.3)",
                      content_type, transcript_type);
    }
    if (request->scheme[0] == '\0') {
        return refuse(why, OUTCOME_MALFORMED,
                      "the header Qseal-Signature-Scheme must name the TLS signature scheme");
    }
    return tls_scheme_from_name(span_of_text(request->scheme), &handshake->scheme)
               ? OUTCOME_OK
               : refuse_scheme(why);
}

static enum outcome check_scheme(const struct handshake *handshake, const struct key *key,
                                 struct reason *why)
{
    enum alg alg = tls_scheme_alg(handshake->scheme);
    enum key_type type = public_key_type(key->public_key);
    const char *name = tls_scheme_name(handshake->scheme);
    if (!tls_alg_fits_key(alg, type, TLS_1_2) && !tls_alg_fits_key(alg, type, TLS_1_3)) {
        return refuse(why, OUTCOME_RULE, "the key of role %s is of type %s, which does not make %s",
                      key->role, key_type_name(type), name);
    }
    if ((key->algs & 1U << alg) == 0) {
        return refuse(
            why, OUTCOME_RULE,
            "the key of role %s was not granted %s, which %s needs, when it was generated",
            key->role, alg_name(alg), name);
    }
    return OUTCOME_OK;
}

/* What is to be signed, and what it proves. The guard's refusals are the caller's affair here. */
static enum outcome judge(const struct handshake *handshake, const struct key *key,
                          uint8_t content[TLS_CONTENT_MAX], struct span *input,
                          struct tls_proof *proof, struct reason *why)
{
    enum alg alg = tls_scheme_alg(handshake->scheme);
    const struct tls_key pinned = {
        .type = public_key_type(key->public_key),
        .spki_sha256 = public_key_spki_sha256(key->public_key),
    };
    enum outcome outcome;
    *input = handshake->question->request->body;
    if (handshake->is_transcript) {
        size_t len = 0;
        outcome = tls_guard_transcript(&pinned, alg, *input, content, &len, proof, why);
        *input = span_of(content, len);
    } else {
        outcome = tls_guard_check(&pinned, alg, *input, proof, why);
    }
    return outcome == OUTCOME_SHAPE ? OUTCOME_RULE : outcome;
}

/* Whether the key may be used with the server at the other end. */
static enum outcome check_peer(const struct handshake *handshake, const struct tls_proof *proof,
                               const char **dns, struct reason *why)
{
    *dns = NULL;
    const struct policy *policy = handshake->question->view->policy;
    const struct peer_set *peers = policy->peers[handshake->role - policy->config->roles];
    if (peers == NULL) {
        return OUTCOME_OK;
    }
    if (!proof->has_peer) {
        return refuse(why, OUTCOME_RULE,
                      "role %s may be used with certain peers only, which TLS 1.3 hides: turn on "
                      "transcript mode (docs/tls.md), or use TLS 1.2",
                      handshake->role->name);
    }
    return peer_check(peers, proof, dns, why);
}

/* Tokens give JOSE signatures; TLS has ECDSA as DER (RFC 8446 §4.2.3, RFC 5246 §4.7). */
static enum outcome put_signature(const struct handshake *handshake, enum key_type type,
                                  struct span raw, struct reason *why)
{
    if (alg_family(tls_scheme_alg(handshake->scheme)) != FAMILY_ECDSA) {
        buffer_put_span(handshake->signature, raw);
        return OUTCOME_OK;
    }
    uint8_t der[ECDSA_DER_MAX];
    size_t len = ecdsa_to_der(type, raw, der);
    if (len == 0) { /* it was verified, so it has all that DER needs */
        return refuse(why, OUTCOME_INTERNAL, "the signature could not be written as DER");
    }
    buffer_put(handshake->signature, der, len);
    return OUTCOME_OK;
}

static enum outcome sign_with(void *context, const struct attempt *attempt, struct reason *why)
{
    const struct handshake *handshake = context;
    uint8_t content[TLS_CONTENT_MAX];
    struct span input;
    struct span raw;
    struct tls_proof proof = {0};
    const char *dns = NULL; /* lives as long as the view */
    enum outcome outcome = check_scheme(handshake, attempt->key, why);
    if (outcome == OUTCOME_OK) {
        outcome = judge(handshake, attempt->key, content, &input, &proof, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_peer(handshake, &proof, &dns, why);
    }
    if (outcome == OUTCOME_OK && proof.has_peer) {
        peer_text(&proof, dns, handshake->peer);
    }
    if (outcome == OUTCOME_OK) {
        const struct dispatch_content signed_content = {
            .alg = tls_scheme_alg(handshake->scheme),
            .input = input,
            .payload = handshake->question->request->body,
            .scheme = tls_scheme_name(handshake->scheme),
            .peer = handshake->peer,
        };
        outcome = dispatch_sign(attempt, &signed_content, &raw, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    return put_signature(handshake, public_key_type(attempt->key->public_key), raw, why);
}

enum outcome tls_sign(struct dispatcher *dispatcher, const struct tls_question *question,
                      struct buffer *signature, char peer[SIGNING_PEER_SIZE], struct reason *why)
{
    struct handshake handshake = {.question = question, .signature = signature, .peer = peer};
    peer[0] = '\0';
    enum outcome outcome = role_find_transport(question->view, question->caller,
                                               question->request->name, &handshake.role, why);
    if (outcome == OUTCOME_OK) {
        outcome = read_request(question->request, &handshake, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const struct dispatch dispatch = {
        .subject = question->subject,
        .view = question->view,
        .views = question->views,
        .watch = question->watch,
        .role = handshake.role,
        .kid = question->request->kid,
        .deadline = question->deadline,
    };
    return dispatch_to_tokens(dispatcher, &dispatch, sign_with, &handshake, why);
}

static enum outcome show_key(const struct tls_question *question, const struct config_role *role,
                             const struct key **out, struct reason *why)
{
    const char *kid = question->request->kid;
    *out = role_key_shown(question->view, question->watch, role, kid);
    return *out == NULL ? role_refuse_without_key(question->view, role, kid, why) : OUTCOME_OK;
}

enum outcome tls_put_certificate(const struct tls_question *question, struct buffer *pem,
                                 struct reason *why)
{
    const struct config_role *role;
    const struct key *key;
    enum outcome outcome =
        role_find_any(question->view, question->caller, question->request->name, &role, why);
    if (outcome == OUTCOME_OK) {
        outcome = show_key(question, role, &key, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (key->chain_pem == NULL) {
        return refuse(why, OUTCOME_NOT_FOUND,
                      "role %s has no certificate yet: qsealctl key import-certificate",
                      role->name);
    }
    buffer_put_text(pem, key->chain_pem);
    return OUTCOME_OK;
}

enum outcome tls_put_reference(const struct tls_question *question, struct buffer *pem,
                               struct reason *why)
{
    const struct config_role *role;
    const struct key *key;
    enum outcome outcome =
        role_find_transport(question->view, question->caller, question->request->name, &role, why);
    if (outcome == OUTCOME_OK) {
        outcome = show_key(question, role, &key, why);
    }
    if (outcome == OUTCOME_OK) {
        key_reference_put(pem, key, question->view->policy->config->sockets.callers);
    }
    return outcome;
}

/* SPDX-License-Identifier: Apache-2.0
 * Destination binding. Unlike the guard this lets OpenSSL read certificates, once their lengths are
 * known to fit: a chain is verified only for a key that has just proven itself. */
#include "pki/peer.h"

#include "base/base64url.h"
#include "base/file.h"
#include "model/tls_credentials.h"
#include "pki/certificate_key.h"
#include "pki/peer_name.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Level 2 is 112 bits: no SHA-1, no RSA under 2048 bits; libcrypto's own default is none. */
enum { ISSUER_FILE_MAX = 1024 * 1024, SPKI_TEXT_LEN = 43, SECURITY_LEVEL = 2 };

struct peer {
    char *dns;         /* NULL: any name */
    X509_STORE *store; /* NULL: any issuer */
    bool pinned;
    uint8_t spki_sha256[SHA256_LEN];
};

struct peer_set {
    size_t n;
    struct peer peers[];
};

static size_t add_certificates(X509_STORE *store, const struct buffer *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    size_t n = 0;
    X509 *certificate;
    while (bio != NULL && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        n += X509_STORE_add_cert(store, certificate) == 1 ? 1 : 0;
        X509_free(certificate);
    }
    BIO_free(bio);
    ERR_clear_error();
    return n;
}

static enum outcome load_issuer(const char *path, X509_STORE **out, struct reason *why)
{
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(ISSUER_FILE_MAX);
    if (file_read(path, &pem) != 0) {
        return refuse(why, OUTCOME_RULE, "peers: %.200s cannot be read: %s", path, strerror(errno));
    }
    *out = X509_STORE_new();
    if (*out == NULL || X509_STORE_set_purpose(*out, X509_PURPOSE_SSL_SERVER) != 1 ||
        X509_STORE_set_flags(*out, X509_V_FLAG_PARTIAL_CHAIN) != 1) {
        ERR_clear_error();
        return refuse(why, OUTCOME_INTERNAL, "no memory");
    }
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_get0_param(*out), SECURITY_LEVEL);
    if (add_certificates(*out, &pem) == 0) {
        return refuse(why, OUTCOME_RULE, "peers: %.200s holds no certificate", path);
    }
    return OUTCOME_OK;
}

static enum outcome load_pin(const char *text, struct peer *out, struct reason *why)
{
    BUFFER_CLEANUP struct buffer digest = BUFFER_INIT(SHA256_LEN);
    if (strlen(text) != SPKI_TEXT_LEN || !base64url_decode(&digest, span_of_text(text)) ||
        digest.len != SHA256_LEN) {
        return refuse(why, OUTCOME_RULE,
                      "peers: \"spki\" must be the base64url of a SHA-256, 43 characters");
    }
    memcpy(out->spki_sha256, digest.data, SHA256_LEN);
    out->pinned = true;
    return OUTCOME_OK;
}

static enum outcome load_name(const char *dns, struct peer *out, struct reason *why)
{
    if (!peer_name_is_valid(span_of_text(dns))) {
        return refuse(why, OUTCOME_RULE, "peers: \"dns\" must be a DNS name, or *. before one");
    }
    out->dns = strdup(dns);
    return out->dns != NULL ? OUTCOME_OK : refuse(why, OUTCOME_INTERNAL, "no memory");
}

static enum outcome load(const struct peer_rule *rule, struct peer *out, struct reason *why)
{
    if (rule->issuer == NULL && (rule->spki == NULL || rule->dns != NULL)) {
        return refuse(why, OUTCOME_RULE, "peers: %s",
                      rule->dns != NULL ? "\"dns\" proves nothing without \"issuer\""
                                        : "\"issuer\" or \"spki\" is needed");
    }
    enum outcome outcome = OUTCOME_OK;
    if (rule->dns != NULL) {
        outcome = load_name(rule->dns, out, why);
    }
    if (outcome == OUTCOME_OK && rule->spki != NULL) {
        outcome = load_pin(rule->spki, out, why);
    }
    if (outcome == OUTCOME_OK && rule->issuer != NULL) {
        outcome = load_issuer(rule->issuer, &out->store, why);
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
        enum outcome outcome = load(&rules[i], &set->peers[i], why);
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

/* The chain as OpenSSL reads it; NULL when it does not, or reads another key than the proven one.
 */
static STACK_OF(X509) * read_chain(const struct tls_proof *proof)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    struct reader reader = reader_of(proof->peer_chain);
    struct span der;
    bool good = chain != NULL;
    while (good && tls_chain_next(&reader, proof->version, &der)) {
        const unsigned char *at = der.data;
        X509 *certificate = d2i_X509(NULL, &at, (long)der.len);
        good =
            certificate != NULL && at == der.data + der.len && sk_X509_push(chain, certificate) > 0;
        if (!good) {
            X509_free(certificate);
        }
    }
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned char *spki = NULL;
    int len = good && sk_X509_num(chain) > 0
                  ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(sk_X509_value(chain, 0)), &spki)
                  : 0;
    good = len > 0 && EVP_Digest(spki, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1 &&
           memcmp(digest, proof->peer_spki_sha256, SHA256_LEN) == 0;
    OPENSSL_free(spki);
    if (!good) {
        sk_X509_pop_free(chain, X509_free);
        chain = NULL;
    }
    ERR_clear_error();
    return chain;
}

static const char *issuer_fault(X509_STORE *store, STACK_OF(X509) * chain)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    const char *fault = "its certificate does not verify";
    if (ctx != NULL && X509_STORE_CTX_init(ctx, store, sk_X509_value(chain, 0), chain) == 1) {
        fault = X509_verify_cert(ctx) == 1
                    ? NULL
                    : X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
    }
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return fault;
}

static bool has_name(const X509 *leaf, const char *dns)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS) {
            struct span presented = span_of(ASN1_STRING_get0_data(name->d.dNSName),
                                            (size_t)ASN1_STRING_length(name->d.dNSName));
            found = peer_name_fits(span_of_text(dns), presented);
        }
    }
    GENERAL_NAMES_free(names);
    ERR_clear_error();
    return found;
}

/* NULL when all of the rule fits. */
static const char *peer_fault(const struct peer *peer, const struct tls_proof *proof,
                              STACK_OF(X509) * chain)
{
    if (peer->pinned && memcmp(peer->spki_sha256, proof->peer_spki_sha256, SHA256_LEN) != 0) {
        return "its key is not the pinned one";
    }
    if (peer->store != NULL && chain == NULL) {
        return "its certificates cannot be read";
    }
    if (peer->dns != NULL && !has_name(sk_X509_value(chain, 0), peer->dns)) {
        return "its certificate does not hold the name";
    }
    return peer->store != NULL ? issuer_fault(peer->store, chain) : NULL;
}

enum outcome peer_check(const struct peer_set *set, const struct tls_proof *proof,
                        struct reason *why)
{
    if (!proof->has_peer) {
        return refuse(why, OUTCOME_RULE, "the server is not proven");
    }
    STACK_OF(X509) *chain = read_chain(proof);
    const char *fault = "none is listed";
    for (size_t i = 0; fault != NULL && i < set->n; i++) {
        fault = peer_fault(&set->peers[i], proof, chain);
    }
    sk_X509_pop_free(chain, X509_free);
    if (fault == NULL) {
        return OUTCOME_OK;
    }
    return refuse(why, OUTCOME_RULE, "the server is not one of the role's peers: %s%s", fault,
                  set->n > 1 ? " (of the last rule)" : "");
}

void peer_text(const struct tls_proof *proof, char out[PEER_TEXT_SIZE])
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(PEER_TEXT_SIZE - 1);
    buffer_put_text(&text, "spki=");
    base64url_encode(&text, span_of(proof->peer_spki_sha256, SHA256_LEN));
    if (proof->server_name[0] != '\0') {
        buffer_put_text(&text, "; sni=");
        buffer_put_text(&text, proof->server_name);
    }
    (void)snprintf(out, PEER_TEXT_SIZE, "%s", buffer_text(&text));
}

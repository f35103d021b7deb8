/* SPDX-License-Identifier: Apache-2.0
 * Verifying raw JOSE signatures.
 *
 * EVP looks an algorithm up, under locks, each time a context is set up: measured 7 µs more per
 * P-256 and 3 µs more per RSA-2048 PSS verification (80 and 29 µs). So each key sets up one context
 * per algorithm once, and a verification duplicates it: 0.3 µs, no look-up, and no thread shares
 * what it changes. A pool of contexts would save those 0.3 µs and cost a lock. It does so only when
 * it is to verify, since most keys of a keyring never do. */
#include "jose/ecdsa.h"
#include "jose/public_key_parts.h"
#include "model/tls_scheme.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <stdlib.h>

static const char *digest_name(enum alg alg)
{
    switch (alg_digest_len(alg)) {
    case 32:
        return "SHA256";
    case 48:
        return "SHA384";
    case 64:
        return "SHA512";
    }
    return NULL;
}

/* RFC 7518 §3.5: MGF1 with the same hash, salt as long as the hash. */
static bool set_padding(EVP_PKEY_CTX *ctx, enum alg alg, const EVP_MD *md)
{
    switch (alg_family(alg)) {
    case FAMILY_RSA_PKCS1:
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
    case FAMILY_RSA_PSS:
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)alg_digest_len(alg)) == 1;
    case FAMILY_ECDSA:
        return true;
    case FAMILY_EDDSA:
        return false;
    }
    return false;
}

static bool prepare_hashed(struct verifier *verifier, enum alg alg)
{
    EVP_MD *md = EVP_MD_fetch(NULL, digest_name(alg), NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, verifier->pkey, NULL);
    verifier->digests[alg] = md;
    verifier->contexts[alg] = ctx;
    return md != NULL && ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
           EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 && set_padding(ctx, alg, md);
}

/* Ed25519 takes the whole message, through the other interface (RFC 8032 §5.1.7). */
static bool prepare_ed25519(struct verifier *verifier)
{
    verifier->ed25519 = EVP_MD_CTX_new();
    return verifier->ed25519 != NULL && EVP_DigestVerifyInit_ex(verifier->ed25519, NULL, NULL, NULL,
                                                                NULL, verifier->pkey, NULL) == 1;
}

/* Fills digests and contexts; false when OpenSSL lacks something. */
static bool prepare(struct verifier *verifier, enum key_type type)
{
    if (verifier->pkey == NULL) {
        return false;
    }
    if (type == KEY_ED25519) {
        return prepare_ed25519(verifier);
    }
    for (unsigned int i = 0; i < ALG_COUNT; i++) {
        if (alg_fits_key((enum alg)i, type) && !prepare_hashed(verifier, (enum alg)i)) {
            return false;
        }
    }
    return true;
}

void verifier_free(struct verifier *verifier)
{
    if (verifier == NULL) {
        return;
    }
    for (unsigned int i = 0; i < ALG_COUNT; i++) {
        EVP_PKEY_CTX_free(verifier->contexts[i]);
        EVP_MD_free(verifier->digests[i]);
    }
    EVP_MD_CTX_free(verifier->ed25519);
    EVP_PKEY_free(verifier->pkey);
    free(verifier);
}

static struct verifier *verifier_new(const struct public_key *key)
{
    struct key_parts parts;
    struct reason why;
    struct verifier *verifier = calloc(1, sizeof *verifier);
    if (verifier == NULL || parts_from_spki(public_key_spki(key), &parts, &why) != OUTCOME_OK) {
        free(verifier);
        return NULL;
    }
    verifier->pkey = parts_make_pkey(&parts);
    if (!prepare(verifier, key->type)) {
        verifier_free(verifier);
        return NULL;
    }
    return verifier;
}

/* NULL when OpenSSL cannot verify with such keys, and its errors are then there. Two threads that
 * come first make one each, and the later one's is thrown away: no verification waits for a lock.
 */
static const struct verifier *verifier_of(const struct public_key *key)
{
    struct verifier_slot *slot = key->verifier;
    struct verifier *made = atomic_load_explicit(&slot->made, memory_order_acquire);
    if (made != NULL) {
        return made;
    }
    struct verifier *first = NULL;
    made = verifier_new(key);
    if (made != NULL && !atomic_compare_exchange_strong(&slot->made, &first, made)) {
        verifier_free(made);
        made = first;
    }
    return made;
}

enum outcome public_key_prepare(const struct public_key *key, struct reason *why)
{
    if (verifier_of(key) == NULL) {
        ERR_clear_error();
        return refuse(why, OUTCOME_INTERNAL, "OpenSSL cannot verify with %s keys here",
                      key_type_name(key->type));
    }
    return OUTCOME_OK;
}

static bool verify_hashed(const struct verifier *verifier, enum alg alg, struct span input,
                          struct span signature)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned int hash_len = 0;
    if (EVP_Digest(input.data, input.len, hash, &hash_len, verifier->digests[alg], NULL) != 1) {
        return false;
    }
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(verifier->contexts[alg]);
    bool good =
        ctx != NULL && EVP_PKEY_verify(ctx, signature.data, signature.len, hash, hash_len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static bool verify_ecdsa(const struct verifier *verifier, enum key_type type, enum alg alg,
                         struct span input, struct span signature)
{
    uint8_t der[ECDSA_DER_MAX];
    size_t len = ecdsa_to_der(type, signature, der);
    return len > 0 && verify_hashed(verifier, alg, input, span_of(der, len));
}

static bool verify_ed25519(const struct verifier *verifier, struct span input,
                           struct span signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx != NULL && EVP_MD_CTX_copy_ex(ctx, verifier->ed25519) == 1 &&
                EVP_DigestVerify(ctx, signature.data, signature.len, input.data, input.len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

static bool verify(const struct verifier *verifier, enum key_type type, enum alg alg,
                   struct span input, struct span signature)
{
    switch (alg_family(alg)) {
    case FAMILY_RSA_PKCS1:
    case FAMILY_RSA_PSS:
        return verify_hashed(verifier, alg, input, signature);
    case FAMILY_ECDSA:
        return verify_ecdsa(verifier, type, alg, input, signature);
    case FAMILY_EDDSA:
        return verify_ed25519(verifier, input, signature);
    }
    return false;
}

static bool verify_prepared(const struct public_key *key, enum alg alg, struct span input,
                            struct span signature)
{
    const struct verifier *verifier = verifier_of(key);
    return verifier != NULL && signature.len == key_type_signature_len(key->type) &&
           verify(verifier, key->type, alg, input, signature);
}

/* A digest that is not the curve's is rare, so nothing is kept for it. A longer one than the order
 * is cut to its leftmost bits by OpenSSL (FIPS 186-5 §6.4.2). */
static bool verify_mixed(const struct public_key *key, enum alg alg, struct span input,
                         struct span signature)
{
    const struct verifier *verifier = verifier_of(key);
    if (verifier == NULL) {
        return false;
    }
    uint8_t der[ECDSA_DER_MAX];
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned int hash_len = 0;
    size_t len = ecdsa_to_der(key->type, signature, der);
    EVP_MD *md = EVP_MD_fetch(NULL, digest_name(alg), NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, verifier->pkey, NULL);
    bool good = len > 0 && md != NULL && ctx != NULL &&
                EVP_Digest(input.data, input.len, hash, &hash_len, md, NULL) == 1 &&
                EVP_PKEY_verify_init(ctx) == 1 &&
                EVP_PKEY_verify(ctx, der, len, hash, hash_len) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_MD_free(md);
    return good;
}

/* The thread's queue must not grow with each forgery. */
static bool forget_errors(bool good)
{
    if (!good) {
        ERR_clear_error();
    }
    return good;
}

bool public_key_verify(const struct public_key *key, enum alg alg, struct span input,
                       struct span signature)
{
    return alg_fits_key(alg, key->type) &&
           forget_errors(verify_prepared(key, alg, input, signature));
}

bool public_key_verify_tls(const struct public_key *key, enum alg alg, struct span input,
                           struct span signature)
{
    if (alg_fits_key(alg, key->type)) {
        return forget_errors(verify_prepared(key, alg, input, signature));
    }
    return tls_alg_fits_key(alg, key->type, TLS_1_2) &&
           forget_errors(verify_mixed(key, alg, input, signature));
}

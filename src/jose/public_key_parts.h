/* SPDX-License-Identifier: Apache-2.0
 * Inside src/jose only: what a public key is made of, and the key itself. */
#ifndef QSEAL_JOSE_PUBLIC_KEY_PARTS_H
#define QSEAL_JOSE_PUBLIC_KEY_PARTS_H

#include "jose/public_key.h"

#include <openssl/evp.h>

#include <stdatomic.h>

enum { PART_SIZE = 512, EXPONENT_SIZE = 8 };

/* The numbers of a key, big-endian: RSA n and e without leading zeros, EC x and y at the curve's
 * length, Ed25519 its 32 bytes in `a`. */
struct key_parts {
    enum key_type type;
    uint8_t a[PART_SIZE]; /* n or x */
    size_t a_len;
    uint8_t b[PART_SIZE]; /* e or y */
    size_t b_len;
};

struct public_key {
    atomic_uint owners;
    enum key_type type;
    EVP_PKEY *pkey;
    struct buffer spki;
    struct buffer jwk;
    uint8_t spki_sha256[SPKI_SHA256_LEN];
    char thumbprint[THUMBPRINT_SIZE];
    /* One per algorithm that fits, NULL for the others: set up once, duplicated per verification.
     */
    EVP_MD *digests[ALG_COUNT];
    EVP_PKEY_CTX *contexts[ALG_COUNT];
    EVP_MD_CTX *ed25519;
};

/* The JWK's name of the curve. */
const char *curve_jwk_name(enum key_type type);

/* Reads the numbers and checks them one by one (sizes, oddness); whether they are a point is found
 * by parts_make_pkey. */
enum outcome parts_from_spki(struct span der, struct key_parts *out, struct reason *why) MUST_USE;
enum outcome parts_from_jwk(const json_t *jwk, struct key_parts *out, struct reason *why) MUST_USE;
/* Owned by the caller. OUTCOME_RULE when they are no key. */
enum outcome parts_make_pkey(const struct key_parts *parts, EVP_PKEY **out,
                             struct reason *why) MUST_USE;

/* Fills digests and contexts; false when OpenSSL lacks something. */
bool verifier_prepare(struct public_key *key) MUST_USE;
void verifier_fini(struct public_key *key);

#endif

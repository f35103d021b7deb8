/* SPDX-License-Identifier: Apache-2.0
 * Signature algorithms (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864) and the key types they belong to.
 * "none" and the HMACs are not in the list and therefore do not exist. */
#ifndef QSEAL_MODEL_ALG_H
#define QSEAL_MODEL_ALG_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>

enum alg {
    ALG_RS256,
    ALG_RS384,
    ALG_RS512,
    ALG_PS256,
    ALG_PS384,
    ALG_PS512,
    ALG_ES256,
    ALG_ES384,
    ALG_ES512,
    ALG_ED25519,
};
enum { ALG_COUNT = ALG_ED25519 + 1 };

enum alg_family { FAMILY_RSA_PKCS1, FAMILY_RSA_PSS, FAMILY_ECDSA, FAMILY_EDDSA };

enum key_type {
    KEY_RSA_2048,
    KEY_RSA_3072,
    KEY_RSA_4096,
    KEY_P256,
    KEY_P384,
    KEY_P521,
    KEY_ED25519
};
enum { KEY_TYPE_COUNT = KEY_ED25519 + 1 };

/* Longest signature of any algorithm here: RSA-4096, in bytes. */
enum { SIGNATURE_MAX = 512 };

/* "PS256"; Ed25519 is "Ed25519" (RFC 9864). The deprecated header name "EdDSA" is the template's
 * affair. */
const char *alg_name(enum alg alg);
bool alg_from_name(struct span name, enum alg *out) MUST_USE;
enum alg_family alg_family(enum alg alg);
/* Digest size in bytes: 32, 48 or 64; PSS salts have this length too (RFC 7518 §3.5). 0 for
 * Ed25519, which hashes by itself. */
size_t alg_digest_len(enum alg alg);
bool alg_fits_key(enum alg alg, enum key_type type);
bool alg_is_known(unsigned int number);
/* A set of algorithms is a word with bit (1 << alg) for each. As a JSON array of names:
 * ["RS256","PS256"]. */
void alg_put_set(struct buffer *out, uint32_t set);
/* The only member of the set; false when there is none, or more than one. */
/* The first of a set; ALG_RS256 of an empty one. */
enum alg alg_first(uint32_t set);
bool alg_only_one(uint32_t set, enum alg *out) MUST_USE;

/* "rsa-2048", "p-256", "ed25519" … */
const char *key_type_name(enum key_type type);
/* Modulus bits, or the curve's. */
unsigned int key_type_bits(enum key_type type);
/* Exact length of a raw signature (RSA: modulus; ECDSA: r||s, RFC 7518 §3.4; Ed25519: 64), in
 * bytes. */
size_t key_type_signature_len(enum key_type type);
bool key_type_is_known(unsigned int number);

#endif

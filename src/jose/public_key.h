/* SPDX-License-Identifier: Apache-2.0
 * A pinned public key: its SubjectPublicKeyInfo, its JWK members, its RFC 7638 thumbprint, and
 * verification under it. */
#ifndef QSEAL_JOSE_PUBLIC_KEY_H
#define QSEAL_JOSE_PUBLIC_KEY_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/span.h"
#include "model/alg.h"
#include "model/outcome.h"

#include <jansson.h>

enum { THUMBPRINT_LEN = 43, THUMBPRINT_SIZE = THUMBPRINT_LEN + 1, SPKI_SHA256_LEN = 32 };

/* Immutable after it is made, but for the count of its owners and what OpenSSL needs to verify with
 * it, which is made once: any number of threads may verify with it. */
struct public_key;

/* From DER SubjectPublicKeyInfo. Refuses other types than enum key_type lists, RSA exponents that
 * are even, below 3 or over 64 bits, points not on the curve, and every other spelling than the one
 * that public_key_spki() gives (trailing bytes, BER, compressed points, explicit curve parameters).
 * OUTCOME_RULE with the reason. */
enum outcome public_key_from_spki(struct span der, struct public_key **out,
                                  struct reason *why) MUST_USE;
/* From a JWK object (RFC 7518 §6, RFC 8037 §2); private members are refused. */
enum outcome public_key_from_jwk(const json_t *jwk, struct public_key **out,
                                 struct reason *why) MUST_USE;
/* One owner more of the same key; each owner calls public_key_free(). */
struct public_key *public_key_ref(struct public_key *key) MUST_USE;
/* Accepts NULL. The last owner's call frees. */
void public_key_free(struct public_key *key);

enum key_type public_key_type(const struct public_key *key);
struct span public_key_spki(const struct public_key *key);
const uint8_t *public_key_spki_sha256(const struct public_key *key); /* SPKI_SHA256_LEN bytes */
/* BASE64URL(SHA-256(canonical JWK)), RFC 7638 §3: 43 characters and a NUL. */
const char *public_key_thumbprint(const struct public_key *key);
/* The required members only, in lexical order, as a JSON object text:
 * {"crv":…,"kty":…,"x":…,"y":…}. NUL-terminated. */
const char *public_key_jwk(const struct public_key *key);

/* Sets up what verification needs, which otherwise the first one does: for keys that may sign, so
 * that no request pays for it. OUTCOME_INTERNAL when OpenSSL cannot verify with such keys. */
enum outcome public_key_prepare(const struct public_key *key, struct reason *why) MUST_USE;
/* Whether the raw JOSE signature over the input is good: exact length, PSS with sLen = hLen and the
 * matching MGF1 (RFC 7518 §3.5), ECDSA r||s with both in range, alg and key fitting. Thread-safe;
 * digests are fetched once. */
bool public_key_verify(const struct public_key *key, enum alg alg, struct span input,
                       struct span signature) MUST_USE;
/* The same for a signature made in a TLS handshake, where an ECDSA key of any curve may go with any
 * digest (tls_alg_fits_key: TLS 1.2). Whether the version of the handshake permits it is the
 * caller's affair. */
bool public_key_verify_tls(const struct public_key *key, enum alg alg, struct span input,
                           struct span signature) MUST_USE;

#endif

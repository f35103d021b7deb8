/* SPDX-License-Identifier: Apache-2.0
 * SHA-2 in the host. The implementations are fetched once per process (a fetch costs more than the
 * hash of a JAR), the contexts once per thread. */
#ifndef QSEAL_PKCS11_DIGEST_H
#define QSEAL_PKCS11_DIGEST_H

#include "base/attributes.h"
#include "base/span.h"
#include "model/alg.h"

enum { DIGEST_MAX = 64, DIGEST_SHA256_LEN = 32 };

struct digests;
struct digest_context;

/* NULL: the crypto library has no SHA-2. */
struct digests *digests_new(void) MUST_USE;
void digests_free(struct digests *digests);
/* The digests must outlive it. NULL: out of memory. */
struct digest_context *digest_context_new(const struct digests *digests) MUST_USE;
void digest_context_free(struct digest_context *context);

/* The hash that belongs to `alg`, alg_digest_len() bytes. */
bool digest_message(struct digest_context *context, enum alg alg, struct span message,
                    uint8_t out[DIGEST_MAX]) MUST_USE;
/* SHA-256 outside the path of a signature. */
bool digest_sha256(struct span bytes, uint8_t out[DIGEST_SHA256_LEN]) MUST_USE;

#endif

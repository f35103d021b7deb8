/* SPDX-License-Identifier: Apache-2.0
 * What a request's bytes must be before any key is looked for. */
#ifndef QSEAL_TOKEN_CONTENT_H
#define QSEAL_TOKEN_CONTENT_H

#include "token/token.h"

/* OUTCOME_OK when the bytes are what a key of this purpose signs (model/shape.h), or for USE_CSR a
 * certificate request whose public key is the pinned one; otherwise OUTCOME_SHAPE with the reason.
 * That the key in the token is the pinned one is compared where it is found (lookup.h). */
enum outcome content_check(const struct token_sign_request *request, struct reason *why) MUST_USE;
/* What can only be told with the key that was found and is the pinned one: for a transport key,
 * whether the bytes are a TLS client's CertificateVerify of that key (pki/tls_guard.h). Others were
 * judged before. OUTCOME_SHAPE with the reason. */
enum outcome content_check_with_key(const struct token_sign_request *request, enum key_type type,
                                    struct reason *why) MUST_USE;

#endif

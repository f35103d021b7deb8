/* SPDX-License-Identifier: Apache-2.0
 * Certificate requests (PKCS#10, RFC 2986) for keys that somebody else signs with: the bytes to be
 * signed first, the request when the signature is there. */
#ifndef QSEAL_PKI_REQUEST_H
#define QSEAL_PKI_REQUEST_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/span.h"
#include "model/alg.h"
#include "model/outcome.h"
#include "pki/request_profile.h"

enum { REQUEST_INFO_MAX = 8192 };

/* Appends the DER CertificationRequestInfo of this wish and public key, with the extensions of its
 * profile. The subject is written as openssl(1) takes it, "/C=MY/O=Bank/CN=name" (a backslash takes
 * the meaning from the next character), in any order but for the plain profile, where its order is
 * kept and it must be given. OUTCOME_RULE with the reason. */
enum outcome request_put_info(struct buffer *info, const struct request_wish *wish,
                              struct span spki, struct reason *why) MUST_USE;
/* Appends the whole request in PEM. The signature is as X.509 has it: ECDSA in DER. */
void request_put_pem(struct buffer *out, struct span info, enum alg alg, struct span signature);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * The tap: SHA-256 and SHA-384 that remember handshake transcripts. Found only by who asks for the
 * property qseal.tap. */
#ifndef QSEAL_PROVIDER_DIGEST_H
#define QSEAL_PROVIDER_DIGEST_H

#include <openssl/core.h>

/* For OSSL_OP_DIGEST. */
const OSSL_ALGORITHM *digest_algorithms(void);

#endif

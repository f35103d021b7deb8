/* SPDX-License-Identifier: Apache-2.0
 * Two steps: PEM to DER, and DER to a key of each kind. Anything that is not a key reference is
 * declined at once and in silence, since each file a process decodes comes by here. */
#ifndef QSEAL_PROVIDER_DECODER_H
#define QSEAL_PROVIDER_DECODER_H

#include "provider/key.h"

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

/* For OSSL_OP_DECODER. */
const OSSL_ALGORITHM *decoder_algorithms(void);
/* Hands a key to libcrypto, and lets go of it: 1 when it was taken. */
int decoder_give(struct key *key, OSSL_CALLBACK *callback, void *argument);

#endif

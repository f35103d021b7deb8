/* SPDX-License-Identifier: Apache-2.0
 * The signature itself: one question to the service. */
#ifndef QSEAL_PROVIDER_SIGNATURE_H
#define QSEAL_PROVIDER_SIGNATURE_H

#include <openssl/core.h>

/* For OSSL_OP_SIGNATURE. */
const OSSL_ALGORITHM *signature_algorithms(void);

#endif

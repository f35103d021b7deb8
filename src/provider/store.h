/* SPDX-License-Identifier: Apache-2.0
 * The URI qseal:ROLE: the role's active key and its certificates, asked of the service. */
#ifndef QSEAL_PROVIDER_STORE_H
#define QSEAL_PROVIDER_STORE_H

#include <openssl/core.h>

/* For OSSL_OP_STORE. */
const OSSL_ALGORITHM *store_algorithms(void);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * Key management: what libcrypto may learn of a delegated key. */
#ifndef QSEAL_PROVIDER_KEYMGMT_H
#define QSEAL_PROVIDER_KEYMGMT_H

#include "provider/spki.h"

#include <openssl/core.h>

/* One row per kind of key, for OSSL_OP_KEYMGMT. */
const OSSL_ALGORITHM *keymgmt_algorithms(void);
/* "RSA", as OSSL_OBJECT_PARAM_DATA_TYPE says it. */
const char *keymgmt_type(enum key_kind kind);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * The round constants of FIPS 180-4 §4.2.2 and §4.2.3. */
#ifndef QSEAL_PROVIDER_SHA2_BLOCKS_H
#define QSEAL_PROVIDER_SHA2_BLOCKS_H

#include "provider/sha2.h"

extern const uint32_t sha2_k256[64];
extern const uint64_t sha2_k512[80];

#endif

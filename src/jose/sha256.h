/* SPDX-License-Identifier: Apache-2.0
 * SHA-256 as people and files write it. */
#ifndef QSEAL_JOSE_SHA256_H
#define QSEAL_JOSE_SHA256_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>

enum { SHA256_TEXT_LEN = 43, SHA256_TEXT_SIZE = SHA256_TEXT_LEN + 1 };

/* BASE64URL(SHA-256(bytes)) with a NUL. False: no SHA-256. */
bool sha256_text(struct span bytes, char out[SHA256_TEXT_SIZE]) MUST_USE;

#endif

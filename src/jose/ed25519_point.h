/* SPDX-License-Identifier: Apache-2.0
 * Whether 32 bytes are an Ed25519 public key worth pinning. OpenSSL takes any 32 bytes and finds
 * out at each verification. */
#ifndef QSEAL_JOSE_ED25519_POINT_H
#define QSEAL_JOSE_ED25519_POINT_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

enum { ED25519_KEY_LEN = 32 };

/* True when the encoding is canonical and decodes to a point of the curve (RFC 8032 §5.1.3) that is
 * none of the eight points of small order, under which anybody can make signatures. */
bool ed25519_point_is_good(const uint8_t key[ED25519_KEY_LEN]) MUST_USE;

#endif

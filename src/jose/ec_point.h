/* SPDX-License-Identifier: Apache-2.0
 * Whether two coordinates are a point of a NIST curve. OpenSSL finds out when it makes a key of
 * them, which costs twenty times as much: a keyring of a thousand keys is read at each start, and
 * most of its keys never verify anything again. */
#ifndef QSEAL_JOSE_EC_POINT_H
#define QSEAL_JOSE_EC_POINT_H

#include "base/attributes.h"
#include "base/span.h"
#include "model/alg.h"

/* True when both are below the field's prime and satisfy the curve's equation (SP 800-56A rev. 3
 * §5.6.2.3.4; the cofactor is 1, so there is no more to check). The coordinates are big-endian;
 * `type` is one of KEY_P256, KEY_P384 and KEY_P521, anything else is no point. */
bool ec_point_is_good(enum key_type type, struct span x, struct span y) MUST_USE;

#endif

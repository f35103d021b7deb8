/* SPDX-License-Identifier: Apache-2.0
 * Cipher suites that the transport guard takes, and the key exchange messages of TLS 1.2 that go
 * with them (RFC 5246 §7.4.3, §7.4.7; RFC 8422 §5.4, §5.7). */
#ifndef QSEAL_MODEL_TLS_KEY_EXCHANGE_H
#define QSEAL_MODEL_TLS_KEY_EXCHANGE_H

#include "base/attributes.h"
#include "base/span.h"
#include "model/tls_credentials.h"

#include <stdbool.h>
#include <stdint.h>

enum tls_exchange { TLS_ECDHE, TLS_DHE };
enum tls_server_auth { TLS_AUTH_RSA, TLS_AUTH_ECDSA };

struct tls_suite {
    uint16_t code; /* IANA TLS Cipher Suites */
    enum tls_exchange exchange;
    enum tls_server_auth auth;
};

/* TLS 1.2: ephemeral key exchange that the server signs, with AES or ChaCha20. NULL for every
 * other: static, anonymous and PSK suites prove no server. */
const struct tls_suite *tls_suite_12(uint16_t code);
/* TLS 1.3: bytes of the suite's hash, 32 or 48; 0 when there is no such suite (RFC 8446 §B.4). */
size_t tls_suite_13_hash_len(uint16_t code);

struct tls_server_key_exchange {
    struct span params; /* what is signed, behind the two randoms */
    struct tls_signed proof;
};

/* Named curves only, and finite-field groups of 2048 to 8192 bits. */
const char *tls_read_server_key_exchange(struct span body, enum tls_exchange exchange,
                                         struct tls_server_key_exchange *out) MUST_USE;
const char *tls_client_key_exchange_fault(struct span body, enum tls_exchange exchange) MUST_USE;

#endif

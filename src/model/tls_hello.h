/* SPDX-License-Identifier: Apache-2.0
 * ClientHello and ServerHello (RFC 8446 §4.1, RFC 5246 §7.4.1), and EncryptedExtensions. */
#ifndef QSEAL_MODEL_TLS_HELLO_H
#define QSEAL_MODEL_TLS_HELLO_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

/* All spans are borrowed from the message; a list is 16-bit numbers, empty when its extension is
 * not there. */
struct tls_client_hello {
    uint16_t version; /* legacy_version */
    struct span random;
    struct span suites;      /* list */
    struct span versions;    /* list: supported_versions */
    struct span schemes;     /* list: signature_algorithms */
    struct span server_name; /* SNI host_name: letters, digits, ".", "-", "_"; empty when none */
    struct span extensions;  /* for tls_extension_find() */
};

struct tls_server_hello {
    uint16_t version; /* legacy_version */
    struct span random;
    uint16_t suite;
    uint16_t selected;      /* of supported_versions; 0 when not there */
    bool resumes;           /* pre_shared_key is there */
    bool retry;             /* a HelloRetryRequest (RFC 8446 §4.1.3) */
    struct span extensions; /* for tls_extension_find() */
};

const char *tls_read_client_hello(struct span body, struct tls_client_hello *out) MUST_USE;
const char *tls_read_server_hello(struct span body, struct tls_server_hello *out) MUST_USE;
const char *tls_encrypted_extensions_fault(struct span body) MUST_USE;

#endif

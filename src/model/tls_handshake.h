/* SPDX-License-Identifier: Apache-2.0
 * TLS handshake messages as the transport guard reads them (RFC 8446 §4, RFC 5246 §7.4): messages,
 * vectors and extensions. Pure reading of borrowed bytes, nothing is allocated, everything is one
 * pass over the input. DTLS has longer headers and does not parse.
 *
 * Functions named ..._fault and tls_read_... give NULL, or what is wrong in words that hold no byte
 * of the input. */
#ifndef QSEAL_MODEL_TLS_HANDSHAKE_H
#define QSEAL_MODEL_TLS_HANDSHAKE_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

/* IANA TLS HandshakeType, those that a full handshake may hold up to the client's turn. */
enum tls_message_type {
    TLS_CLIENT_HELLO = 1,
    TLS_SERVER_HELLO = 2,
    TLS_ENCRYPTED_EXTENSIONS = 8,
    TLS_CERTIFICATE = 11,
    TLS_SERVER_KEY_EXCHANGE = 12,
    TLS_CERTIFICATE_REQUEST = 13,
    TLS_SERVER_HELLO_DONE = 14,
    TLS_CERTIFICATE_VERIFY = 15,
    TLS_CLIENT_KEY_EXCHANGE = 16,
    TLS_FINISHED = 20,
    TLS_CERTIFICATE_STATUS = 22,
    TLS_COMPRESSED_CERTIFICATE = 25, /* RFC 8879: named in a refusal, nothing more */
    TLS_MESSAGE_HASH = 254,          /* stands for the first ClientHello, RFC 8446 §4.4.1 */
};

/* IANA TLS ExtensionType, those that are looked into. */
enum tls_extension_type {
    TLS_EXT_SERVER_NAME = 0,
    TLS_EXT_SIGNATURE_ALGORITHMS = 13,
    TLS_EXT_EXTENDED_MASTER_SECRET = 23,
    TLS_EXT_PRE_SHARED_KEY = 41,
    TLS_EXT_SUPPORTED_VERSIONS = 43,
    TLS_EXT_RENEGOTIATION_INFO = 0xFF01,
};

enum { TLS_EXTENSIONS_MAX = 64, TLS_RANDOM_LEN = 32 };

struct tls_message {
    uint8_t type; /* may be none of the enum */
    struct span body;
};

/* "ClientHello"; "another message" for what is not in the enum. */
const char *tls_message_name(uint8_t type);
/* The next message; false at the end, and when what is left is none (then the cursor has failed).
 */
bool tls_message_next(struct reader *messages, struct tls_message *out) MUST_USE;

/* Exactly `len` bytes. */
struct span tls_take(struct reader *reader, size_t len);
/* A vector whose length takes `width` (1 to 3) bytes and is at least `least` (RFC 8446 §3.4). */
struct span tls_vector(struct reader *reader, unsigned int width, size_t least);
/* Whether a list of 16-bit numbers holds this one. */
bool tls_list_has(struct span list, uint16_t number);

/* A block of extensions, without its length: each one fits, none comes twice, at most
 * TLS_EXTENSIONS_MAX. */
const char *tls_extensions_fault(struct span block);
/* The content of one, in a block without fault; false when it is not there. */
bool tls_extension_find(struct span block, enum tls_extension_type type, struct span *out) MUST_USE;
/* The content of signature_algorithms (RFC 8446 §4.2.3) as a list of numbers. */
const char *tls_read_schemes(struct span content, struct span *list);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * ClientHello, ServerHello, EncryptedExtensions. */
#include "model/tls_hello.h"

#include "model/tls_handshake.h"

enum { SESSION_ID_MAX = 32, HOST_NAME = 0, NAME_MAX_LEN = 255 };

static const char no_fit[] = "a length does not fit";

/* SHA-256 of "HelloRetryRequest" (RFC 8446 §4.1.3). */
static const uint8_t retry_random[TLS_RANDOM_LEN] = {
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C};

static bool is_name(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '.' || c == '-' || c == '_';
        if (!good) {
            return false;
        }
    }
    return name.len > 0 && name.len <= NAME_MAX_LEN;
}

/* RFC 6066 §3: a list, but of one name per type, and there is one type. */
static const char *read_server_name(struct span content, struct span *out)
{
    struct reader reader = reader_of(content);
    struct span list = tls_vector(&reader, 2, 1);
    if (!reader_done(&reader)) {
        return "server_name: its length does not fit";
    }
    struct reader entries = reader_of(list);
    uint8_t type = reader_u8(&entries);
    *out = tls_vector(&entries, 2, 1);
    if (!reader_done(&entries) || type != HOST_NAME) {
        return "server_name: not one host name";
    }
    return is_name(*out) ? NULL : "server_name: not a plain DNS name";
}

static const char *read_versions(struct span content, struct span *out)
{
    struct reader reader = reader_of(content);
    *out = tls_vector(&reader, 1, 2);
    return reader_done(&reader) && out->len % 2 == 0
               ? NULL
               : "supported_versions: its length does not fit";
}

static const char *read_client_extensions(struct span block, struct tls_client_hello *out)
{
    struct span content;
    const char *fault = tls_extensions_fault(block);
    out->extensions = block;
    if (fault == NULL && tls_extension_find(block, TLS_EXT_SERVER_NAME, &content)) {
        fault = read_server_name(content, &out->server_name);
    }
    if (fault == NULL && tls_extension_find(block, TLS_EXT_SUPPORTED_VERSIONS, &content)) {
        fault = read_versions(content, &out->versions);
    }
    if (fault == NULL && tls_extension_find(block, TLS_EXT_SIGNATURE_ALGORITHMS, &content)) {
        fault = tls_read_schemes(content, &out->schemes);
    }
    return fault;
}

const char *tls_read_client_hello(struct span body, struct tls_client_hello *out)
{
    *out = (struct tls_client_hello){0};
    struct reader reader = reader_of(body);
    out->version = reader_u16(&reader);
    out->random = tls_take(&reader, TLS_RANDOM_LEN);
    struct span session = tls_vector(&reader, 1, 0);
    out->suites = tls_vector(&reader, 2, 2);
    struct span compressions = tls_vector(&reader, 1, 1);
    if (reader.failed || session.len > SESSION_ID_MAX || out->suites.len % 2 != 0) {
        return no_fit;
    }
    if (span_find(compressions, 0) == compressions.len) {
        return "it does not offer to send uncompressed";
    }
    if (reader_done(&reader)) {
        return NULL; /* TLS 1.2 may leave the extensions out */
    }
    struct span block = tls_vector(&reader, 2, 0);
    return reader_done(&reader) ? read_client_extensions(block, out) : no_fit;
}

static const char *read_server_extensions(struct span block, struct tls_server_hello *out)
{
    struct span content;
    const char *fault = tls_extensions_fault(block);
    if (fault != NULL) {
        return fault;
    }
    out->extensions = block;
    out->resumes = tls_extension_find(block, TLS_EXT_PRE_SHARED_KEY, &content);
    if (tls_extension_find(block, TLS_EXT_SUPPORTED_VERSIONS, &content)) {
        struct reader reader = reader_of(content);
        out->selected = reader_u16(&reader);
        if (!reader_done(&reader) || out->selected == 0) {
            return "supported_versions: its length does not fit";
        }
    }
    return NULL;
}

const char *tls_read_server_hello(struct span body, struct tls_server_hello *out)
{
    *out = (struct tls_server_hello){0};
    struct reader reader = reader_of(body);
    out->version = reader_u16(&reader);
    out->random = tls_take(&reader, TLS_RANDOM_LEN);
    struct span session = tls_vector(&reader, 1, 0);
    out->suite = reader_u16(&reader);
    uint8_t compression = reader_u8(&reader);
    if (reader.failed || session.len > SESSION_ID_MAX) {
        return no_fit;
    }
    if (compression != 0) {
        return "it chooses compression";
    }
    out->retry = span_equal(out->random, span_of(retry_random, sizeof retry_random));
    if (reader_done(&reader)) {
        return NULL;
    }
    struct span block = tls_vector(&reader, 2, 0);
    return reader_done(&reader) ? read_server_extensions(block, out) : no_fit;
}

const char *tls_encrypted_extensions_fault(struct span body)
{
    struct reader reader = reader_of(body);
    struct span block = tls_vector(&reader, 2, 0);
    return reader_done(&reader) ? tls_extensions_fault(block) : no_fit;
}

/* SPDX-License-Identifier: Apache-2.0
 * TLS handshake messages, vectors, extensions. */
#include "model/tls_handshake.h"

const char *tls_message_name(uint8_t type)
{
    static const struct {
        enum tls_message_type type;
        const char *name;
    } rows[] = {
        {TLS_CLIENT_HELLO, "ClientHello"},
        {TLS_SERVER_HELLO, "ServerHello"},
        {TLS_ENCRYPTED_EXTENSIONS, "EncryptedExtensions"},
        {TLS_CERTIFICATE, "Certificate"},
        {TLS_SERVER_KEY_EXCHANGE, "ServerKeyExchange"},
        {TLS_CERTIFICATE_REQUEST, "CertificateRequest"},
        {TLS_SERVER_HELLO_DONE, "ServerHelloDone"},
        {TLS_CERTIFICATE_VERIFY, "CertificateVerify"},
        {TLS_CLIENT_KEY_EXCHANGE, "ClientKeyExchange"},
        {TLS_FINISHED, "Finished"},
        {TLS_CERTIFICATE_STATUS, "CertificateStatus"},
        {TLS_COMPRESSED_CERTIFICATE, "CompressedCertificate"},
        {TLS_MESSAGE_HASH, "message_hash"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].type == type) {
            return rows[i].name;
        }
    }
    return "another message";
}

struct span tls_take(struct reader *reader, size_t len)
{
    if (reader->failed || len > (size_t)(reader->end - reader->at)) {
        reader->failed = true;
        return (struct span){NULL, 0};
    }
    struct span taken = span_of(reader->at, len);
    reader->at += len;
    return taken;
}

struct span tls_vector(struct reader *reader, unsigned int width, size_t least)
{
    size_t len = 0;
    for (unsigned int i = 0; i < width; i++) {
        len = len << 8 | reader_u8(reader);
    }
    if (len < least) {
        reader->failed = true;
    }
    return tls_take(reader, len);
}

bool tls_message_next(struct reader *messages, struct tls_message *out)
{
    if (messages->failed || messages->at == messages->end) {
        return false;
    }
    out->type = reader_u8(messages);
    out->body = tls_vector(messages, 3, 0);
    return !messages->failed;
}

bool tls_list_has(struct span list, uint16_t number)
{
    for (size_t i = 0; i + 1 < list.len; i += 2) {
        if ((list.data[i] << 8 | list.data[i + 1]) == number) {
            return true;
        }
    }
    return false;
}

const char *tls_extensions_fault(struct span block)
{
    uint16_t seen[TLS_EXTENSIONS_MAX];
    size_t n = 0;
    struct reader reader = reader_of(block);
    while (!reader.failed && reader.at < reader.end) {
        uint16_t type = reader_u16(&reader);
        (void)tls_vector(&reader, 2, 0);
        if (reader.failed) {
            break;
        }
        if (n == TLS_EXTENSIONS_MAX) {
            return "more extensions than are taken";
        }
        for (size_t i = 0; i < n; i++) {
            if (seen[i] == type) {
                return "an extension comes twice";
            }
        }
        seen[n++] = type;
    }
    return reader.failed ? "an extension's length does not fit" : NULL;
}

bool tls_extension_find(struct span block, enum tls_extension_type type, struct span *out)
{
    struct reader reader = reader_of(block);
    while (!reader.failed && reader.at < reader.end) {
        uint16_t found = reader_u16(&reader);
        struct span content = tls_vector(&reader, 2, 0);
        if (!reader.failed && found == type) {
            *out = content;
            return true;
        }
    }
    return false;
}

const char *tls_read_schemes(struct span content, struct span *list)
{
    struct reader reader = reader_of(content);
    *list = tls_vector(&reader, 2, 2);
    if (!reader_done(&reader) || list->len % 2 != 0) {
        return "signature_algorithms: its length does not fit";
    }
    return NULL;
}

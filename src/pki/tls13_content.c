/* SPDX-License-Identifier: Apache-2.0
 * What TLS 1.3 signs in a CertificateVerify. */
#include "pki/tls13_content.h"

#include <string.h>

enum { PAD_LEN = 64, CONTEXT_LEN = 34, HEAD_LEN = PAD_LEN + CONTEXT_LEN };

/* Each with the zero byte behind it. */
static const char client_context[CONTEXT_LEN] = "TLS 1.3, client CertificateVerify";
static const char server_context[CONTEXT_LEN] = "TLS 1.3, server CertificateVerify";

size_t tls13_content_write(enum tls13_side side, struct span hash, uint8_t out[TLS_CONTENT_MAX])
{
    memset(out, ' ', PAD_LEN);
    memcpy(out + PAD_LEN, side == TLS13_CLIENT ? client_context : server_context, CONTEXT_LEN);
    memcpy(out + HEAD_LEN, hash.data, hash.len);
    return HEAD_LEN + hash.len;
}

static bool starts_as(struct span input, enum tls13_side side)
{
    static const uint8_t nothing[1];
    uint8_t head[TLS_CONTENT_MAX];
    size_t len = tls13_content_write(side, span_of(nothing, 0), head);
    return span_equal(span_part(input, 0, len), span_of(head, len));
}

const char *tls13_content_fault(struct span input)
{
    if (starts_as(input, TLS13_SERVER)) {
        return "a TLS 1.3 server's CertificateVerify: this key signs as a client alone";
    }
    if (!starts_as(input, TLS13_CLIENT)) {
        return "neither a TLS 1.3 client's CertificateVerify content nor a TLS 1.2 handshake";
    }
    if (input.len != HEAD_LEN + 32 && input.len != HEAD_LEN + 48) {
        return "a TLS 1.3 CertificateVerify content has 130 or 146 bytes";
    }
    return NULL;
}

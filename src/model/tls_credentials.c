/* SPDX-License-Identifier: Apache-2.0
 * Certificate, CertificateRequest, CertificateStatus, CertificateVerify. */
#include "model/tls_credentials.h"

#include "model/tls_handshake.h"

enum { STATUS_OCSP = 1 };

static const char no_fit[] = "a length does not fit";

/* One entry; *extensions only in TLS 1.3. */
static struct span take_entry(struct reader *chain, enum tls_version version,
                              struct span *extensions)
{
    struct span der = tls_vector(chain, 3, 1);
    *extensions = version == TLS_1_3 ? tls_vector(chain, 2, 0) : span_of(NULL, 0);
    return der;
}

bool tls_chain_next(struct reader *chain, enum tls_version version, struct span *der)
{
    struct span extensions;
    if (chain->failed || chain->at == chain->end) {
        return false;
    }
    *der = take_entry(chain, version, &extensions);
    return !chain->failed;
}

static const char *read_chain(enum tls_version version, struct tls_certificate *out)
{
    struct reader chain = reader_of(out->chain);
    for (size_t n = 0; chain.at < chain.end; n++) {
        struct span extensions;
        struct span der = take_entry(&chain, version, &extensions);
        if (chain.failed) {
            return no_fit;
        }
        if (n == TLS_CHAIN_MAX) {
            return "more certificates than are taken";
        }
        const char *fault = tls_extensions_fault(extensions);
        if (fault != NULL) {
            return fault;
        }
        if (n == 0) {
            out->first = der;
        }
    }
    return NULL;
}

const char *tls_read_certificate(struct span body, enum tls_version version,
                                 struct tls_certificate *out)
{
    *out = (struct tls_certificate){0};
    struct reader reader = reader_of(body);
    if (version == TLS_1_3) {
        out->context = tls_vector(&reader, 1, 0);
    }
    out->chain = tls_vector(&reader, 3, 0);
    return reader_done(&reader) ? read_chain(version, out) : no_fit;
}

/* RFC 5246 §7.4.4. */
static const char *read_request_12(struct span body, struct tls_certificate_request *out)
{
    struct reader reader = reader_of(body);
    (void)tls_vector(&reader, 1, 1);
    out->schemes = tls_vector(&reader, 2, 2);
    struct span authorities = tls_vector(&reader, 2, 0);
    if (!reader_done(&reader) || out->schemes.len % 2 != 0) {
        return no_fit;
    }
    struct reader names = reader_of(authorities);
    while (!names.failed && names.at < names.end) {
        (void)tls_vector(&names, 2, 1);
    }
    return names.failed ? no_fit : NULL;
}

/* RFC 8446 §4.3.2: signature_algorithms must be there. */
static const char *read_request_13(struct span body, struct tls_certificate_request *out)
{
    struct reader reader = reader_of(body);
    out->context = tls_vector(&reader, 1, 0);
    struct span block = tls_vector(&reader, 2, 2);
    if (!reader_done(&reader)) {
        return no_fit;
    }
    struct span content;
    const char *fault = tls_extensions_fault(block);
    if (fault != NULL) {
        return fault;
    }
    if (!tls_extension_find(block, TLS_EXT_SIGNATURE_ALGORITHMS, &content)) {
        return "no signature_algorithms";
    }
    return tls_read_schemes(content, &out->schemes);
}

const char *tls_read_certificate_request(struct span body, enum tls_version version,
                                         struct tls_certificate_request *out)
{
    *out = (struct tls_certificate_request){0};
    return version == TLS_1_3 ? read_request_13(body, out) : read_request_12(body, out);
}

const char *tls_certificate_status_fault(struct span body)
{
    struct reader reader = reader_of(body);
    uint8_t type = reader_u8(&reader);
    (void)tls_vector(&reader, 3, 1);
    if (!reader_done(&reader)) {
        return no_fit;
    }
    return type == STATUS_OCSP ? NULL : "not an OCSP response";
}

void tls_take_signed(struct reader *reader, struct tls_signed *out)
{
    out->scheme = reader_u16(reader);
    out->signature = tls_vector(reader, 2, 1);
}

const char *tls_read_certificate_verify(struct span body, struct tls_signed *out)
{
    struct reader reader = reader_of(body);
    tls_take_signed(&reader, out);
    return reader_done(&reader) ? NULL : no_fit;
}

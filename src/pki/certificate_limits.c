/* SPDX-License-Identifier: Apache-2.0
 * What a stranger's certificates must be like before libcrypto reads them. */
#include "pki/certificate_limits.h"

#include "base/der.h"

enum {
    BOOLEAN = 0x01,
    ISSUER_ID = 0x81,
    SUBJECT_ID = 0x82,
    EXTENSIONS = 0xA3,
    PERMITTED = 0xA0,
    EXCLUDED = 0xA1,
};

static const char no_der[] = "its certificates are not DER";

/* id-ce of RFC 5280 §4.2.1. */
static const uint8_t alt_name[] = {0x55, 0x1D, 0x11};
static const uint8_t constraints[] = {0x55, 0x1D, 0x1E};
static const uint8_t points[] = {0x55, 0x1D, 0x1F};

static void skip_if_next(struct reader *reader, uint8_t tag)
{
    if (der_is_next(reader, tag)) {
        (void)der_take(reader, tag);
    }
}

/* How many elements there are; what does not fit fails `outer`. */
static size_t count(struct span elements, struct reader *outer)
{
    struct reader reader = reader_of(elements);
    size_t n = 0;
    while (!reader.failed && reader.at < reader.end) {
        (void)der_take(&reader, *reader.at);
        n++;
    }
    outer->failed = outer->failed || reader.failed;
    return n;
}

/* NameConstraints: up to two lists of subtrees. */
static size_t count_subtrees(struct span lists, struct reader *outer)
{
    struct reader reader = reader_of(lists);
    size_t n = 0;
    if (der_is_next(&reader, PERMITTED)) {
        n += count(der_take(&reader, PERMITTED), outer);
    }
    if (der_is_next(&reader, EXCLUDED)) {
        n += count(der_take(&reader, EXCLUDED), outer);
    }
    outer->failed = outer->failed || !reader_done(&reader);
    return n;
}

static void take_extension(struct reader *reader, struct certificate_tally *chain)
{
    struct reader extension = reader_of(der_take(reader, DER_SEQUENCE));
    struct span id = der_take(&extension, DER_OID);
    skip_if_next(&extension, BOOLEAN);
    struct reader value = reader_of(der_take(&extension, DER_OCTET_STRING));
    reader->failed = reader->failed || !reader_done(&extension);
    bool is_alt_name = span_equal(id, span_of(alt_name, sizeof alt_name));
    bool is_constraints = span_equal(id, span_of(constraints, sizeof constraints));
    bool is_points = span_equal(id, span_of(points, sizeof points));
    if (reader->failed || !(is_alt_name || is_constraints || is_points)) {
        return;
    }
    struct span list = der_take(&value, DER_SEQUENCE);
    reader->failed = !reader_done(&value);
    chain->alt_names += is_alt_name ? count(list, reader) : 0;
    chain->points += is_points ? count(list, reader) : 0;
    chain->subtrees += is_constraints ? count_subtrees(list, reader) : 0;
}

static const char *take_extensions(struct reader *tbs, struct certificate_tally *chain)
{
    if (!der_is_next(tbs, EXTENSIONS)) {
        return reader_done(tbs) ? NULL : no_der;
    }
    struct reader outer = reader_of(der_take(tbs, EXTENSIONS));
    struct reader list = reader_of(der_take(&outer, DER_SEQUENCE));
    size_t n = 0;
    if (!reader_done(tbs) || !reader_done(&outer)) {
        return no_der;
    }
    for (; !list.failed && list.at < list.end && n <= CERTIFICATE_EXTENSIONS_MAX; n++) {
        take_extension(&list, chain);
    }
    return list.failed                      ? no_der
           : n > CERTIFICATE_EXTENSIONS_MAX ? "a certificate has over 64 extensions"
                                            : NULL;
}

static const char *tbs_fault(struct span bytes, struct certificate_tally *chain)
{
    struct reader tbs = reader_of(bytes);
    skip_if_next(&tbs, DER_CONTEXT_0);
    (void)der_take(&tbs, DER_INTEGER);
    (void)der_take(&tbs, DER_SEQUENCE); /* signature */
    struct span issuer = der_take(&tbs, DER_SEQUENCE);
    (void)der_take(&tbs, DER_SEQUENCE); /* validity */
    struct span subject = der_take(&tbs, DER_SEQUENCE);
    (void)der_take(&tbs, DER_SEQUENCE); /* subjectPublicKeyInfo */
    skip_if_next(&tbs, ISSUER_ID);
    skip_if_next(&tbs, SUBJECT_ID);
    if (tbs.failed) {
        return no_der;
    }
    if (issuer.len > CERTIFICATE_NAME_LEN_MAX || subject.len > CERTIFICATE_NAME_LEN_MAX) {
        return "a certificate's issuer or subject is longer than 1 KB";
    }
    return take_extensions(&tbs, chain);
}

static const char *tally_fault(const struct certificate_tally *chain)
{
    if (chain->points > CERTIFICATE_POINTS_MAX) {
        return "its certificates have over 32 CRL distribution points";
    }
    if (chain->alt_names > CERTIFICATE_ALT_NAMES_MAX) {
        return "its certificates have over 256 names";
    }
    return chain->subtrees > CERTIFICATE_SUBTREES_MAX
               ? "its certificates have over 512 name constraints"
               : NULL;
}

const char *certificate_limits_fault(struct certificate_tally *chain, struct span der)
{
    if (der.len > CERTIFICATE_LEN_MAX) {
        return "a certificate is longer than 16 KB";
    }
    chain->len += der.len;
    if (chain->len > CERTIFICATE_CHAIN_LEN_MAX) {
        return "its certificates are longer than 64 KB";
    }
    struct reader outer = reader_of(der);
    struct reader reader = reader_of(der_take(&outer, DER_SEQUENCE));
    struct span tbs = der_take(&reader, DER_SEQUENCE);
    (void)der_take(&reader, DER_SEQUENCE);
    (void)der_take(&reader, DER_BIT_STRING);
    if (!reader_done(&outer) || !reader_done(&reader)) {
        return no_der;
    }
    const char *fault = tbs_fault(tbs, chain);
    return fault == NULL ? tally_fault(chain) : fault;
}

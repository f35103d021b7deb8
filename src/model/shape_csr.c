/* SPDX-License-Identifier: Apache-2.0
 * A strict walk over a CertificationRequestInfo. A certificate's or a revocation list's inside, the
 * nearest relatives of these bytes, fail at the second element, which is no Name there. */
#include "model/shape_csr.h"

enum {
    TAG_BOOLEAN = 0x01,
    TAG_INTEGER = 0x02,
    TAG_OCTET_STRING = 0x04,
    TAG_OID = 0x06,
    TAG_SEQUENCE = 0x30,
    TAG_SET = 0x31,
    TAG_ATTRIBUTES = 0xa0,
    LONG_FORM = 0x80,
};

/* Takes the first element off `bytes`; false unless it has this tag and a definite, minimal length
 * that is all there (X.690 §10.1). */
static bool take(struct span *bytes, uint8_t tag, struct span *content)
{
    if (bytes->len < 2 || bytes->data[0] != tag) {
        return false;
    }
    size_t head = 2;
    size_t len = bytes->data[1];
    if (len >= LONG_FORM) {
        size_t n = len - LONG_FORM;
        head += n;
        if (n == 0 || n > 2 || bytes->len < head || bytes->data[2] == 0) {
            return false;
        }
        len = n == 1 ? bytes->data[2] : (size_t)bytes->data[2] << 8 | bytes->data[3];
        if (len < LONG_FORM) {
            return false;
        }
    }
    if (len > bytes->len - head) {
        return false;
    }
    *content = span_part(*bytes, head, len);
    *bytes = span_part(*bytes, head + len, bytes->len);
    return true;
}

/* AttributeTypeAndValue: an OID and one value of any type. */
static bool is_type_and_value(struct span content)
{
    struct span oid;
    struct span value;
    return take(&content, TAG_OID, &oid) && oid.len > 0 && content.len > 0 &&
           take(&content, content.data[0], &value) && content.len == 0;
}

/* RDNSequence: SEQUENCE OF SET OF AttributeTypeAndValue, possibly empty. */
static bool is_name(struct span name)
{
    while (name.len > 0) {
        struct span set;
        if (!take(&name, TAG_SET, &set) || set.len == 0) {
            return false;
        }
        while (set.len > 0) {
            struct span pair;
            if (!take(&set, TAG_SEQUENCE, &pair) || !is_type_and_value(pair)) {
                return false;
            }
        }
    }
    return true;
}

/* What a request may ask for: never to be a certificate authority (basicConstraints). */
static const struct {
    uint8_t len;
    uint8_t oid[8];
} extensions[] = {
    {3, {0x55, 0x1d, 0x0e}},                               /* subjectKeyIdentifier */
    {3, {0x55, 0x1d, 0x0f}},                               /* keyUsage */
    {3, {0x55, 0x1d, 0x11}},                               /* subjectAltName */
    {3, {0x55, 0x1d, 0x25}},                               /* extKeyUsage */
    {8, {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x03}}, /* qcStatements */
};

static const uint8_t extension_request[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};

/* 1U << its row; 0 when it is in none. */
static unsigned int bit_of(struct span oid)
{
    for (unsigned int i = 0; i < COUNT_OF(extensions); i++) {
        if (span_equal(oid, span_of(extensions[i].oid, extensions[i].len))) {
            return 1U << i;
        }
    }
    return 0;
}

/* Extension: an OID, BOOLEAN TRUE or nothing, OCTET STRING. */
static const char *extension_fault(struct span content, unsigned int *seen)
{
    struct span oid;
    struct span value;
    if (!take(&content, TAG_OID, &oid)) {
        return "an extension is not DER";
    }
    unsigned int bit = bit_of(oid);
    if (bit == 0 || (*seen & bit) != 0) {
        return "an extension that no profile asks for, or one twice";
    }
    *seen |= bit;
    if (content.len > 0 && content.data[0] == TAG_BOOLEAN &&
        (!take(&content, TAG_BOOLEAN, &value) || value.len != 1 || value.data[0] != 0xff)) {
        return "an extension is not DER";
    }
    return take(&content, TAG_OCTET_STRING, &value) && value.len > 0 && content.len == 0
               ? NULL
               : "an extension is not DER";
}

/* None, or one extensionRequest (RFC 2985 §5.4.2) of one list. */
static const char *attributes_fault(struct span attributes)
{
    struct span attribute;
    struct span oid;
    struct span set;
    struct span list;
    unsigned int seen = 0;
    const char *fault = NULL;
    if (attributes.len == 0) {
        return NULL;
    }
    if (!take(&attributes, TAG_SEQUENCE, &attribute) || attributes.len > 0 ||
        !take(&attribute, TAG_OID, &oid) ||
        !span_equal(oid, span_of(extension_request, sizeof extension_request))) {
        return "an attribute besides one extensionRequest";
    }
    if (!take(&attribute, TAG_SET, &set) || attribute.len > 0 || !take(&set, TAG_SEQUENCE, &list) ||
        set.len > 0 || list.len == 0) {
        return "extensionRequest is not one list of extensions";
    }
    while (fault == NULL && list.len > 0) {
        struct span extension;
        fault = take(&list, TAG_SEQUENCE, &extension) ? extension_fault(extension, &seen)
                                                      : "an extension is not DER";
    }
    return fault;
}

/* AlgorithmIdentifier and BIT STRING are not looked into: the bytes are compared with the key's own
 * as a whole. */
static bool take_spki(struct span *bytes, struct span *spki)
{
    struct span before = *bytes;
    struct span content;
    if (!take(bytes, TAG_SEQUENCE, &content) || content.len == 0) {
        return false;
    }
    *spki = span_part(before, 0, before.len - bytes->len);
    return true;
}

enum outcome shape_csr_check(struct span input, struct span *spki, struct reason *why)
{
    struct span rest = input;
    struct span info;
    struct span part;
    if (!take(&rest, TAG_SEQUENCE, &info) || rest.len > 0) {
        return refuse(why, OUTCOME_SHAPE,
                      "certificate request: not one SEQUENCE in DER to the last byte");
    }
    if (!take(&info, TAG_INTEGER, &part) || part.len != 1 || part.data[0] != 0) {
        return refuse(why, OUTCOME_SHAPE, "certificate request: its version is not 0");
    }
    if (!take(&info, TAG_SEQUENCE, &part) || !is_name(part)) {
        return refuse(why, OUTCOME_SHAPE, "certificate request: no Name behind the version");
    }
    if (!take_spki(&info, spki)) {
        return refuse(why, OUTCOME_SHAPE, "certificate request: no SubjectPublicKeyInfo");
    }
    if (!take(&info, TAG_ATTRIBUTES, &part) || info.len > 0) {
        return refuse(why, OUTCOME_SHAPE,
                      "certificate request: not exactly [0] attributes behind the public key");
    }
    const char *fault = attributes_fault(part);
    return fault == NULL ? OUTCOME_OK
                         : refuse(why, OUTCOME_SHAPE, "certificate request: %s", fault);
}

/* SPDX-License-Identifier: Apache-2.0
 * A strict walk over a CertificationRequestInfo. A certificate's or a revocation list's inside, the
 * nearest relatives of these bytes, fail at the second element, which is no Name there. */
#include "model/shape_csr.h"

enum {
    TAG_INTEGER = 0x02,
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

/* Each an OID and a SET of values. */
static bool are_attributes(struct span attributes)
{
    while (attributes.len > 0) {
        struct span attribute;
        struct span oid;
        struct span values;
        if (!take(&attributes, TAG_SEQUENCE, &attribute) || !take(&attribute, TAG_OID, &oid) ||
            oid.len == 0 || !take(&attribute, TAG_SET, &values) || attribute.len > 0) {
            return false;
        }
    }
    return true;
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
    if (!take(&info, TAG_ATTRIBUTES, &part) || !are_attributes(part) || info.len > 0) {
        return refuse(why, OUTCOME_SHAPE,
                      "certificate request: not exactly [0] attributes behind the public key");
    }
    return OUTCOME_OK;
}

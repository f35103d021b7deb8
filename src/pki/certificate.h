/* SPDX-License-Identifier: Apache-2.0
 * Certificates (RFC 5280) that a custodian brings for a key. */
#ifndef QSEAL_PKI_CERTIFICATE_H
#define QSEAL_PKI_CERTIFICATE_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/span.h"
#include "model/outcome.h"
#include "model/purpose.h"

#include <stdint.h>

enum {
    CERTIFICATE_NAME_SIZE = 512,
    CERTIFICATE_SERIAL_SIZE = 48,
    CERTIFICATES_MAX = 16,             /* in one chain */
    CERTIFICATES_TEXT_MAX = 64 * 1024, /* bytes of a chain's PEM */
};

/* What people want to see of one. */
struct certificate_facts {
    char subject[CERTIFICATE_NAME_SIZE]; /* RFC 4514, in ASCII; cut when it is longer */
    char issuer[CERTIFICATE_NAME_SIZE];
    char serial[CERTIFICATE_SERIAL_SIZE]; /* hexadecimal */
    int64_t not_before;                   /* wall seconds */
    int64_t not_after;
};

/* The key that the first certificate must be for. */
struct certificate_owner {
    enum purpose purpose;
    struct span spki; /* DER SubjectPublicKeyInfo */
};

/* Reads a chain: PEM with whatever stands between the blocks, the key's own certificate first and
 * each signed by the next. Writes it to `pem` as base/pem.h spells it, and *facts of the first.
 * OUTCOME_RULE with the reason when there is anything but certificates in the text, one is not
 * valid at `now` (wall seconds), the order is another, or the first is not for this key: the same
 * SubjectPublicKeyInfo (a transport key's may also say id-RSASSA-PSS over the same RSA key, RFC
 * 4055 §1.2), and usages that allow signing, for TLS clients where it is a transport key. Whether
 * anybody trusts the last one is not asked. */
enum outcome certificate_chain_read(struct span text, const struct certificate_owner *key,
                                    int64_t now, struct buffer *pem,
                                    struct certificate_facts *facts, struct reason *why) MUST_USE;

/* Of the first certificate in a text that certificate_chain_read() wrote; false when there is none.
 */
bool certificate_facts(struct span pem, struct certificate_facts *facts) MUST_USE;
/* Appends the DER SubjectPublicKeyInfo of the first certificate in such a text. */
bool certificate_put_spki(struct span pem, struct buffer *spki) MUST_USE;

#endif

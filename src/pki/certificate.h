/* SPDX-License-Identifier: Apache-2.0
 * Certificates (RFC 5280) that a custodian brings for a key. */
#ifndef QSEAL_PKI_CERTIFICATE_H
#define QSEAL_PKI_CERTIFICATE_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/span.h"
#include "model/outcome.h"
#include "model/purpose.h"
#include "pki/psd2.h"

#include <stdint.h>

enum {
    CERTIFICATE_NAME_SIZE = 512,
    CERTIFICATE_SERIAL_SIZE = 48,
    CERTIFICATES_MAX = 16,             /* in one chain */
    CERTIFICATES_TEXT_MAX = 64 * 1024, /* bytes of a chain's PEM */
    CERTIFICATE_EXPIRES_SOON_DAYS = 30,
};

/* What does not speak against a certificate, and somebody should look at. */
enum certificate_warning {
    CERTIFICATE_REORDERED,
    CERTIFICATE_ROOT_DROPPED,
    CERTIFICATE_EXPIRES_SOON,
    CERTIFICATE_NO_QC_STATEMENTS,
    CERTIFICATE_QC_CRITICAL,
    CERTIFICATE_NO_QC_TYPE,
    CERTIFICATE_FOR_A_PERSON,
    CERTIFICATE_NOT_COMPLIANT,
    CERTIFICATE_NO_PSD2,
    CERTIFICATE_ROLES_FLATTENED,
    CERTIFICATE_ROLE_DISAGREES,
    CERTIFICATE_ROLE_UNKNOWN,
    CERTIFICATE_NCA_FORM,
    CERTIFICATE_NCA_DISAGREES,
    CERTIFICATE_ORGANIZATION_FORM,
    CERTIFICATE_FOR_TLS,
};
enum { CERTIFICATE_WARNINGS = CERTIFICATE_FOR_TLS + 1 };

/* What people want to see of one. */
struct certificate_facts {
    char subject[CERTIFICATE_NAME_SIZE]; /* RFC 4514, in ASCII; cut when it is longer */
    char issuer[CERTIFICATE_NAME_SIZE];
    char serial[CERTIFICATE_SERIAL_SIZE]; /* hexadecimal */
    int64_t not_before;                   /* wall seconds */
    int64_t not_after;
    /* organizationIdentifier as it stands there, UTF-8, "" when there is none; and taken apart, all
     * "" when it has another form. */
    char organization_identifier[ORGANIZATION_ID_SIZE];
    struct organization_id organization;
    bool has_qc_statements;
    struct qc_statements qc;
    const char *qc_fault;  /* why they cannot be read, or NULL */
    unsigned int warnings; /* set of 1U << enum certificate_warning */
};

/* The key that the first certificate must be for. */
struct certificate_owner {
    enum purpose purpose;
    struct span spki; /* DER SubjectPublicKeyInfo */
};

/* A sentence without a full stop. */
const char *certificate_warning_text(enum certificate_warning warning);

/* Reads a chain: PEM with whatever stands between the blocks, in any order. The key's own is the
 * one with its SubjectPublicKeyInfo (a transport key's may also say id-RSASSA-PSS over the same RSA
 * key, RFC 4055 §1.2); the others follow, each the issuer of the one before. Writes it to `pem` as
 * base/pem.h spells it, without a self-signed root above the key's own, and *facts of the key's
 * own. OUTCOME_RULE with the reason when there is anything but certificates in the text, none or
 * more than one is for this key, one does not belong to the chain, is weak, or says what nobody may
 * ignore, the key's own is a CA's or an issuer's is not, one is not valid at `now` (wall seconds),
 * or the key's own does not allow what the key is for: signatures and no QcType web for a
 * seal key, digitalSignature, clientAuth and no QcType eseal for a transport key. Certificates are
 * counted as they stand in the text. Whether anybody trusts the last one is not asked. */
enum outcome certificate_chain_read(struct span text, const struct certificate_owner *key,
                                    int64_t now, struct buffer *pem,
                                    struct certificate_facts *facts, struct reason *why) MUST_USE;

/* Which of these keys the text has a certificate for: *index is the first of them, `n` when there
 * is none. Reads the text as certificate_chain_read() and judges nothing else. */
enum outcome certificate_chain_whose(struct span text, const struct certificate_owner *keys,
                                     size_t n, size_t *index, struct reason *why) MUST_USE;

/* Of the first certificate in a text that certificate_chain_read() wrote; false when there is none.
 * Warnings about the chain, the clock and the key's purpose are not among them. */
bool certificate_facts(struct span pem, struct certificate_facts *facts) MUST_USE;
/* Only between which wall seconds it is valid, both included. */
bool certificate_validity(struct span pem, int64_t *not_before, int64_t *not_after) MUST_USE;
/* Appends the DER SubjectPublicKeyInfo of the first certificate in such a text. */
bool certificate_put_spki(struct span pem, struct buffer *spki) MUST_USE;

#endif

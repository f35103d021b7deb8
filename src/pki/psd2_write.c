/* SPDX-License-Identifier: Apache-2.0
 * Writing qcStatements for a certificate request. */
#include "pki/psd2.h"

#include "base/der.h"

static void put_wrapped(struct buffer *out, const struct buffer *content)
{
    out->failed |= !buffer_ok(content);
    der_put(out, DER_SEQUENCE, buffer_span(content));
}

static void put_type(struct buffer *out, enum qc_type type)
{
    const uint8_t statement[] = {0x06, 0x06, 0x04, 0x00, 0x8e, 0x46, 0x01, 0x06, 0x30,         0x09,
                                 0x06, 0x07, 0x04, 0x00, 0x8e, 0x46, 0x01, 0x06, (uint8_t)type};
    der_put(out, DER_SEQUENCE, span_of(statement, sizeof statement));
}

static void put_role(struct buffer *out, enum psd2_role role)
{
    BUFFER_CLEANUP struct buffer inside = BUFFER_INIT(QC_STATEMENTS_MAX);
    const uint8_t oid[] = {0x04, 0x00, 0x81, 0x98, 0x27, 0x01, (uint8_t)(role + 1)};
    der_put(&inside, DER_OID, span_of(oid, sizeof oid));
    der_put(&inside, DER_UTF8_STRING, span_of_text(psd2_role_name(role)));
    put_wrapped(out, &inside);
}

static void put_psd2(struct buffer *out, const struct qc_statements *statements)
{
    static const uint8_t oid[] = {0x04, 0x00, 0x81, 0x98, 0x27, 0x02};
    BUFFER_CLEANUP struct buffer roles = BUFFER_INIT(QC_STATEMENTS_MAX);
    BUFFER_CLEANUP struct buffer info = BUFFER_INIT(QC_STATEMENTS_MAX);
    BUFFER_CLEANUP struct buffer statement = BUFFER_INIT(QC_STATEMENTS_MAX);
    for (unsigned int role = 0; role < PSD2_ROLES; role++) {
        if ((statements->roles & 1U << role) != 0) {
            put_role(&roles, (enum psd2_role)role);
        }
    }
    put_wrapped(&info, &roles);
    der_put(&info, DER_UTF8_STRING, span_of_text(statements->nca_name));
    der_put(&info, DER_UTF8_STRING, span_of_text(statements->nca_id));
    der_put(&statement, DER_OID, span_of(oid, sizeof oid));
    put_wrapped(&statement, &info);
    put_wrapped(out, &statement);
}

void qc_statements_put(struct buffer *out, const struct qc_statements *statements)
{
    BUFFER_CLEANUP struct buffer list = BUFFER_INIT(QC_STATEMENTS_MAX);
    if (statements->type != QC_TYPE_NONE) {
        put_type(&list, statements->type);
    }
    if (statements->has_psd2) {
        put_psd2(&list, statements);
    }
    put_wrapped(out, &list);
}

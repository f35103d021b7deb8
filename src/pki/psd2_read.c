/* SPDX-License-Identifier: Apache-2.0
 * Reading qcStatements. */
#include "pki/psd2.h"

#include "base/der.h"

#include <string.h>

/* Statements with their last number cut off: 0.4.0.1862.1 and 0.4.0.19495. */
static const uint8_t etsi_qcs[] = {0x04, 0x00, 0x8e, 0x46, 0x01};
static const uint8_t psd2_arc[] = {0x04, 0x00, 0x81, 0x98, 0x27};

enum { QC_COMPLIANCE = 1, QC_SSCD = 4, QC_PDS = 5, QC_TYPE = 6, PSD2_ROLE_ARC = 1, PSD2_QC = 2 };

/* The one number behind the arc; 0 when the OID is not right below it. */
static unsigned int number_below(struct span oid, const uint8_t *arc, size_t len)
{
    bool below = oid.len == len + 1 && memcmp(oid.data, arc, len) == 0;
    return below ? oid.data[len] : 0;
}

static const char *read_type(struct span info, struct qc_statements *out)
{
    struct reader outer = reader_of(info);
    struct reader list = reader_of(der_take(&outer, DER_SEQUENCE));
    struct span oid = der_take(&list, DER_OID);
    if (!list.failed && list.at < list.end) {
        return "QcType names more than one type";
    }
    uint8_t arc[sizeof etsi_qcs + 1];
    memcpy(arc, etsi_qcs, sizeof etsi_qcs);
    arc[sizeof etsi_qcs] = QC_TYPE;
    unsigned int type = number_below(oid, arc, sizeof arc);
    if (!reader_done(&list) || !reader_done(&outer)) {
        return "QcType is not DER";
    }
    if (type < QC_TYPE_ESIGN || type > QC_TYPE_WEB) {
        return "QcType is none of esign, eseal and web";
    }
    if (out->type != QC_TYPE_NONE) {
        return "QcType stands there twice";
    }
    out->type = (enum qc_type)type;
    return NULL;
}

/* SEQUENCE OF SEQUENCE { url IA5String, language PrintableString }. */
static const char *read_pds(struct span info, struct qc_statements *out)
{
    struct reader outer = reader_of(info);
    struct reader list = reader_of(der_take(&outer, DER_SEQUENCE));
    struct reader one = reader_of(der_take(&list, DER_SEQUENCE));
    struct span url = der_take(&one, DER_IA5_STRING);
    if (one.failed || list.failed || !reader_done(&outer)) {
        return "QcPDS is not DER";
    }
    if (!span_is_visible(url)) {
        return "QcPDS has a URL with other characters than a URL's";
    }
    if (url.len < sizeof out->pds) {
        memcpy(out->pds, url.data, url.len);
        out->pds[url.len] = '\0';
    }
    return NULL;
}

static void note_role(struct span oid, struct span name, struct qc_statements *out)
{
    uint8_t arc[sizeof psd2_arc + 1];
    memcpy(arc, psd2_arc, sizeof psd2_arc);
    arc[sizeof psd2_arc] = PSD2_ROLE_ARC;
    unsigned int number = number_below(oid, arc, sizeof arc);
    enum psd2_role named;
    if (number == 0 || number > PSD2_ROLES) {
        out->role_unknown = true;
        return;
    }
    out->roles |= 1U << (number - 1);
    out->role_disagrees |= !psd2_role_from_name(name, &named) || named != number - 1;
}

/* One RoleOfPSP, or, in certificates made after a widely copied example, all roles in one. */
static bool read_role(struct span role, struct qc_statements *out)
{
    struct reader reader = reader_of(role);
    size_t n = 0;
    do {
        struct span oid = der_take(&reader, DER_OID);
        struct span name = der_take(&reader, DER_UTF8_STRING);
        if (!reader.failed) {
            note_role(oid, name, out);
        }
        n++;
    } while (!reader.failed && reader.at < reader.end);
    out->roles_flattened |= n > 1;
    return reader_done(&reader);
}

static const char *read_psd2(struct span info, struct qc_statements *out)
{
    struct reader outer = reader_of(info);
    struct reader psd2 = reader_of(der_take(&outer, DER_SEQUENCE));
    struct reader roles = reader_of(der_take(&psd2, DER_SEQUENCE));
    struct span name = der_take(&psd2, DER_UTF8_STRING);
    struct span id = der_take(&psd2, DER_UTF8_STRING);
    if (!reader_done(&outer) || !reader_done(&psd2)) {
        return "the PSD2 statement is not DER of roles, nCAName and nCAId";
    }
    if (out->has_psd2) {
        return "the PSD2 statement stands there twice";
    }
    while (roles.at < roles.end) {
        if (!read_role(der_take(&roles, DER_SEQUENCE), out) || roles.failed) {
            return "rolesOfPSP is not DER of roles";
        }
    }
    if (psd2_name_fault(name) != NULL || psd2_name_fault(id) != NULL) {
        return "nCAName or nCAId is not 1 to 256 characters of plain UTF-8";
    }
    out->has_psd2 = true;
    memcpy(out->nca_name, name.data, name.len);
    memcpy(out->nca_id, id.data, id.len);
    return out->roles == 0 && !out->role_unknown ? "rolesOfPSP is empty" : NULL;
}

static const char *read_statement(struct span statement, struct qc_statements *out)
{
    struct reader reader = reader_of(statement);
    struct span oid = der_take(&reader, DER_OID);
    struct span info =
        reader.failed ? span_of(NULL, 0) : span_of(reader.at, (size_t)(reader.end - reader.at));
    der_skip_all(&reader);
    if (!reader_done(&reader)) {
        return "a statement is not DER";
    }
    if (number_below(oid, psd2_arc, sizeof psd2_arc) == PSD2_QC) {
        return read_psd2(info, out);
    }
    switch (number_below(oid, etsi_qcs, sizeof etsi_qcs)) {
    case QC_COMPLIANCE:
        out->has_compliance = true;
        return NULL;
    case QC_SSCD:
        out->has_sscd = true;
        return NULL;
    case QC_PDS:
        return read_pds(info, out);
    case QC_TYPE:
        return read_type(info, out);
    default:
        return NULL;
    }
}

const char *qc_statements_read(struct span der, struct qc_statements *out)
{
    const char *fault = NULL;
    *out = (struct qc_statements){0};
    struct reader outer = reader_of(der);
    struct reader list = reader_of(der_take(&outer, DER_SEQUENCE));
    if (!reader_done(&outer)) {
        return "not one SEQUENCE in DER";
    }
    while (fault == NULL && list.at < list.end) {
        struct span statement = der_take(&list, DER_SEQUENCE);
        fault = list.failed ? "a statement is not DER" : read_statement(statement, out);
    }
    return fault;
}

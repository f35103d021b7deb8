/* SPDX-License-Identifier: Apache-2.0
 * What makes a certificate one of a payment service provider: the qcStatements extension (RFC 3739
 * §3.2.6, EN 319 412-5 §4) with the PSD2 statement (TS 119 495 §5.1, Annex A), and the
 * organizationIdentifier in its subject (EN 319 412-1 §5.1.4). */
#ifndef QSEAL_PKI_PSD2_H
#define QSEAL_PKI_PSD2_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/span.h"

#include <stdbool.h>

/* In the order of their OIDs, 0.4.0.19495.1.1 and on. */
enum psd2_role { PSD2_AS, PSD2_PI, PSD2_AI, PSD2_IC };

enum {
    PSD2_ROLES = PSD2_IC + 1,
    PSD2_NAME_MAX = 256, /* characters of nCAName and nCAId */
    PSD2_NAME_SIZE = 4 * PSD2_NAME_MAX + 1,
    QC_PDS_SIZE = 256,
    ORGANIZATION_ID_SIZE = 129,
    QC_STATEMENTS_MAX = 4096, /* bytes of DER that are written */
};

enum qc_type { QC_TYPE_NONE, QC_TYPE_ESIGN, QC_TYPE_ESEAL, QC_TYPE_WEB };

struct qc_statements {
    enum qc_type type;     /* NONE: there is no QcType statement */
    bool has_compliance;   /* QcCompliance: a qualified certificate */
    bool has_sscd;         /* QcSSCD: its key lives in a qualified device */
    char pds[QC_PDS_SIZE]; /* the first URL of QcPDS; "" when there is none, or it is longer */
    bool has_psd2;         /* the rest is the PSD2 statement */
    bool roles_flattened;  /* several roles in one RoleOfPSP: not what TS 119 495 says */
    bool role_disagrees;   /* a role's OID and name are of different roles */
    bool role_unknown;     /* an OID outside the closed list */
    unsigned int roles;    /* set of 1U << enum psd2_role, by OID */
    char nca_name[PSD2_NAME_SIZE]; /* UTF-8 without control characters, as nca_id is */
    char nca_id[PSD2_NAME_SIZE];
};

struct organization_id {
    char scheme[4];  /* PSD, VAT, NTR, LEI or OFB (Open Finance Brasil) */
    char country[3]; /* ISO 3166 */
    char nca[9];     /* the authority's letters for PSD, otherwise "" */
    char id[ORGANIZATION_ID_SIZE];
};

/* "PSP_AI" */
const char *psd2_role_name(enum psd2_role role);
bool psd2_role_from_name(struct span name, enum psd2_role *out) MUST_USE;
/* "eseal"; "" for NONE. */
const char *qc_type_name(enum qc_type type);

/* Each returns NULL when the text is good, else what is wrong with it. */
const char *psd2_name_fault(struct span text);
const char *psd2_nca_id_fault(struct span text); /* "CC-NCA" */
/* Takes the text apart; *out is empty when there is a fault. */
const char *organization_id_read(struct span text, struct organization_id *out);

/* The value of the extension. NULL, or what is wrong with it: more than one QcType, no DER, a
 * statement twice. Statements that are not listed above are passed over. Roles flattened into one
 * RoleOfPSP are read, and *out says so. */
const char *qc_statements_read(struct span der, struct qc_statements *out);
/* Appends the value of an extension with QcType and the PSD2 statement, roles each in a RoleOfPSP
 * of its own. What only the certificate's issuer may say is not written, whatever *statements
 * says. */
void qc_statements_put(struct buffer *out, const struct qc_statements *statements);

#endif

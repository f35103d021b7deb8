/* SPDX-License-Identifier: Apache-2.0
 * What people want to see of a certificate. */
#include "pki/certificate_parts.h"

#include <openssl/x509v3.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

bool certificate_seconds(const ASN1_TIME *time, int64_t *out)
{
    struct tm utc = {0};
    if (ASN1_TIME_to_tm(time, &utc) != 1) {
        return false;
    }
    *out = timegm(&utc);
    return true;
}

void certificate_put_name(const X509_NAME *name, char out[CERTIFICATE_NAME_SIZE])
{
    out[0] = '\0';
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
        int len = BIO_read(bio, out, CERTIFICATE_NAME_SIZE - 1);
        out[len < 0 ? 0 : len] = '\0';
    }
    BIO_free(bio);
}

static void put_organization(const X509_NAME *name, struct certificate_facts *facts)
{
    int at = X509_NAME_get_index_by_NID(name, NID_organizationIdentifier, -1);
    if (at < 0) {
        return;
    }
    unsigned char *text = NULL;
    int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    struct span whole = span_of(text, len < 0 ? 0 : (size_t)len);
    if (organization_id_read(whole, &facts->organization) != NULL) {
        facts->warnings |= 1U << CERTIFICATE_ORGANIZATION_FORM;
    }
    if (psd2_name_fault(whole) == NULL && whole.len < sizeof facts->organization_identifier) {
        memcpy(facts->organization_identifier, whole.data, whole.len);
    }
    OPENSSL_free(text);
}

static void put_statements(const X509_EXTENSIONS *extensions, struct certificate_facts *facts)
{
    int at = X509v3_get_ext_by_NID(extensions, NID_qcStatements, -1);
    if (at < 0) {
        facts->warnings |= 1U << CERTIFICATE_NO_QC_STATEMENTS;
        return;
    }
    X509_EXTENSION *extension = X509v3_get_ext(extensions, at);
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
    facts->has_qc_statements = true;
    facts->qc_fault = qc_statements_read(
        span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)), &facts->qc);
    if (X509_EXTENSION_get_critical(extension) != 0) {
        facts->warnings |= 1U << CERTIFICATE_QC_CRITICAL;
    }
    if (X509v3_get_ext_by_NID(extensions, NID_qcStatements, at) >= 0) {
        facts->qc_fault = "the extension stands there twice";
    }
}

static bool authority_agrees(const struct certificate_facts *facts)
{
    const struct organization_id *id = &facts->organization;
    char authority[sizeof id->country + sizeof id->nca];
    (void)snprintf(authority, sizeof authority, "%s-%s", id->country, id->nca);
    return strcmp(id->scheme, "PSD") != 0 || strcmp(authority, facts->qc.nca_id) == 0;
}

static void judge_statements(struct certificate_facts *facts)
{
    const struct qc_statements *qc = &facts->qc;
    bool is_psp = strcmp(facts->organization.scheme, "PSD") == 0;
    const bool rows[CERTIFICATE_WARNINGS] = {
        [CERTIFICATE_NO_QC_TYPE] = qc->type == QC_TYPE_NONE,
        [CERTIFICATE_FOR_A_PERSON] = qc->type == QC_TYPE_ESIGN,
        [CERTIFICATE_NOT_COMPLIANT] = !qc->has_compliance,
        [CERTIFICATE_NO_PSD2] = is_psp && !qc->has_psd2,
        [CERTIFICATE_ROLES_FLATTENED] = qc->roles_flattened,
        [CERTIFICATE_ROLE_DISAGREES] = qc->role_disagrees,
        [CERTIFICATE_ROLE_UNKNOWN] = qc->role_unknown,
        [CERTIFICATE_NCA_FORM] =
            qc->has_psd2 && psd2_nca_id_fault(span_of_text(qc->nca_id)) != NULL,
        [CERTIFICATE_NCA_DISAGREES] = qc->has_psd2 && !authority_agrees(facts),
    };
    for (unsigned int i = 0; i < CERTIFICATE_WARNINGS; i++) {
        facts->warnings |= rows[i] ? 1U << i : 0;
    }
}

bool certificate_state_facts(const struct certificate_pieces *pieces,
                             struct certificate_facts *facts)
{
    *facts = (struct certificate_facts){0};
    certificate_put_name(pieces->subject, facts->subject);
    certificate_put_name(pieces->issuer, facts->issuer);
    BIGNUM *number = ASN1_INTEGER_to_BN(pieces->serial, NULL);
    char *serial = number == NULL ? NULL : BN_bn2hex(number);
    (void)snprintf(facts->serial, sizeof facts->serial, "%s", serial == NULL ? "" : serial);
    OPENSSL_free(serial);
    BN_free(number);
    put_organization(pieces->subject, facts);
    put_statements(pieces->extensions, facts);
    if (facts->has_qc_statements && facts->qc_fault == NULL) {
        judge_statements(facts);
    }
    return certificate_seconds(pieces->not_before, &facts->not_before) &&
           certificate_seconds(pieces->not_after, &facts->not_after);
}

const char *certificate_warning_text(enum certificate_warning warning)
{
    static const char *const texts[] = {
        [CERTIFICATE_REORDERED] = "the certificates were put into order",
        [CERTIFICATE_ROOT_DROPPED] = "a self-signed root was left out: peers have their own",
        [CERTIFICATE_EXPIRES_SOON] = "it expires within 30 days",
        [CERTIFICATE_NO_QC_STATEMENTS] = "it has no qcStatements: it is not a qualified one",
        [CERTIFICATE_QC_CRITICAL] = "its qcStatements are critical: they should not be",
        [CERTIFICATE_NO_QC_TYPE] = "its qcStatements have no QcType",
        [CERTIFICATE_FOR_A_PERSON] = "its QcType is esign: it is for a natural person",
        [CERTIFICATE_NOT_COMPLIANT] = "its qcStatements have no QcCompliance: it is not a "
                                      "qualified one",
        [CERTIFICATE_NO_PSD2] = "its organizationIdentifier is a payment service provider's, and "
                                "it has no PSD2 statement",
        [CERTIFICATE_ROLES_FLATTENED] = "its PSD2 roles are flattened into one RoleOfPSP: banks "
                                        "may see the first only, or refuse it",
        [CERTIFICATE_ROLE_DISAGREES] = "the OID and the name of a PSD2 role disagree; the OID "
                                       "counts",
        [CERTIFICATE_ROLE_UNKNOWN] = "it has a PSD2 role that TS 119 495 does not know",
        [CERTIFICATE_NCA_FORM] = "its nCAId is not written like GB-FCA",
        [CERTIFICATE_NCA_DISAGREES] = "its organizationIdentifier and its nCAId name different "
                                      "authorities",
        [CERTIFICATE_ORGANIZATION_FORM] = "its organizationIdentifier has no form of EN 319 412-1",
        [CERTIFICATE_FOR_TLS] = "its extendedKeyUsage is that of a TLS certificate, and this "
                                "is no transport key",
    };
    return texts[warning];
}

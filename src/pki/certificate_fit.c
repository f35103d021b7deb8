/* SPDX-License-Identifier: Apache-2.0
 * Whether a certificate is good for its key: now, and for what the key is for. */
#include "pki/certificate_parts.h"

#include "base/utc.h"

#include <openssl/x509v3.h>

enum outcome certificate_check_validity(const struct link *link, int64_t now, struct reason *why)
{
    int64_t from = 0;
    int64_t to = 0;
    char text[UTC_SIZE];
    const X509 *certificate = link->certificate;
    size_t number = link->number;
    if (!certificate_seconds(X509_get0_notBefore(certificate), &from) ||
        !certificate_seconds(X509_get0_notAfter(certificate), &to)) {
        return refuse(why, OUTCOME_RULE, "certificate %zu has no time that can be read", number);
    }
    if (now < from) {
        return refuse(why, OUTCOME_RULE, "certificate %zu is not valid before %s", number,
                      utc_text(from, text));
    }
    if (now > to) {
        return refuse(why, OUTCOME_RULE, "certificate %zu expired at %s", number,
                      utc_text(to, text));
    }
    return OUTCOME_OK;
}

bool certificate_is_for_tls(X509 *certificate)
{
    /* All bits when there is no such extension. */
    uint32_t extended = X509_get_extended_key_usage(certificate);
    return extended != UINT32_MAX && (extended & (XKU_SSL_CLIENT | XKU_SSL_SERVER)) != 0;
}

static const char *usage_fault(X509 *certificate, enum purpose purpose)
{
    /* Both give all bits when there is no such extension. */
    uint32_t usage = X509_get_key_usage(certificate);
    uint32_t extended = X509_get_extended_key_usage(certificate);
    bool in_tls = purpose == PURPOSE_TRANSPORT;
    uint32_t signing = in_tls ? KU_DIGITAL_SIGNATURE : KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;
    if ((usage & signing) == 0) {
        return in_tls ? "its keyUsage does not allow signatures in TLS: no digitalSignature"
                      : "its keyUsage does not allow signatures: neither digitalSignature nor "
                        "nonRepudiation";
    }
    if (in_tls && (extended & (XKU_SSL_CLIENT | XKU_ANYEKU)) == 0) {
        return "its extendedKeyUsage does not hold clientAuth, so that no server will take it";
    }
    return NULL;
}

static const char *type_fault(enum qc_type type, enum purpose purpose)
{
    if (purpose == PURPOSE_SEAL && type == QC_TYPE_WEB) {
        return "its QcType is web, and this key seals: a QWAC belongs to a transport key";
    }
    if (purpose == PURPOSE_AUDIT && type == QC_TYPE_WEB) {
        return "its QcType is web, and this is an audit key: a QWAC belongs to a transport key";
    }
    if (purpose == PURPOSE_TRANSPORT && type == QC_TYPE_ESEAL) {
        return "its QcType is eseal, and this is a transport key: it belongs to a seal key";
    }
    return NULL;
}

enum outcome certificate_check_fit(const struct link *link, enum purpose purpose,
                                   const struct certificate_facts *facts, struct reason *why)
{
    if ((X509_get_extension_flags(link->certificate) & EXFLAG_INVALID) != 0) {
        return refuse(why, OUTCOME_RULE, "certificate %zu has an extension that cannot be read",
                      link->number);
    }
    const char *fault = usage_fault(link->certificate, purpose);
    if (fault == NULL && facts->qc_fault != NULL) {
        return refuse(why, OUTCOME_RULE, "certificate %zu: its qcStatements cannot be taken: %s",
                      link->number, facts->qc_fault);
    }
    if (fault == NULL) {
        fault = type_fault(facts->qc.type, purpose);
    }
    return fault == NULL ? OUTCOME_OK
                         : refuse(why, OUTCOME_RULE, "certificate %zu: %s", link->number, fault);
}

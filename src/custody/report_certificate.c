/* SPDX-License-Identifier: Apache-2.0
 * Certificates as JSON. */
#include "custody/report_certificate.h"

#include "custody/report.h"
#include "jose/json.h"

/* `before` is what stands before the name, a comma or nothing. */
static void put_text(struct buffer *out, const char *before, const char *name, const char *value)
{
    buffer_put_format(out, "%s\"%s\":", before, name);
    json_put_string(out, span_of_text(value));
}

static void put_flag(struct buffer *out, const char *name, bool value)
{
    buffer_put_format(out, ",\"%s\":%s", name, value ? "true" : "false");
}

static void put_organization(struct buffer *out, const struct certificate_facts *facts)
{
    const struct organization_id *id = &facts->organization;
    if (facts->organization_identifier[0] == '\0') {
        return;
    }
    put_text(out, ",", "organization_identifier", facts->organization_identifier);
    if (id->scheme[0] != '\0') {
        put_text(out, ",\"organization\":{", "scheme", id->scheme);
        put_text(out, ",", "country", id->country);
        put_text(out, ",", "nca", id->nca);
        put_text(out, ",", "id", id->id);
        buffer_put_text(out, "}");
    }
}

static void put_psd2(struct buffer *out, const struct qc_statements *qc)
{
    const char *before = "";
    buffer_put_text(out, ",\"psd2_roles\":[");
    for (unsigned int role = 0; role < PSD2_ROLES; role++) {
        if ((qc->roles & 1U << role) != 0) {
            buffer_put_format(out, "%s\"%s\"", before, psd2_role_name((enum psd2_role)role));
            before = ",";
        }
    }
    buffer_put_text(out, "]");
    put_text(out, ",", "nca_name", qc->nca_name);
    put_text(out, ",", "nca_id", qc->nca_id);
}

static void put_statements(struct buffer *out, const struct qc_statements *qc)
{
    put_text(out, ",", "qc_type", qc_type_name(qc->type));
    put_flag(out, "qc_compliance", qc->has_compliance);
    put_flag(out, "qc_sscd", qc->has_sscd);
    put_text(out, ",", "qc_pds", qc->pds);
    if (qc->has_psd2) {
        put_psd2(out, qc);
    }
}

void report_certificate(struct buffer *out, const struct certificate_facts *facts)
{
    const char *before = "";
    put_text(out, "", "subject", facts->subject);
    put_text(out, ",", "issuer", facts->issuer);
    put_text(out, ",", "serial", facts->serial);
    buffer_put_text(out, ",");
    report_time(out, "not_before", facts->not_before);
    buffer_put_text(out, ",");
    report_time(out, "not_after", facts->not_after);
    put_organization(out, facts);
    if (facts->has_qc_statements) {
        put_statements(out, &facts->qc);
    }
    buffer_put_text(out, ",\"warnings\":[");
    for (unsigned int i = 0; i < CERTIFICATE_WARNINGS; i++) {
        if ((facts->warnings & 1U << i) != 0) {
            buffer_put_text(out, before);
            json_put_string(out,
                            span_of_text(certificate_warning_text((enum certificate_warning)i)));
            before = ",";
        }
    }
    buffer_put_text(out, "]");
}

/* SPDX-License-Identifier: Apache-2.0
 * The register's page: each key with its certificate and its history. */
#include "ctl/command.h"
#include "ctl/markup.h"
#include "ctl/report_page.h"

#include <string.h>

struct row {
    const char *member;
    const char *term;
    const char *class; /* or NULL */
};

static void put_rows(const json_t *object, const struct row rows[], size_t n, struct buffer *out)
{
    for (size_t i = 0; i < n; i++) {
        if (json_object_get(object, rows[i].member) != NULL &&
            command_text(object, rows[i].member)[0] != '\0') {
            buffer_put_format(out, "<dt>%s</dt>", rows[i].term);
            report_put_cell("dd", rows[i].class, object, rows[i].member, out);
            buffer_put_text(out, "\n");
        }
    }
}

static void put_certificate(const json_t *report, const json_t *key, struct buffer *out)
{
    static const struct row rows[] = {
        {"subject", "Certificate for", NULL},
        {"issuer", "Issued by", NULL},
        {"serial", "Serial number", "mono"},
        {"sha256", "SHA-256 fingerprint", "mono"},
        {"organization_identifier", "Organization", NULL},
        {"qc_type", "Kind (QcType)", NULL},
        {"nca_name", "Competent authority", NULL},
    };
    const json_t *certificate = json_object_get(key, "certificate");
    int64_t end = 0;
    if (!report_key_ends(key, &end)) {
        buffer_put_text(out, "<dt>Certificate</dt><dd>none</dd>\n");
        return;
    }
    put_rows(certificate, rows, COUNT_OF(rows), out);
    bool is_over = end <= report_made_at(report) && report_key_is_live(key);
    buffer_put_text(out, "<dt>Valid</dt><dd>from ");
    report_put_member(certificate, "not_before", out);
    buffer_put_text(out, is_over ? " <span class=\"alert\">to " : " to ");
    report_put_member(certificate, "not_after", out);
    buffer_put_text(out, is_over ? ": it has ended</span></dd>\n" : "</dd>\n");
    if (json_array_size(json_object_get(certificate, "psd2_roles")) > 0) {
        buffer_put_text(out, "<dt>PSD2 roles</dt><dd>");
        report_put_list(json_object_get(certificate, "psd2_roles"), out);
        buffer_put_text(out, "</dd>\n");
    }
    if (json_array_size(json_object_get(certificate, "warnings")) > 0) {
        buffer_put_text(out, "<dt>To be looked at</dt><dd>");
        report_put_list(json_object_get(certificate, "warnings"), out);
        buffer_put_text(out, "</dd>\n");
    }
}

/* With how the key came to be on this token, if that was not where it was made. */
static void put_reason(const json_t *step, struct buffer *out)
{
    if (command_text(step, "replica_of")[0] == '\0') {
        report_put_cell("td", NULL, step, "reason", out);
        return;
    }
    buffer_put_text(out, "<td>here too, as a replica of the key in token ");
    report_put_member(step, "replica_of", out);
    buffer_put_text(out, command_text(step, "reason")[0] == '\0' ? "" : ": ");
    report_put_member(step, "reason", out);
    buffer_put_text(out, "</td>");
}

/* A table of steps, those that were or those to come. Nothing when there are none. */
static void put_steps(const json_t *steps, const char *caption, struct buffer *out)
{
    size_t i;
    json_t *step;
    if (json_array_size(steps) == 0) {
        return;
    }
    buffer_put_format(out,
                      "<table><caption>%s</caption><thead><tr>"
                      "<th scope=\"col\">When</th><th scope=\"col\">State from then on</th>"
                      "<th scope=\"col\">By uid</th><th scope=\"col\">Approved by uid</th>"
                      "<th scope=\"col\">Reason</th></tr></thead>"
                      "<tbody>\n",
                      caption);
    json_array_foreach (steps, i, step) {
        buffer_put_text(out, "<tr>");
        report_put_cell("td", NULL, step, "at", out);
        report_put_cell("td", command_text(step, "state"), step, "state", out);
        report_put_cell("td", NULL, step, "by", out);
        report_put_cell("td", NULL, step, "approved_by", out);
        put_reason(step, out);
        buffer_put_text(out, "</tr>\n");
    }
    buffer_put_text(out, "</tbody></table>\n");
}

static void put_state(const json_t *key, struct buffer *out)
{
    buffer_put_text(out, "<span class=\"state ");
    report_put_member(key, "state", out);
    buffer_put_text(out, "\">");
    report_put_member(key, "state", out);
    buffer_put_text(out, "</span>");
}

/* What somebody put on record: when, who, and `text`, the member with what they said. */
static void put_record(const json_t *key, const char *member, const char *term, const char *text,
                       struct buffer *out)
{
    const json_t *record = json_object_get(key, member);
    buffer_put_format(out, "<dt>%s</dt><dd>", term);
    if (json_is_object(record)) {
        report_put_member(record, "at", out);
        buffer_put_text(out, " by uid ");
        report_put_member(record, "by", out);
        buffer_put_text(out, command_text(record, text)[0] == '\0' ? "" : ": ");
        report_put_member(record, text, out);
    } else {
        buffer_put_text(out, "none on record");
    }
    buffer_put_text(out, "</dd>\n");
}

static void put_key(const json_t *report, const json_t *key, struct buffer *out)
{
    static const struct row rows[] = {
        {"token", "Device", NULL},
        {"key_id", "Identifier there (CKA_ID)", "mono"},
        {"spki_sha256", "SHA-256 of public key", "mono"},
        {"created", "Made on", NULL},
    };
    buffer_put_text(out, "<div class=\"key\"><h3>");
    report_put_member(key, "role", out);
    buffer_put_text(out, " <code>");
    report_put_member(key, "kid", out);
    buffer_put_text(out, "</code>");
    put_state(key, out);
    buffer_put_text(out, "</h3>\n<dl><dt>Algorithm and size</dt><dd>");
    report_put_member(key, "type", out);
    buffer_put_text(out, " (");
    report_put_member(key, "bits", out);
    buffer_put_text(out, " bits), for ");
    report_put_list(json_object_get(key, "algs"), out);
    buffer_put_text(out, "</dd>\n<dt>Purpose</dt>");
    report_put_cell("dd", NULL, key, "purpose", out);
    put_rows(key, rows, COUNT_OF(rows), out);
    put_record(key, "backup", "Backup", "reason", out);
    if (strcmp(command_text(key, "purpose"), "seal") == 0) {
        put_record(key, "seen", "Seen outside", "where", out);
    }
    put_certificate(report, key, out);
    buffer_put_text(out, "</dl>\n");
    put_steps(json_object_get(key, "history"), "History", out);
    put_steps(json_object_get(key, "schedule"), "Scheduled", out);
    buffer_put_text(out, "</div>\n");
}

const char *report_purpose_text(const char *purpose)
{
    static const char *const texts[][2] = {
        {"seal", "seal: electronic seals and signed messages (JWS)"},
        {"transport", "transport: proof of identity in mutual TLS"},
        {"audit", "audit: checkpoints of the service's own log"},
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (strcmp(texts[i][0], purpose) == 0) {
            return texts[i][1];
        }
    }
    return purpose;
}

/* Those in use first: an auditor of a thousand keys begins there. */
void report_put_keys(const json_t *report, struct buffer *out)
{
    size_t i;
    json_t *key;
    buffer_put_text(out,
                    "<section><h2>Keys</h2>\n<p class=\"soft\">Those in use or to be used come "
                    "first. A key's name is its RFC 7638 thumbprint.</p>\n");
    for (int live = 1; live >= 0; live--) {
        json_array_foreach (json_object_get(report, "keys"), i, key) {
            if (report_key_is_live(key) == (live == 1)) {
                put_key(report, key, out);
            }
        }
    }
    buffer_put_text(out, "</section>\n");
}

/* SPDX-License-Identifier: Apache-2.0
 * The register's page: summary, roles, devices, and how to read it. */
#include "ctl/report_page.h"

#include "base/utc.h"
#include "ctl/command.h"
#include "ctl/markup.h"
#include "model/key_state.h"

#include <string.h>

enum { DAY = 86400 };

static const char style[] =
    ":root{color-scheme:light;--ink:#1a2129;--soft:#56616c;--line:#d5dbe1;--head:#f3f5f7;"
    "--alert:#a01b14;--good:#14633f}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:62rem;padding:2rem 1.5rem;color:var(--ink);background:#fff;"
    "font:15px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:0 0 .4rem}h2{font-size:1.25rem;"
    "margin:2.4rem 0 .7rem;border-bottom:2px solid var(--ink);padding-bottom:.2rem}"
    "h3{font-size:1.05rem;margin:0 0 .5rem}\n"
    "p{margin:.4rem 0}.soft,.by{color:var(--soft)}.alert{color:var(--alert);font-weight:600}"
    ".good{color:var(--good);font-weight:600}\n"
    "code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,'DejaVu Sans Mono',monospace;"
    "font-size:.86em;overflow-wrap:anywhere}\n"
    "table{border-collapse:collapse;width:100%;margin:.4rem 0 .8rem;font-size:.92em}"
    "caption{text-align:left;color:var(--soft);padding:.2rem 0}"
    "th,td{text-align:left;vertical-align:top;padding:.32rem .6rem .32rem .4rem;"
    "border-bottom:1px solid var(--line)}thead th{background:var(--head)}"
    "tbody th{font-weight:600}td{overflow-wrap:anywhere}\n"
    ".figures{display:grid;grid-template-columns:repeat(4,1fr);gap:.8rem;list-style:none;"
    "padding:0;margin:1rem 0}.figures li{border:1px solid var(--line);border-radius:6px;"
    "padding:.7rem .8rem}.figures b{display:block;font-size:1.7rem;line-height:1.1}\n"
    ".key{border:1px solid var(--line);border-radius:6px;padding:.9rem 1rem .4rem;"
    "margin:0 0 1rem;break-inside:avoid}"
    "dl{display:grid;grid-template-columns:13rem 1fr;gap:.15rem .8rem;margin:0 0 .6rem}"
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\n"
    ".state{display:inline-block;border:1.5px solid currentColor;border-radius:9px;"
    "padding:0 .55rem;font-size:.82rem;font-weight:600;margin-left:.4rem}"
    ".active{color:#14633f}.published{color:#0b5d8a}.certified{color:#40509a}"
    ".generated{color:#56616c}.retiring{color:#824c05}.retired,.destroyed{color:#6b7580}"
    ".suspended{color:#6c3090}.compromised{color:#a01b14}\n"
    "@page{size:A4;margin:16mm 14mm}\n"
    "@media "
    "print{body{padding:0;max-width:none;font-size:10pt}h2,h2+p,h3,caption{break-after:avoid}"
    "dl{grid-template-columns:10.5rem 1fr}dd.mono{font-size:.76em;align-self:center}"
    "thead{display:table-header-group}tr{break-inside:avoid}a{color:inherit}}\n"
    "@media(max-width:40rem){.figures{grid-template-columns:1fr 1fr}dl{grid-template-columns:1fr}"
    "dt{margin-top:.3rem}}\n";

static const char *const meanings[KEY_STATE_COUNT] = {
    [KEY_GENERATED] = "made in the device; signs nothing",
    [KEY_CERTIFIED] = "has its certificate; signs nothing",
    [KEY_PUBLISHED] = "shown to those who verify; does not sign yet",
    [KEY_ACTIVE] = "signs",
    [KEY_RETIRING] = "its successor signs; shown until what it signed has expired",
    [KEY_RETIRED] = "shown no more; signs nothing",
    [KEY_DESTROYED] = "gone from the device; this record stays",
    [KEY_SUSPENDED] = "stopped by a person",
    [KEY_COMPROMISED] = "declared compromised; never trusted again",
};

void report_put_member(const json_t *object, const char *member, struct buffer *out)
{
    const json_t *value = json_object_get(object, member);
    if (json_is_integer(value)) {
        buffer_put_format(out, "%lld", (long long)json_integer_value(value));
        return;
    }
    if (json_is_boolean(value)) {
        buffer_put_text(out, json_is_true(value) ? "yes" : "no");
        return;
    }
    const char *text = command_text(object, member);
    int64_t at;
    if (utc_read(span_of_text(text), &at)) { /* for eyes: 2026-11-21 09:30:00 */
        buffer_put_format(out, "%.10s %.8s", text, text + strlen("2026-11-21T"));
        return;
    }
    markup_put(out, text);
}

void report_put_cell(const char *tag, const char *class, const json_t *object, const char *member,
                     struct buffer *out)
{
    buffer_put_format(out, class == NULL ? "<%s>" : "<%s class=\"%s\">", tag, class);
    report_put_member(object, member, out);
    buffer_put_format(out, "</%s>", tag);
}

void report_put_list(const json_t *list, struct buffer *out)
{
    size_t i;
    json_t *item;
    if (json_array_size(list) == 0) {
        buffer_put_text(out, "none");
    }
    json_array_foreach (list, i, item) {
        const char *text = json_string_value(item);
        buffer_put_text(out, i == 0 ? "" : ", ");
        markup_put(out, text == NULL ? "" : text);
    }
}

int64_t report_made_at(const json_t *report)
{
    int64_t at = 0;
    return utc_read(span_of_text(command_text(report, "generated_at")), &at) ? at : 0;
}

bool report_key_is_live(const json_t *key)
{
    static const char *const ends[] = {"retired", "destroyed", "compromised"};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        if (strcmp(command_text(key, "state"), ends[i]) == 0) {
            return false;
        }
    }
    return true;
}

bool report_key_ends(const json_t *key, int64_t *at)
{
    const json_t *certificate = json_object_get(key, "certificate");
    return utc_read(span_of_text(command_text(certificate, "not_after")), at);
}

void report_summarize(const json_t *report, struct report_summary *out)
{
    int64_t now = report_made_at(report);
    size_t i;
    json_t *key;
    *out = (struct report_summary){0};
    json_array_foreach (json_object_get(report, "keys"), i, key) {
        int64_t end = 0;
        bool has_end = report_key_ends(key, &end);
        const json_t *certificate = json_object_get(key, "certificate");
        out->keys++;
        if (!report_key_is_live(key)) {
            continue;
        }
        out->live++;
        out->ended += has_end && end <= now ? 1 : 0;
        out->ending += has_end && end > now && end - now <= REPORT_DAYS * (int64_t)DAY ? 1 : 0;
        out->no_backup += json_is_object(json_object_get(key, "backup")) ? 0 : 1;
        out->warned += json_array_size(json_object_get(certificate, "warnings")) > 0 ? 1 : 0;
    }
}

static void put_figure(size_t number, bool is_alert, const char *what, struct buffer *out)
{
    buffer_put_format(out, "<li%s><b>%zu</b>%s</li>\n",
                      is_alert && number > 0 ? " class=\"alert\"" : "", number, what);
}

static size_t count_state(const json_t *report, const char *state)
{
    size_t n = 0;
    size_t i;
    json_t *key;
    json_array_foreach (json_object_get(report, "keys"), i, key) {
        n += strcmp(command_text(key, "state"), state) == 0 ? 1 : 0;
    }
    return n;
}

static void put_states(const json_t *report, struct buffer *out)
{
    buffer_put_text(out, "<table><caption>Keys by state</caption><thead><tr>"
                         "<th scope=\"col\">State</th><th scope=\"col\">Keys</th>"
                         "<th scope=\"col\">What a key in this state does</th></tr></thead>"
                         "<tbody>\n");
    for (unsigned int i = 0; i < KEY_STATE_COUNT; i++) {
        const char *name = key_state_name((enum key_state)i);
        size_t n = count_state(report, name);
        buffer_put_format(out,
                          "<tr%s><th scope=\"row\"><span class=\"%s\">%s</span></th>"
                          "<td>%zu</td><td>%s</td></tr>\n",
                          n == 0 ? " class=\"soft\"" : "", name, name, n, meanings[i]);
    }
    buffer_put_text(out, "</tbody></table>\n");
}

/* Of the keys whose certificate ends soon or has ended. */
static void put_ending(const json_t *report, struct buffer *out)
{
    int64_t now = report_made_at(report);
    size_t i;
    json_t *key;
    json_array_foreach (json_object_get(report, "keys"), i, key) {
        int64_t end = 0;
        if (!report_key_is_live(key) || !report_key_ends(key, &end) ||
            end - now > REPORT_DAYS * (int64_t)DAY) {
            continue;
        }
        buffer_put_text(out, "<tr><th scope=\"row\">");
        report_put_member(key, "role", out);
        buffer_put_text(out, "</th><td><code>");
        report_put_member(key, "kid", out);
        buffer_put_text(out, "</code></td>");
        report_put_cell("td", NULL, key, "state", out);
        report_put_cell("td", end <= now ? "alert" : NULL, json_object_get(key, "certificate"),
                        "not_after", out);
        buffer_put_text(out, "</tr>\n");
    }
}

static void put_summary(const json_t *report, struct buffer *out)
{
    struct report_summary summary;
    report_summarize(report, &summary);
    buffer_put_text(out, "<section><h2>Summary</h2>\n<ul class=\"figures\">\n");
    put_figure(summary.live, false, "keys in use or to be used", out);
    put_figure(summary.ending, true, "of their certificates end within 90 days", out);
    put_figure(summary.ended, true, "of their certificates have ended", out);
    put_figure(summary.no_backup, false, "of them have no backup on record", out);
    buffer_put_text(out, "</ul>\n");
    put_states(report, out);
    if (summary.ending + summary.ended > 0) {
        buffer_put_text(out, "<table><caption>Certificates that end within 90 days, or have ended"
                             "</caption><thead><tr><th scope=\"col\">Role</th>"
                             "<th scope=\"col\">Key</th><th scope=\"col\">State</th>"
                             "<th scope=\"col\">Certificate ends</th></tr></thead><tbody>\n");
        put_ending(report, out);
        buffer_put_text(out, "</tbody></table>\n");
    }
    buffer_put_text(out, "</section>\n");
}

static void put_callers(const json_t *role, struct buffer *out)
{
    size_t i;
    json_t *caller;
    const json_t *callers = json_object_get(role, "callers");
    if (json_array_size(callers) == 0) {
        buffer_put_text(out, "nobody");
    }
    json_array_foreach (callers, i, caller) {
        buffer_put_text(out, i == 0 ? "" : "; ");
        report_put_member(caller, "name", out);
        buffer_put_text(out, " (uid ");
        report_put_member(caller, "uid", out);
        buffer_put_text(out, ")");
        if (json_array_size(json_object_get(caller, "profiles")) > 0) {
            buffer_put_text(out, ": ");
            report_put_list(json_object_get(caller, "profiles"), out);
        }
    }
}

static void put_term(const char *term, struct buffer *out)
{
    buffer_put_format(out, "<dt>%s</dt><dd>", term);
}

static void put_demand(const char *term, const json_t *is_required, struct buffer *out)
{
    put_term(term, out);
    buffer_put_format(out, "%s</dd>\n", json_is_true(is_required) ? "required" : "optional");
}

static void put_period(const json_t *role, struct buffer *out)
{
    bool stops = json_is_true(json_object_get(role, "stops_at_end"));
    put_term("Cryptoperiod", out);
    report_put_member(role, "cryptoperiod_days", out);
    buffer_put_format(out, " days (0: none); past its end a key %s</dd>\n",
                      stops ? "signs nothing" : "signs on, and is warned of");
}

static void put_role(const json_t *role, struct buffer *out)
{
    buffer_put_text(out, "<div class=\"key\"><h3>");
    report_put_member(role, "name", out);
    buffer_put_text(out, "</h3>\n<dl>");
    put_term("Purpose", out);
    buffer_put_format(out, "%s</dd>\n", report_purpose_text(command_text(role, "purpose")));
    put_term("Keys are", out);
    report_put_member(role, "key", out);
    buffer_put_text(out, ", for ");
    report_put_list(json_object_get(role, "algs"), out);
    buffer_put_text(out, "</dd>\n");
    put_term("Devices", out);
    report_put_list(json_object_get(role, "tokens"), out);
    buffer_put_text(out, "</dd>\n");
    put_demand("Certificate", json_object_get(role, "certificate_required"), out);
    put_demand("Backup before use", json_object_get(role, "backup_required"), out);
    put_demand("Seen outside before use", json_object_get(role, "seen_required"), out);
    put_period(role, out);
    put_term("Published before use", out);
    report_put_member(role, "publish_before_use_s", out);
    buffer_put_text(out, " s at least</dd>\n");
    put_term("Kept after use", out);
    report_put_member(role, "keep_after_use_s", out);
    buffer_put_text(out, " s at least</dd>\n");
    put_term("Who may use it", out);
    put_callers(role, out);
    buffer_put_text(out, "</dd></dl></div>\n");
}

static void put_roles(const json_t *report, struct buffer *out)
{
    size_t i;
    json_t *role;
    buffer_put_text(out,
                    "<section><h2>Roles and their rules</h2>\n<p class=\"soft\">A role is what "
                    "keys are for. Its rules are enforced by the service, and taken from its "
                    "configuration.</p>\n");
    json_array_foreach (json_object_get(report, "roles"), i, role) {
        put_role(role, out);
    }
    buffer_put_text(out, "</section>\n");
}

static void put_devices(const json_t *report, struct buffer *out)
{
    static const char *const members[] = {"state", "label",  "manufacturer",
                                          "model", "serial", "module"};
    size_t i;
    json_t *device;
    buffer_put_text(out, "<section><h2>Devices that store keys</h2>\n<table><thead><tr>"
                         "<th scope=\"col\">Name</th><th scope=\"col\">State</th>"
                         "<th scope=\"col\">Label</th><th scope=\"col\">Manufacturer</th>"
                         "<th scope=\"col\">Model</th><th scope=\"col\">Serial</th>"
                         "<th scope=\"col\">PKCS #11 module</th></tr></thead><tbody>\n");
    json_array_foreach (json_object_get(report, "devices"), i, device) {
        buffer_put_text(out, "<tr>");
        buffer_put_text(out, "<th scope=\"row\">");
        report_put_member(device, "name", out);
        buffer_put_text(out, "</th>");
        for (size_t j = 0; j < COUNT_OF(members); j++) {
            report_put_cell("td", NULL, device, members[j], out);
        }
        buffer_put_text(out, "</tr>\n");
    }
    buffer_put_text(out, "</tbody></table></section>\n");
}

static void put_administrators(const json_t *report, struct buffer *out)
{
    size_t i;
    json_t *person;
    buffer_put_text(out, "<section><h2>Administrators</h2>\n<table><thead><tr>"
                         "<th scope=\"col\">Who</th><th scope=\"col\">Rights</th></tr></thead>"
                         "<tbody>\n");
    json_array_foreach (json_object_get(report, "administrators"), i, person) {
        const char *member = json_object_get(person, "gid") != NULL ? "gid" : "uid";
        buffer_put_format(out, "<tr><th scope=\"row\">%s ", member);
        report_put_member(person, member, out);
        buffer_put_text(out, "</th><td>");
        report_put_list(json_object_get(person, "rights"), out);
        buffer_put_text(out, "</td></tr>\n");
    }
    buffer_put_format(out, "</tbody></table>\n<p>%s</p></section>\n",
                      json_is_true(json_object_get(report, "approval_required"))
                          ? "Changes of keys are asked for by one person and approved by another."
                          : "A custodian changes keys alone.");
}

static void put_begin(const json_t *report, struct buffer *out)
{
    buffer_put_text(out,
                    "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">"
                    "<head><meta charset=\"utf-8\"/>"
                    "<meta name=\"viewport\" content=\"width=device-width\"/>\n"
                    "<title>Register of keys, certificates and storing devices</title>\n"
                    "<style>\n");
    buffer_put_text(out, style);
    buffer_put_text(out, "</style></head>\n<body><main>\n<h1>Register of keys, certificates and "
                         "storing devices</h1>\n<p>Made on <b>");
    report_put_member(report, "generated_at", out);
    buffer_put_text(out, "</b> by qseal ");
    report_put_member(report, "version", out);
    buffer_put_text(out, " from generation ");
    report_put_member(report, "keyring_generation", out);
    buffer_put_text(out, " of its keyring and configuration <code>");
    report_put_member(report, "config", out);
    buffer_put_text(out, "</code>, read on ");
    report_put_member(report, "loaded_at", out);
    buffer_put_text(
        out, ". All times are UTC.</p>\n<p class=\"soft\">qseal is a service that signs with keys "
             "which never leave a hardware security module or other PKCS #11 device. This is the "
             "register that Commission Delegated Regulation (EU) 2024/1774, article 7, asks "
             "for, and a key inventory in the sense of NIST SP 800-57.</p>\n");
}

void report_put_page(const json_t *report, struct buffer *out)
{
    put_begin(report, out);
    put_summary(report, out);
    put_roles(report, out);
    report_put_keys(report, out);
    put_devices(report, out);
    put_administrators(report, out);
    buffer_put_text(out, "</main></body></html>\n");
}

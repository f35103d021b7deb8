/* SPDX-License-Identifier: Apache-2.0
 * Names and identifiers of payment service providers. */
#include "pki/psd2.h"

#include "model/shape_text.h"

#include <assert.h>
#include <string.h>

enum { COUNTRY_LEN = 2, SCHEME_LEN = 3, NCA_MIN = 2, NCA_MAX = 8, DELETE = 0x7f };

static const char *const role_names[] = {
    [PSD2_AS] = "PSP_AS", [PSD2_PI] = "PSP_PI", [PSD2_AI] = "PSP_AI", [PSD2_IC] = "PSP_IC"};
static_assert(COUNT_OF(role_names) == PSD2_ROLES, "a name for every role");

const char *psd2_role_name(enum psd2_role role)
{
    return role_names[role];
}

bool psd2_role_from_name(struct span name, enum psd2_role *out)
{
    for (unsigned int role = 0; role < PSD2_ROLES; role++) {
        if (span_is_text(name, role_names[role])) {
            *out = (enum psd2_role)role;
            return true;
        }
    }
    return false;
}

const char *qc_type_name(enum qc_type type)
{
    static const char *const names[] = {[QC_TYPE_NONE] = "",
                                        [QC_TYPE_ESIGN] = "esign",
                                        [QC_TYPE_ESEAL] = "eseal",
                                        [QC_TYPE_WEB] = "web"};
    return names[type];
}

/* C0, DEL, and C1 as UTF-8 has them: they would move the cursor of who looks at the name. */
static bool has_control(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool c1 = c == 0xc2 && i + 1 < text.len && text.data[i + 1] < 0xa0;
        if (c < ' ' || c == DELETE || c1) {
            return true;
        }
    }
    return false;
}

const char *psd2_name_fault(struct span text)
{
    size_t n = 0;
    if (text.len == 0) {
        return "it is empty";
    }
    if (shape_text_fault(text) != NULL) {
        return "it is not UTF-8";
    }
    if (has_control(text)) {
        return "it has control characters";
    }
    for (const uint8_t *at = text.data; at < text.data + text.len; n++) {
        at += shape_utf8_len(at, text.data + text.len);
    }
    return n > PSD2_NAME_MAX ? "it is longer than 256 characters" : NULL;
}

static bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static bool all_upper(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_upper(text.data[i])) {
            return false;
        }
    }
    return true;
}

static bool is_nca(struct span text)
{
    return text.len >= NCA_MIN && text.len <= NCA_MAX && all_upper(text);
}

const char *psd2_nca_id_fault(struct span text)
{
    size_t dash = span_find(text, '-');
    return dash == COUNTRY_LEN && all_upper(span_part(text, 0, dash)) &&
                   is_nca(span_part(text, dash + 1, text.len))
               ? NULL
               : "it is written like GB-FCA: country, '-', 2 to 8 upper-case letters";
}

/* As the authority registered it: these are what registers use. */
static bool is_registered_id(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool plain = is_upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || strchr("-.:/_ ", c) == NULL)) {
            return false;
        }
    }
    return text.len > 0 && text.data[0] != ' ' && text.data[text.len - 1] != ' ';
}

static bool is_scheme(struct span text)
{
    static const char *const schemes[] = {"PSD", "VAT", "NTR", "LEI", "OFB"};
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        if (span_is_text(text, schemes[i])) {
            return true;
        }
    }
    return false;
}

static void copy(char *out, struct span text)
{
    if (text.len > 0) {
        memcpy(out, text.data, text.len);
    }
    out[text.len] = '\0';
}

const char *organization_id_read(struct span text, struct organization_id *out)
{
    struct span scheme = span_part(text, 0, SCHEME_LEN);
    struct span country = span_part(text, SCHEME_LEN, COUNTRY_LEN);
    struct span id = span_part(text, SCHEME_LEN + COUNTRY_LEN + 1, text.len);
    *out = (struct organization_id){0};
    if (text.len >= ORGANIZATION_ID_SIZE) {
        return "it is longer than 128 bytes";
    }
    if (!is_scheme(scheme)) {
        return "it does not begin with PSD, VAT, NTR, LEI or OFB";
    }
    if (country.len != COUNTRY_LEN || !all_upper(country) ||
        span_find(text, '-') != SCHEME_LEN + COUNTRY_LEN) {
        return "there is no country of two letters and '-' behind its first three letters";
    }
    bool is_psd = span_is_text(scheme, "PSD");
    size_t dash = is_psd ? span_find(id, '-') : 0;
    struct span nca = span_part(id, 0, dash);
    if (is_psd && (dash == id.len || !is_nca(nca))) {
        return "there is no authority of 2 to 8 upper-case letters and '-' behind the country";
    }
    id = is_psd ? span_part(id, dash + 1, id.len) : id;
    if (!is_registered_id(id)) {
        return "its last part is empty, or has other characters than letters, digits and -.:/_ "
               "between them";
    }
    copy(out->scheme, scheme);
    copy(out->country, country);
    copy(out->nca, nca);
    copy(out->id, id);
    return NULL;
}

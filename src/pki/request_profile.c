/* SPDX-License-Identifier: Apache-2.0
 * The table of certificate request profiles, and what may be wrong with a wish. */
#include "pki/request_profile.h"

#include "pki/peer_name.h"
#include "pki/psd2.h"

#include <assert.h>
#include <string.h>

enum { DNS_NAMES_MAX = 16, CODE_MAX = 64, PRINTABLE_MAX = 128, CNPJ_LEN = 14, CEI_LEN = 12 };

#define BIT(value) (1U << (value))
#define SUBJECT_NAMES "C", "O", "organizationIdentifier", "CN"
#define PSD2_NEEDS                                                                                 \
    (BIT(REQUEST_SUBJECT) | BIT(REQUEST_ROLES) | BIT(REQUEST_NCA_NAME) | BIT(REQUEST_NCA_ID))
#define ICP_NEEDS                                                                                  \
    (BIT(REQUEST_RESPONSIBLE) | BIT(REQUEST_CNPJ) | BIT(REQUEST_RESPONSIBLE_DATA) |                \
     BIT(REQUEST_CEI))
#define SEALING "critical,digitalSignature,nonRepudiation"
#define SIGNING "critical,digitalSignature"
#define ENCIPHERING "critical,digitalSignature,keyEncipherment"

static const struct request_row rows[] = {
    [PROFILE_PLAIN] = {.name = "plain",
                       .for_seal = true,
                       .for_transport = true,
                       .for_audit = true,
                       .may = BIT(REQUEST_SUBJECT)},
    [PROFILE_PSD2_QSEAL] = {.name = "psd2-qseal",
                            .for_seal = true,
                            .has_psd2 = true,
                            .key_usage = SEALING,
                            .key_usage_rsa = SEALING,
                            .organization = "PSD",
                            .needs = PSD2_NEEDS,
                            .may = BIT(REQUEST_ORGANIZATION),
                            .names = {SUBJECT_NAMES}},
    [PROFILE_PSD2_QWAC] = {.name = "psd2-qwac",
                           .for_transport = true,
                           .has_psd2 = true,
                           .key_usage = SIGNING,
                           .key_usage_rsa = ENCIPHERING,
                           .extended_key_usage = "clientAuth,serverAuth",
                           .organization = "PSD",
                           .needs = PSD2_NEEDS | BIT(REQUEST_DNS),
                           .may = BIT(REQUEST_ORGANIZATION),
                           .names = {SUBJECT_NAMES}},
    [PROFILE_OBSEAL] = {.name = "obseal",
                        .for_seal = true,
                        .needs_rsa = true,
                        .has_psd2 = true,
                        .key_usage = SEALING,
                        .key_usage_rsa = SEALING,
                        .organization = "PSDGB-",
                        .needs = PSD2_NEEDS,
                        .may = BIT(REQUEST_ORGANIZATION),
                        .names = {SUBJECT_NAMES}},
    [PROFILE_OBWAC] = {.name = "obwac",
                       .for_transport = true,
                       .needs_rsa = true,
                       .has_psd2 = true,
                       .key_usage = SIGNING,
                       .key_usage_rsa = SIGNING,
                       .extended_key_usage = "clientAuth,serverAuth",
                       .organization = "PSDGB-",
                       .needs = PSD2_NEEDS,
                       .may = BIT(REQUEST_ORGANIZATION),
                       .names = {SUBJECT_NAMES}},
    [PROFILE_BR_SEAL] = {.name = "br-seal",
                         .for_seal = true,
                         .needs_rsa = true,
                         .key_usage = SEALING,
                         .key_usage_rsa = SEALING,
                         .needs = BIT(REQUEST_SUBJECT) | BIT(REQUEST_PARTICIPANT) | ICP_NEEDS,
                         .names = {"UID", "C", "O", "OU", "CN"}},
    [PROFILE_BR_CAC] = {.name = "br-cac",
                        .for_transport = true,
                        .needs_rsa = true,
                        .key_usage = ENCIPHERING,
                        .key_usage_rsa = ENCIPHERING,
                        .extended_key_usage = "clientAuth",
                        .organization = "OFBBR-",
                        .needs = BIT(REQUEST_SUBJECT) | BIT(REQUEST_PARTICIPANT) |
                                 BIT(REQUEST_SOFTWARE) | BIT(REQUEST_DNS),
                        .names = {"businessCategory", "jurisdictionC", "serialNumber", "C", "O",
                                  "ST", "L", "organizationIdentifier", "UID", "CN"}},
};

static const struct {
    const char *option;
    const char *member;
} values[] = {
    [REQUEST_SUBJECT] = {"subject", "subject"},
    [REQUEST_ORGANIZATION] = {"organization-identifier", "organization_identifier"},
    [REQUEST_ROLES] = {"role", "psd2_roles"},
    [REQUEST_NCA_NAME] = {"nca-name", "nca_name"},
    [REQUEST_NCA_ID] = {"nca-id", "nca_id"},
    [REQUEST_DNS] = {"dns", "dns"},
    [REQUEST_SOFTWARE] = {"software-id", "software_id"},
    [REQUEST_PARTICIPANT] = {"participant", "participant"},
    [REQUEST_RESPONSIBLE] = {"responsible", "responsible"},
    [REQUEST_CNPJ] = {"cnpj", "cnpj"},
    [REQUEST_RESPONSIBLE_DATA] = {"responsible-data", "responsible_data"},
    [REQUEST_CEI] = {"cei", "cei"},
    [REQUEST_QC_STATEMENT] = {"qc-statement", "qc_statement"},
};
static_assert(COUNT_OF(values) == REQUEST_VALUES, "names for every value");

bool request_profile_from_name(struct span name, enum request_profile *out)
{
    for (unsigned int i = 0; i < COUNT_OF(rows); i++) {
        if (span_is_text(name, rows[i].name)) {
            *out = (enum request_profile)i;
            return true;
        }
    }
    return false;
}

const struct request_row *request_row(enum request_profile profile)
{
    return &rows[profile];
}

const char *request_value_option(enum request_value value)
{
    return values[value].option;
}

const char *request_value_member(enum request_value value)
{
    return values[value].member;
}

bool request_value_is_list(enum request_value value)
{
    return value == REQUEST_ROLES || value == REQUEST_DNS;
}

bool request_next(struct span *list, struct span *item)
{
    if (list->data == NULL) {
        return false;
    }
    size_t comma = span_find(*list, ',');
    bool is_last = comma == list->len;
    *item = span_of(list->data, comma);
    *list = is_last ? span_of(NULL, 0) : span_of(list->data + comma + 1, list->len - comma - 1);
    return true;
}

static bool is_made_of(struct span text, size_t min, size_t max, const char *characters)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '\0' || strchr(characters, c) == NULL) {
            return false;
        }
    }
    return text.len >= min && text.len <= max;
}

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define PRINTABLE DIGITS LETTERS " '()+,-./:=?" /* PrintableString, X.680 §41.4 */

static const char *code_fault(struct span text)
{
    return is_made_of(text, 1, CODE_MAX, DIGITS LETTERS "-")
               ? NULL
               : "it is 1 to 64 letters, digits and '-'";
}

static const char *printable_fault(struct span text)
{
    return is_made_of(text, 1, PRINTABLE_MAX, PRINTABLE)
               ? NULL
               : "it is 1 to 128 letters, digits, blanks and '()+,-./:=? without accents";
}

static const char *roles_fault(struct span list)
{
    unsigned int seen = 0;
    struct span item;
    while (request_next(&list, &item)) {
        enum psd2_role role;
        if (!psd2_role_from_name(item, &role)) {
            return "it is one of PSP_AS, PSP_PI, PSP_AI and PSP_IC";
        }
        if ((seen & BIT(role)) != 0) {
            return "one stands there twice";
        }
        seen |= BIT(role);
    }
    return NULL;
}

static const char *dns_fault(struct span list)
{
    size_t n = 0;
    struct span item;
    while (request_next(&list, &item)) {
        if (!peer_name_is_valid(item)) {
            return "it is a DNS name in ASCII, like api.bank.example";
        }
        if (++n > DNS_NAMES_MAX) {
            return "there are more than 16";
        }
    }
    return NULL;
}

static const char *organization_fault(struct span text)
{
    struct organization_id id;
    return organization_id_read(text, &id);
}

static const char *value_fault(enum request_value value, struct span text)
{
    switch (value) {
    case REQUEST_SUBJECT:
    case REQUEST_QC_STATEMENT:
        return NULL; /* judged elsewhere */
    case REQUEST_ORGANIZATION:
        return organization_fault(text);
    case REQUEST_ROLES:
        return roles_fault(text);
    case REQUEST_NCA_NAME:
        return psd2_name_fault(text);
    case REQUEST_NCA_ID:
        return psd2_nca_id_fault(text);
    case REQUEST_DNS:
        return dns_fault(text);
    case REQUEST_SOFTWARE:
    case REQUEST_PARTICIPANT:
        return code_fault(text);
    case REQUEST_RESPONSIBLE:
    case REQUEST_RESPONSIBLE_DATA:
        return printable_fault(text);
    case REQUEST_CNPJ:
        return is_made_of(text, CNPJ_LEN, CNPJ_LEN, DIGITS) ? NULL : "it is 14 digits";
    case REQUEST_CEI:
        return is_made_of(text, CEI_LEN, CEI_LEN, DIGITS) ? NULL : "it is 12 digits";
    }
    return "it is not known";
}

/* QcSSCD says where the key was made, after the issuer has seen the evidence. */
static enum outcome refuse_statement(const char *name, struct reason *why)
{
    static const char *const of_issuer[] = {"QcSSCD", "QcCompliance", "QcPDS"};
    for (size_t i = 0; i < COUNT_OF(of_issuer); i++) {
        if (strcmp(name, of_issuer[i]) == 0) {
            return refuse(why, OUTCOME_RULE,
                          "--qc-statement: %s is for the trust service provider to state, not for "
                          "who asks for a certificate",
                          of_issuer[i]);
        }
    }
    return refuse(why, OUTCOME_RULE,
                  "--qc-statement: QcType and the PSD2 statement come with --profile, --role, "
                  "--nca-name and --nca-id; others are the trust service provider's");
}

static enum outcome check_value(const struct request_row *row, const struct request_wish *wish,
                                enum request_value value, struct reason *why)
{
    const char *text = wish->values[value];
    const char *option = values[value].option;
    if (text == NULL) {
        return (row->needs & BIT(value)) == 0
                   ? OUTCOME_OK
                   : refuse(why, OUTCOME_RULE, "profile %s needs --%s", row->name, option);
    }
    if (value == REQUEST_QC_STATEMENT) {
        return refuse_statement(text, why);
    }
    if (((row->needs | row->may) & BIT(value)) == 0) {
        return refuse(why, OUTCOME_RULE, "profile %s takes no --%s", row->name, option);
    }
    const char *fault = value_fault(value, span_of_text(text));
    if (fault == NULL && value == REQUEST_DNS && wish->profile == PROFILE_PSD2_QWAC &&
        strchr(text, '*') != NULL) {
        fault = "a QWAC has no wildcards";
    }
    return fault == NULL ? OUTCOME_OK : refuse(why, OUTCOME_RULE, "--%s: %s", option, fault);
}

static bool fits_purpose(const struct request_row *row, enum purpose purpose)
{
    switch (purpose) {
    case PURPOSE_SEAL:
        return row->for_seal;
    case PURPOSE_TRANSPORT:
        return row->for_transport;
    case PURPOSE_AUDIT:
        return row->for_audit;
    }
    return false;
}

enum outcome request_wish_check(const struct request_wish *wish, bool key_is_rsa,
                                struct reason *why)
{
    const struct request_row *row = request_row(wish->profile);
    if (!fits_purpose(row, wish->purpose)) {
        return refuse(why, OUTCOME_RULE, "profile %s is for %s keys, and this is %s", row->name,
                      row->for_seal ? "seal" : "transport", purpose_key_text(wish->purpose));
    }
    if (row->needs_rsa && !key_is_rsa) {
        return refuse(why, OUTCOME_RULE,
                      "profile %s is for RSA keys: its directory takes no others", row->name);
    }
    enum outcome outcome = OUTCOME_OK;
    for (unsigned int value = 0; outcome == OUTCOME_OK && value < REQUEST_VALUES; value++) {
        outcome = check_value(row, wish, (enum request_value)value, why);
    }
    return outcome;
}

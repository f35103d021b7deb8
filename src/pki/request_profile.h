/* SPDX-License-Identifier: Apache-2.0
 * What a custodian wishes for in a certificate request: a profile, and values for it. Each profile
 * is a row of a table: its distinguished name in order, key usages, statements, and the values it
 * needs; any other value is refused. */
#ifndef QSEAL_PKI_REQUEST_PROFILE_H
#define QSEAL_PKI_REQUEST_PROFILE_H

#include "base/attributes.h"
#include "base/span.h"
#include "model/outcome.h"
#include "model/purpose.h"

#include <stdbool.h>
#include <stdint.h>

enum request_profile {
    PROFILE_PLAIN,      /* a subject, no extensions */
    PROFILE_PSD2_QSEAL, /* TS 119 495, EN 319 412-3 */
    PROFILE_PSD2_QWAC,  /* TS 119 495, EN 319 412-4 */
    PROFILE_OBSEAL,     /* Open Banking (UK) certificate profiles, issue 2.2 */
    PROFILE_OBWAC,
    PROFILE_BR_SEAL, /* Open Finance Brasil certificate standard, 2.1 */
    PROFILE_BR_CAC,
};

enum request_value {
    REQUEST_SUBJECT,
    REQUEST_ORGANIZATION,
    REQUEST_ROLES, /* several, with commas between them */
    REQUEST_NCA_NAME,
    REQUEST_NCA_ID,
    REQUEST_DNS, /* several */
    REQUEST_SOFTWARE,
    REQUEST_PARTICIPANT,
    REQUEST_RESPONSIBLE,      /* otherName 2.16.76.1.3.2 */
    REQUEST_CNPJ,             /* 2.16.76.1.3.3 */
    REQUEST_RESPONSIBLE_DATA, /* 2.16.76.1.3.4 */
    REQUEST_CEI,              /* 2.16.76.1.3.7 */
    REQUEST_QC_STATEMENT,     /* for the refusal: only an issuer makes them */
};
enum {
    REQUEST_VALUES = REQUEST_QC_STATEMENT + 1,
    REQUEST_NAMES_MAX = 10,  /* parts of a distinguished name */
    REQUEST_VALUE_MAX = 1024 /* bytes of a value */
};

struct request_wish {
    enum request_profile profile;
    enum purpose purpose;               /* of the key */
    const char *values[REQUEST_VALUES]; /* NULL: not given */
};

struct request_row {
    const char *name;
    bool for_seal;
    bool for_transport;
    bool for_audit;
    bool needs_rsa;
    bool has_psd2;         /* QcType by purpose, and the PSD2 statement */
    const char *key_usage; /* as openssl(1) takes it; NULL: no extensions */
    const char *key_usage_rsa;
    const char *extended_key_usage;
    const char *organization; /* what organizationIdentifier begins with */
    uint32_t needs;           /* set of 1U << enum request_value */
    uint32_t may;             /* the same, optional */
    /* Short names; OU as often as it is given, the others exactly once. NULL: any. */
    const char *names[REQUEST_NAMES_MAX + 1];
};

bool request_profile_from_name(struct span name, enum request_profile *out) MUST_USE;
const struct request_row *request_row(enum request_profile profile);
/* The option of qsealctl, without "--", and the member of the question to qseald. */
const char *request_value_option(enum request_value value);
const char *request_value_member(enum request_value value);
bool request_value_is_list(enum request_value value);

/* Takes the next of a list's values off `list`; false when there is none left. */
bool request_next(struct span *list, struct span *item) MUST_USE;
/* Whether profile, purpose, type of key and values fit each other, and each value has its form.
 * OUTCOME_RULE with the option that does not. */
enum outcome request_wish_check(const struct request_wish *wish, bool key_is_rsa,
                                struct reason *why) MUST_USE;

#endif

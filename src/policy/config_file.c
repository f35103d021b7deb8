/* SPDX-License-Identifier: Apache-2.0
 * The keys of qseal.yaml, as libcyaml rows. docs/configuration.md says what each is for. */
#include "policy/config_file.h"

#include <assert.h>

/* The shorthands of this file: optional members of the struct a table belongs to. */
#define TEXT(key, owner, member)                                                                   \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, owner, member, 1, 4095)
#define TEXT_OR_NOT(key, owner, member)                                                            \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, owner, member, 1, 4095)
#define NUMBER_OR_NOT(owner, member)                                                               \
    CYAML_FIELD_UINT_PTR(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, owner, member)
#define LIST(key, flags, owner, member, entry, min, max)                                           \
    CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | (flags), owner, member, entry, min, max)

static const cyaml_schema_value_t text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 4095),
};

static const cyaml_schema_field_t sockets[] = {
    TEXT_OR_NOT("callers", struct config_sockets, callers),
    TEXT_OR_NOT("callers_second", struct config_sockets, callers_second),
    TEXT_OR_NOT("admin", struct config_sockets, admin),
    TEXT_OR_NOT("signing", struct config_sockets, signing),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t users[] = {
    TEXT_OR_NOT("httpd", struct file_users, httpd),
    TEXT_OR_NOT("qseald", struct file_users, qseald),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t limits[] = {
    NUMBER_OR_NOT(struct file_limits, workers),
    NUMBER_OR_NOT(struct file_limits, connections),
    NUMBER_OR_NOT(struct file_limits, body_max),
    NUMBER_OR_NOT(struct file_limits, head_ms),
    NUMBER_OR_NOT(struct file_limits, body_ms),
    NUMBER_OR_NOT(struct file_limits, idle_ms),
    NUMBER_OR_NOT(struct file_limits, deadline_ms),
    NUMBER_OR_NOT(struct file_limits, drain_ms),
    NUMBER_OR_NOT(struct file_limits, jwks_max_age_s),
    NUMBER_OR_NOT(struct file_limits, clock_jump_s),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t caller[] = {
    TEXT("name", struct file_caller, name),
    TEXT_OR_NOT("user", struct file_caller, user),
    NUMBER_OR_NOT(struct file_caller, uid),
    LIST("profiles", CYAML_FLAG_OPTIONAL, struct file_caller, profiles, &text_entry, 1, 1024),
    LIST("roles", CYAML_FLAG_OPTIONAL, struct file_caller, roles, &text_entry, 1, 64),
    NUMBER_OR_NOT(struct file_caller, rate),
    NUMBER_OR_NOT(struct file_caller, burst),
    NUMBER_OR_NOT(struct file_caller, in_flight),
    NUMBER_OR_NOT(struct file_caller, connections),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t caller_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_caller, caller),
};

static const cyaml_strval_t rights[] = {
    {"operator", RIGHT_OPERATOR},
    {"custodian", RIGHT_CUSTODIAN},
    {"auditor", RIGHT_AUDITOR},
    {"approver", RIGHT_APPROVER},
};
static const cyaml_schema_field_t administrator[] = {
    TEXT_OR_NOT("user", struct file_administrator, user),
    NUMBER_OR_NOT(struct file_administrator, uid),
    TEXT_OR_NOT("group", struct file_administrator, group),
    NUMBER_OR_NOT(struct file_administrator, gid),
    CYAML_FIELD_FLAGS("rights", CYAML_FLAG_STRICT, struct file_administrator, rights, rights,
                      COUNT_OF(rights)),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t administrator_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_administrator, administrator),
};

static const cyaml_schema_field_t approval[] = {
    CYAML_FIELD_BOOL("required", CYAML_FLAG_OPTIONAL, struct file_approval, required),
    NUMBER_OR_NOT(struct file_approval, valid_s),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t audit[] = {
    CYAML_FIELD_BOOL_PTR("enabled", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_audit,
                         enabled),
    TEXT_OR_NOT("folder", struct file_audit, folder),
    NUMBER_OR_NOT(struct file_audit, segment_mib),
    NUMBER_OR_NOT(struct file_audit, segment_age_s),
    NUMBER_OR_NOT(struct file_audit, checkpoint_records),
    NUMBER_OR_NOT(struct file_audit, checkpoint_s),
    NUMBER_OR_NOT(struct file_audit, retention_days),
    CYAML_FIELD_END,
};

static const cyaml_strval_t mechanisms[] = {
    {"auto", MECHANISMS_AUTO},
    {"prehash", MECHANISMS_PREHASH},
    {"token-hash", MECHANISMS_TOKEN_HASH},
};
static const cyaml_strval_t pin_origins[] = {{"typed", PIN_TYPED}};
static const cyaml_schema_field_t token[] = {
    TEXT("name", struct file_token, name),
    TEXT_OR_NOT("socket", struct file_token, socket),
    TEXT("module", struct file_token, module),
    TEXT("uri", struct file_token, uri),
    CYAML_FIELD_ENUM_PTR("pin", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct file_token, pin,
                         pin_origins, COUNT_OF(pin_origins)),
    TEXT_OR_NOT("state", struct file_token, state),
    NUMBER_OR_NOT(struct file_token, sessions),
    NUMBER_OR_NOT(struct file_token, deadline_ms),
    CYAML_FIELD_ENUM_PTR("mechanisms", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct file_token,
                         mechanisms, mechanisms, COUNT_OF(mechanisms)),
    CYAML_FIELD_BOOL("session_copy", CYAML_FLAG_OPTIONAL, struct file_token, session_copy),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t token_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_token, token),
};

static const cyaml_strval_t purposes[] = {
    {"seal", PURPOSE_SEAL}, {"transport", PURPOSE_TRANSPORT}, {"audit", PURPOSE_AUDIT}};
static_assert(COUNT_OF(purposes) == PURPOSE_COUNT, "a name for every purpose");
static const cyaml_strval_t key_types[] = {
    {"rsa-2048", KEY_RSA_2048}, {"rsa-3072", KEY_RSA_3072}, {"rsa-4096", KEY_RSA_4096},
    {"p-256", KEY_P256},        {"p-384", KEY_P384},        {"p-521", KEY_P521},
    {"ed25519", KEY_ED25519},
};
static_assert(COUNT_OF(key_types) == KEY_TYPE_COUNT, "a name for every key type");
static const cyaml_strval_t algorithms[] = {
    {"RS256", 1 << ALG_RS256},     {"RS384", 1 << ALG_RS384}, {"RS512", 1 << ALG_RS512},
    {"PS256", 1 << ALG_PS256},     {"PS384", 1 << ALG_PS384}, {"PS512", 1 << ALG_PS512},
    {"ES256", 1 << ALG_ES256},     {"ES384", 1 << ALG_ES384}, {"ES512", 1 << ALG_ES512},
    {"Ed25519", 1 << ALG_ED25519},
};
static_assert(COUNT_OF(algorithms) == ALG_COUNT, "a name for every algorithm");
static const cyaml_schema_field_t peer[] = {
    TEXT_OR_NOT("dns", struct peer_rule, dns),
    TEXT_OR_NOT("issuer", struct peer_rule, issuer),
    TEXT_OR_NOT("spki", struct peer_rule, spki),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t peer_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct peer_rule, peer),
};
static const cyaml_strval_t wishes[] = {{"optional", WISH_OPTIONAL}, {"required", WISH_REQUIRED}};
static const cyaml_strval_t end_wishes[] = {{"warn", END_WARN}, {"stop", END_STOP}};
#define WISH_OR_NOT(name)                                                                          \
    CYAML_FIELD_ENUM_PTR(#name, CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct file_role, name,   \
                         wishes, COUNT_OF(wishes))
static const cyaml_schema_field_t role[] = {
    TEXT("name", struct file_role, name),
    CYAML_FIELD_ENUM("purpose", CYAML_FLAG_STRICT, struct file_role, purpose, purposes,
                     COUNT_OF(purposes)),
    CYAML_FIELD_ENUM("key", CYAML_FLAG_STRICT, struct file_role, key, key_types,
                     COUNT_OF(key_types)),
    CYAML_FIELD_FLAGS_PTR("algorithms", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct file_role,
                          algorithms, algorithms, COUNT_OF(algorithms)),
    LIST("tokens", CYAML_FLAG_DEFAULT, struct file_role, tokens, &text_entry, 1, 16),
    LIST("peers", CYAML_FLAG_OPTIONAL, struct file_role, peers, &peer_entry, 1, 64),
    WISH_OR_NOT(certificate),
    WISH_OR_NOT(backup),
    WISH_OR_NOT(seen),
    TEXT_OR_NOT("probe_file", struct file_role, probe_file),
    NUMBER_OR_NOT(struct file_role, publish_before_use_s),
    NUMBER_OR_NOT(struct file_role, cryptoperiod_days),
    NUMBER_OR_NOT(struct file_role, warn_days),
    CYAML_FIELD_ENUM_PTR("at_end", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct file_role,
                         at_end, end_wishes, COUNT_OF(end_wishes)),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t role_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_role, role),
};

static const cyaml_schema_field_t top[] = {
    CYAML_FIELD_MAPPING("sockets", CYAML_FLAG_OPTIONAL, struct config_file, sockets, sockets),
    TEXT_OR_NOT("state", struct config_file, state),
    LIST("templates", CYAML_FLAG_OPTIONAL, struct config_file, templates, &text_entry, 1, 8),
    TEXT_OR_NOT("profiles", struct config_file, profiles),
    CYAML_FIELD_MAPPING("users", CYAML_FLAG_OPTIONAL, struct config_file, users, users),
    CYAML_FIELD_MAPPING("limits", CYAML_FLAG_OPTIONAL, struct config_file, limits, limits),
    LIST("callers", CYAML_FLAG_OPTIONAL, struct config_file, callers, &caller_entry, 0, 256),
    LIST("administrators", CYAML_FLAG_OPTIONAL, struct config_file, administrators,
         &administrator_entry, 0, 256),
    CYAML_FIELD_MAPPING("approval", CYAML_FLAG_OPTIONAL, struct config_file, approval, approval),
    CYAML_FIELD_MAPPING("audit", CYAML_FLAG_OPTIONAL, struct config_file, audit, audit),
    LIST("tokens", CYAML_FLAG_DEFAULT, struct config_file, tokens, &token_entry, 1, 16),
    LIST("roles", CYAML_FLAG_DEFAULT, struct config_file, roles, &role_entry, 1, 64),
    CYAML_FIELD_END,
};

const cyaml_schema_value_t config_file_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config_file, top),
};
